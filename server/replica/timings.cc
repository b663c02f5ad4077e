#include "server/replica/timings.h"

#include "server/replica/secrets.h"

namespace redraft::replica {

void Timings::command(const Session& session, const commands::Command& command,
                      std::span<const std::string_view> arguments, std::uint64_t taken_us, std::uint64_t wall_ms) {
  latency_.add_command(static_cast<std::uint16_t>(command.id), taken_us);
  const Values& values = settings_.values();
  if (taken_us >= values.slowlog_log_slower_than_us && !command.is(commands::kSkipSlowlog)) {
    slow_log_.add(wall_ms / 1000, taken_us, without_secrets(command, arguments), session.address().peer, session.name,
                  values.slowlog_max_len);
  }
  note_spike("command", taken_us, wall_ms);
}

void Timings::stage(local::LatencyMonitor::Stage stage, std::uint64_t taken_us, std::uint64_t wall_ms) {
  latency_.add_stage(stage, taken_us);
  note_spike(local::LatencyMonitor::kStages[static_cast<std::size_t>(stage)], taken_us, wall_ms);
}

void Timings::note_spike(std::string_view event, std::uint64_t taken_us, std::uint64_t wall_ms) {
  const std::uint64_t threshold_ms = settings_.values().latency_monitor_threshold_ms;
  if (threshold_ms != 0 && taken_us >= threshold_ms * 1000) latency_.add(event, wall_ms / 1000, taken_us / 1000);
}

}  // namespace redraft::replica
