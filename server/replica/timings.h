#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "server/commands/command.h"
#include "server/replica/local/latency_monitor.h"
#include "server/replica/local/slow_log.h"
#include "server/replica/session.h"
#include "server/replica/settings.h"

namespace redraft::replica {

// How long things took on this node: SLOWLOG and LATENCY, by the thresholds of the settings. Of commands the execution
// only (redis-semantics, "Node-local things").
class Timings {
 public:
  explicit Timings(const Settings& settings) : settings_(settings) {}

  void command(const Session& session, const commands::Command& command, std::span<const std::string_view> arguments,
               std::uint64_t taken_us, std::uint64_t wall_ms);
  void stage(local::LatencyMonitor::Stage stage, std::uint64_t taken_us, std::uint64_t wall_ms);

  [[nodiscard]] local::SlowLog& slow_log() { return slow_log_; }
  [[nodiscard]] local::LatencyMonitor& latency() { return latency_; }

 private:
  void note_spike(std::string_view event, std::uint64_t taken_us, std::uint64_t wall_ms);

  const Settings& settings_;
  local::SlowLog slow_log_;
  local::LatencyMonitor latency_;
};

}  // namespace redraft::replica
