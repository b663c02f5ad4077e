#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace redraft::replica::local {

// A distribution of microseconds: exact below 32, then sixteen steps per power of two, so a percentile is at most
// about 6 % too large. 4 KiB.
class Histogram {
 public:
  void add(std::uint64_t microseconds);
  [[nodiscard]] std::uint64_t count() const { return count_; }
  // The value that `percent` of all samples do not exceed; 0 without samples.
  [[nodiscard]] std::uint64_t percentile(double percent) const;
  // (upper bound, samples up to it) for powers of two, as LATENCY HISTOGRAM answers; only where samples are added.
  [[nodiscard]] std::vector<std::pair<std::uint64_t, std::uint64_t>> cumulative() const;

 private:
  static constexpr std::size_t kBuckets = 512;
  [[nodiscard]] static std::size_t bucket(std::uint64_t value);
  [[nodiscard]] static std::uint64_t upper_bound(std::size_t bucket);
  std::array<std::uint64_t, kBuckets> counts_{};
  std::uint64_t count_ = 0;
};

// What LATENCY shows: spikes per event (redis.io/docs/management/optimization/latency-monitor) and how long each
// command takes. Node-local.
class LatencyMonitor {
 public:
  struct Sample {
    std::uint64_t time_s = 0;
    std::uint64_t milliseconds = 0;
  };
  struct Event {
    std::deque<Sample> samples;  // at most 160; samples of one second are merged to the largest
    std::uint64_t maximum_ms = 0;
  };

  // A spike; the caller compares with latency-monitor-threshold first.
  void add(std::string_view event, std::uint64_t time_s, std::uint64_t milliseconds);
  [[nodiscard]] const std::map<std::string, Event, std::less<>>& events() const { return events_; }
  // LATENCY RESET: all without a name; true if the event was there.
  bool reset(std::string_view event);
  std::size_t reset_all();

  // What a write waits for, besides its execution: the disk that takes a batch of the log, from the request to the end
  // of its sync; the majority, from the batch's proposal to its commit as this node's own; the apply of an entry.
  enum class Stage : std::uint8_t { kSync, kCommit, kApply };
  static constexpr std::array<std::string_view, 3> kStages{"log-sync", "log-commit", "log-apply"};
  void add_stage(Stage stage, std::uint64_t microseconds) {
    stages_[static_cast<std::size_t>(stage)].add(microseconds);
  }
  // By a name of kStages; nullptr for any other.
  [[nodiscard]] const Histogram* stage(std::string_view name) const;

  // One execution, by command id.
  void add_command(std::uint16_t command_id, std::uint64_t microseconds);
  [[nodiscard]] const Histogram* command(std::uint16_t command_id) const;
  void reset_commands() {
    commands_.clear();
    stages_ = {};
  }

 private:
  std::map<std::string, Event, std::less<>> events_;
  std::vector<std::unique_ptr<Histogram>> commands_;
  std::array<Histogram, kStages.size()> stages_;
};

}  // namespace redraft::replica::local
