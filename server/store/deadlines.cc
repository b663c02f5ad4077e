#include "server/store/deadlines.h"

#include <algorithm>

#include "base/check.h"
#include "server/store/database.h"

namespace redraft::store {

Deadlines::Entry Deadlines::entry_of(const Key& key) {
  const auto address = reinterpret_cast<std::uintptr_t>(&key);
  ensure((address & ~kAddress) == 0, "user space ends below 2^48");
  return {key.deadline_ms(), address | (hash_of(0, key.name()) & ~kAddress)};
}

bool Deadlines::earlier(const Entry& a, const Entry& b) {
  if (a.deadline_ms != b.deadline_ms) return a.deadline_ms < b.deadline_ms;
  if (((a.tagged ^ b.tagged) & ~kAddress) != 0) return a.tagged < b.tagged;
  return a.tagged != b.tagged && a.key().name() < b.key().name();
}

// The last run that begins no later; the first one if all begin later.
std::size_t Deadlines::run_for(const Entry& entry) const {
  const auto after = std::ranges::upper_bound(
      runs_, entry, [](const Entry& a, const Entry& b) { return earlier(a, b); }, &Run::first);
  return after == runs_.begin() ? 0 : static_cast<std::size_t>(after - runs_.begin()) - 1;
}

Deadlines::Found Deadlines::find(const Key& key) const {
  const Entry entry = entry_of(key);
  ensure(!runs_.empty(), "a key with a deadline is among them");
  const std::size_t run = run_for(entry);
  const std::vector<Entry>& entries = runs_[run].entries;
  const auto at = std::ranges::lower_bound(entries, entry, earlier);
  ensure(at != entries.end() && at->tagged == entry.tagged, "a key with a deadline is among them");
  return {run, static_cast<std::size_t>(at - entries.begin())};
}

Deadlines::Position Deadlines::from(std::uint64_t deadline_ms) const {
  const auto after =
      std::ranges::lower_bound(runs_, deadline_ms, {}, [](const Run& run) { return run.first.deadline_ms; });
  const auto run = static_cast<std::size_t>(after - runs_.begin());
  if (run > 0) {  // the one before may end with some
    const std::vector<Entry>& entries = runs_[run - 1].entries;
    const auto at = std::ranges::lower_bound(entries, deadline_ms, {}, &Entry::deadline_ms);
    if (at != entries.end()) return {runs_, run - 1, static_cast<std::size_t>(at - entries.begin())};
  }
  return {runs_, run, 0};
}

void Deadlines::insert(Key& key) {
  const Entry entry = entry_of(key);
  ++size_;
  if (runs_.empty()) {
    runs_.push_back({entry, {entry}});
    return;
  }
  const std::size_t at_run = run_for(entry);
  Run& run = runs_[at_run];
  const auto at = std::ranges::upper_bound(run.entries, entry, earlier);
  const bool last = at == run.entries.end();
  if (last && at_run + 1 == runs_.size() && run.entries.size() == kRunMax) {
    // Deadlines mostly come in their order: a full run stays full.
    runs_.push_back({entry, {entry}});
    return;
  }
  run.entries.insert(at, entry);
  run.first = run.entries.front();
  if (run.entries.size() > kRunMax) split(at_run);
}

void Deadlines::split(std::size_t at_run) {
  std::vector<Entry>& entries = runs_[at_run].entries;
  const auto half = entries.begin() + static_cast<std::ptrdiff_t>(entries.size() / 2);
  Run later{*half, {half, entries.end()}};
  entries.erase(half, entries.end());
  runs_.insert(runs_.begin() + static_cast<std::ptrdiff_t>(at_run) + 1, std::move(later));
}

void Deadlines::erase(const Key& key) {
  const Found found = find(key);
  Run& run = runs_[found.run];
  run.entries.erase(run.entries.begin() + static_cast<std::ptrdiff_t>(found.entry));
  --size_;
  if (run.entries.empty()) {
    runs_.erase(runs_.begin() + static_cast<std::ptrdiff_t>(found.run));
    return;
  }
  run.first = run.entries.front();
  if (run.entries.size() < kRunMax / 8) merge(found.run);
}

// With the run behind it, if both are small: else many removals would leave many runs of few.
void Deadlines::merge(std::size_t at_run) {
  if (at_run + 1 == runs_.size()) return;
  std::vector<Entry>& entries = runs_[at_run].entries;
  const std::vector<Entry>& behind = runs_[at_run + 1].entries;
  if (entries.size() + behind.size() > kRunMax / 2) return;
  entries.insert(entries.end(), behind.begin(), behind.end());
  runs_.erase(runs_.begin() + static_cast<std::ptrdiff_t>(at_run) + 1);
}

void Deadlines::replace(const Key& old, Key& key) {
  if (old.deadline_ms() != key.deadline_ms()) {
    if (old.has_deadline()) erase(old);
    if (key.has_deadline()) insert(key);
    return;
  }
  if (!key.has_deadline()) return;
  const Found found = find(old);
  Run& run = runs_[found.run];
  run.entries[found.entry] = entry_of(key);
  run.first = run.entries.front();
}

std::size_t Deadlines::drop_some(std::size_t count) {
  std::vector<Entry>& entries = runs_.back().entries;
  const std::size_t dropped = std::min(std::max<std::size_t>(count, 1), entries.size());
  entries.resize(entries.size() - dropped);
  if (entries.empty()) runs_.pop_back();
  size_ -= dropped;
  return dropped;
}

}  // namespace redraft::store
