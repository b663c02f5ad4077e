#include "server/replica/local/latency_monitor.h"

#include <algorithm>
#include <bit>

namespace redraft::replica::local {

namespace {
constexpr std::size_t kSamplesMax = 160;
constexpr std::uint64_t kExactBelow = 32;
constexpr unsigned kStepBits = 4;
}  // namespace

std::size_t Histogram::bucket(std::uint64_t value) {
  if (value < kExactBelow) return static_cast<std::size_t>(value);
  const unsigned top = static_cast<unsigned>(std::bit_width(value)) - 1;  // at least 5
  const std::size_t step = static_cast<std::size_t>(value >> (top - kStepBits)) & 15;
  return std::min<std::size_t>(kBuckets - 1, kExactBelow + (top - 5) * 16 + step);
}

std::uint64_t Histogram::upper_bound(std::size_t bucket) {
  if (bucket < kExactBelow) return bucket;
  const std::size_t top = (bucket - kExactBelow) / 16 + 5;
  const std::uint64_t step = (bucket - kExactBelow) % 16;
  return ((16 + step + 1) << (top - kStepBits)) - 1;
}

void Histogram::add(std::uint64_t microseconds) {
  ++counts_[bucket(microseconds)];
  ++count_;
}

std::uint64_t Histogram::percentile(double percent) const {
  const double wanted = static_cast<double>(count_) * percent / 100.0;
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < kBuckets; ++i) {
    seen += counts_[i];
    if (counts_[i] != 0 && static_cast<double>(seen) >= wanted) return upper_bound(i);
  }
  return 0;
}

std::vector<std::pair<std::uint64_t, std::uint64_t>> Histogram::cumulative() const {
  std::vector<std::pair<std::uint64_t, std::uint64_t>> result;
  std::uint64_t seen = 0;
  std::uint64_t shown = 0;
  std::size_t i = 0;
  for (std::uint64_t bound = 1; i < kBuckets && seen < count_; bound *= 2) {
    while (i < kBuckets && upper_bound(i) <= bound) seen += counts_[i++];
    if (seen == shown) continue;
    result.emplace_back(bound, seen);
    shown = seen;
  }
  return result;
}

void LatencyMonitor::add(std::string_view event, std::uint64_t time_s, std::uint64_t milliseconds) {
  auto found = events_.find(event);
  if (found == events_.end()) found = events_.emplace(std::string(event), Event()).first;
  Event& known = found->second;
  known.maximum_ms = std::max(known.maximum_ms, milliseconds);
  if (!known.samples.empty() && known.samples.back().time_s == time_s) {
    known.samples.back().milliseconds = std::max(known.samples.back().milliseconds, milliseconds);
    return;
  }
  known.samples.push_back({time_s, milliseconds});
  if (known.samples.size() > kSamplesMax) known.samples.pop_front();
}

bool LatencyMonitor::reset(std::string_view event) {
  const auto found = events_.find(event);
  if (found == events_.end()) return false;
  events_.erase(found);
  return true;
}

std::size_t LatencyMonitor::reset_all() {
  const std::size_t count = events_.size();
  events_.clear();
  return count;
}

const Histogram* LatencyMonitor::stage(std::string_view name) const {
  for (std::size_t i = 0; i < kStages.size(); ++i) {
    if (name == kStages[i]) return &stages_[i];
  }
  return nullptr;
}

void LatencyMonitor::add_command(std::uint16_t command_id, std::uint64_t microseconds) {
  if (command_id >= commands_.size()) commands_.resize(command_id + 1u);
  if (commands_[command_id] == nullptr) commands_[command_id] = std::make_unique<Histogram>();
  commands_[command_id]->add(microseconds);
}

const Histogram* LatencyMonitor::command(std::uint16_t command_id) const {
  return command_id < commands_.size() ? commands_[command_id].get() : nullptr;
}

}  // namespace redraft::replica::local
