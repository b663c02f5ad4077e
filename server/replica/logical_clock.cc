#include "server/replica/logical_clock.h"

#include <algorithm>
#include <vector>

namespace redraft::replica {
namespace {

// The wall clocks of one network agree within it.
constexpr std::int64_t kAgreement_ms = 2'000;
// Less than this behind or ahead is slewed away within the drift that every time to live bears. A longer lag, which a
// majority's wall clocks confirm, goes at a tenth of the time that passes: no life is shortened by more than that.
constexpr std::int64_t kHurryMin_ms = 10'000;
constexpr std::int64_t kHurryPart = 10;
// What would take half a day that way is done at once: all nodes were down and came back with wrong clocks.
constexpr std::int64_t kStepMin_ms = 3'600'000;

std::int64_t offset_ms(std::uint64_t wall_ms, Time now) {
  return static_cast<std::int64_t>(wall_ms) - static_cast<std::int64_t>(now.monotonic_us / 1000);
}

}  // namespace

void LogicalClock::heard(std::uint64_t clock_ms, Time now) {
  const auto offset_us = static_cast<std::int64_t>(clock_ms * 1000) - static_cast<std::int64_t>(now.monotonic_us);
  if (heard_ && offset_us < heard_offset_us(now)) return;
  heard_ = Heard{offset_us, now.monotonic_us};
}

std::int64_t LogicalClock::heard_offset_us(Time now) const {
  const std::uint64_t age_us = now.monotonic_us - std::min(heard_->at_us, now.monotonic_us);
  return heard_->offset_us - static_cast<std::int64_t>(age_us * 2 * drift_max_ppm_ / 1'000'000);
}

void LogicalClock::lead(std::uint64_t last_ms, Time now, std::size_t voters) {
  clock_us_ = (last_ms == 0 ? now.wall_ms : last_ms) * 1000;
  monotonic_us_ = now.monotonic_us;
  if (heard_) {
    const std::int64_t clock_us = static_cast<std::int64_t>(now.monotonic_us) + heard_offset_us(now);
    clock_us_ = std::max(clock_us_, static_cast<std::uint64_t>(std::max<std::int64_t>(clock_us, 0)));
  }
  clock_us_ = std::max(clock_us_, agreed_wall_ms(now, voters) * 1000);
}

void LogicalClock::peer_wall(std::uint64_t node, std::uint64_t wall_ms, Time now) {
  peer_offsets_ms_[node] = offset_ms(wall_ms, now);
}

std::uint64_t LogicalClock::agreed_wall_ms(Time now, std::size_t voters) const {
  std::vector<std::int64_t> offsets{offset_ms(now.wall_ms, now)};
  for (const auto& [node, offset] : peer_offsets_ms_) offsets.push_back(offset);
  std::ranges::sort(offsets);
  const std::size_t majority = voters / 2 + 1;
  for (std::size_t first = 0; first + majority <= offsets.size(); ++first) {
    if (offsets[first + majority - 1] - offsets[first] > kAgreement_ms) continue;
    return static_cast<std::uint64_t>(offsets[first] + static_cast<std::int64_t>(now.monotonic_us / 1000));
  }
  return 0;
}

std::uint64_t LogicalClock::read_ms(Time now, std::size_t voters) {
  const std::uint64_t elapsed_us = now.monotonic_us - std::min(monotonic_us_, now.monotonic_us);
  monotonic_us_ = std::max(monotonic_us_, now.monotonic_us);
  clock_us_ += elapsed_us;
  const std::int64_t lag_us = static_cast<std::int64_t>(now.wall_ms * 1000) - static_cast<std::int64_t>(clock_us_);
  // The share of the elapsed time that may be added or left out; leaving out stays below all of it, so time goes on.
  auto slew_max_us = static_cast<std::int64_t>(elapsed_us * drift_max_ppm_ / 1'000'000);
  if (lag_us / 1000 >= kHurryMin_ms) {
    const auto agreed_lag_us =
        static_cast<std::int64_t>(agreed_wall_ms(now, voters) * 1000) - static_cast<std::int64_t>(clock_us_);
    if (agreed_lag_us / 1000 >= kStepMin_ms) {
      clock_us_ += static_cast<std::uint64_t>(agreed_lag_us);
      return clock_us_ / 1000;
    }
    if (agreed_lag_us / 1000 >= kHurryMin_ms) slew_max_us = static_cast<std::int64_t>(elapsed_us) / kHurryPart;
  }
  clock_us_ += static_cast<std::uint64_t>(std::clamp(lag_us, -slew_max_us, slew_max_us));
  return clock_us_ / 1000;
}

}  // namespace redraft::replica
