#include "server/replica/logical_clock.h"

#include <algorithm>

namespace redraft::replica {
namespace {

// Less than this behind or ahead is slewed away; the wall clocks of one network agree within it.
constexpr std::int64_t kStepMin_ms = 10'000;
constexpr std::int64_t kAgreement_ms = 2'000;

std::int64_t offset_ms(std::uint64_t wall_ms, Time now) {
  return static_cast<std::int64_t>(wall_ms) - static_cast<std::int64_t>(now.monotonic_us / 1000);
}

}  // namespace

void LogicalClock::lead(std::uint64_t last_ms, std::uint64_t last_at_us, Time now, std::size_t voters) {
  clock_us_ = (last_ms == 0 ? now.wall_ms : last_ms) * 1000;
  monotonic_us_ = now.monotonic_us;
  if (last_at_us != 0) {
    clock_us_ += now.monotonic_us - std::min(last_at_us, now.monotonic_us);
  } else {
    clock_us_ = std::max(clock_us_, agreed_wall_ms(now, voters) * 1000);
  }
}

void LogicalClock::peer_wall(std::uint64_t node, std::uint64_t wall_ms, Time now) {
  peer_offsets_ms_[node] = offset_ms(wall_ms, now);
}

std::uint64_t LogicalClock::agreed_wall_ms(Time now, std::size_t voters) const {
  std::size_t agreeing = 1;  // this node
  std::int64_t earliest = 0;
  const std::int64_t own = offset_ms(now.wall_ms, now);
  for (const auto& [node, offset] : peer_offsets_ms_) {
    if (std::abs(offset - own) > kAgreement_ms) continue;
    ++agreeing;
    earliest = std::min(earliest, offset - own);
  }
  return agreeing > voters / 2 ? static_cast<std::uint64_t>(static_cast<std::int64_t>(now.wall_ms) + earliest) : 0;
}

std::uint64_t LogicalClock::read_ms(Time now, std::size_t voters) {
  const std::uint64_t elapsed_us = now.monotonic_us - std::min(monotonic_us_, now.monotonic_us);
  monotonic_us_ = std::max(monotonic_us_, now.monotonic_us);
  clock_us_ += elapsed_us;
  const std::int64_t lag_us = static_cast<std::int64_t>(now.wall_ms * 1000) - static_cast<std::int64_t>(clock_us_);
  if (lag_us / 1000 >= kStepMin_ms) {
    if (const std::uint64_t agreed_ms = agreed_wall_ms(now, voters); agreed_ms * 1000 > clock_us_) {
      clock_us_ = agreed_ms * 1000;
      return clock_us_ / 1000;
    }
  }
  // The share of the elapsed time that may be added or left out; leaving out stays below all of it, so time goes on.
  const auto slew_max_us = static_cast<std::int64_t>(elapsed_us * drift_max_ppm_ / 1'000'000);
  clock_us_ += static_cast<std::uint64_t>(std::clamp(lag_us, -slew_max_us, slew_max_us));
  return clock_us_ / 1000;
}

}  // namespace redraft::replica
