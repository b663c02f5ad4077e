#include "server/net/clock.h"

#include <time.h>

namespace redraft::net {

replica::Time read_clocks() {
  timespec monotonic{};
  timespec wall{};
  clock_gettime(CLOCK_BOOTTIME, &monotonic);
  clock_gettime(CLOCK_REALTIME, &wall);
  return {
      .monotonic_us =
          static_cast<std::uint64_t>(monotonic.tv_sec) * 1000000 + static_cast<std::uint64_t>(monotonic.tv_nsec) / 1000,
      .wall_ms = static_cast<std::uint64_t>(wall.tv_sec) * 1000 + static_cast<std::uint64_t>(wall.tv_nsec) / 1000000};
}

std::uint64_t read_measure_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(now.tv_nsec);
}

}  // namespace redraft::net
