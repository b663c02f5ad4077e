#include "server/replica/logical_clock.h"

#include <gtest/gtest.h>

namespace redraft::replica {
namespace {

constexpr std::uint64_t kWall_ms = 1'700'000'000'000;
constexpr std::uint32_t kDrift_ppm = 500;

// Real time `at_ms` on a machine whose monotonic clock began `boot_ms` earlier and whose wall clock is off by that
// much.
Time time_at(std::uint64_t at_ms, std::uint64_t boot_ms = 0, std::int64_t off_ms = 0) {
  return {.monotonic_us = (at_ms + boot_ms) * 1000,
          .wall_ms = static_cast<std::uint64_t>(static_cast<std::int64_t>(kWall_ms + at_ms) + off_ms)};
}

TEST(LogicalClock, AnEmptyLogTakesTheWallClockAndGoesOnWithMonotonicTime) {
  LogicalClock clock(kDrift_ppm);
  clock.lead(0, time_at(1000), 1);
  EXPECT_EQ(clock.read_ms(time_at(1000), 1), kWall_ms + 1000);
  EXPECT_EQ(clock.read_ms(time_at(3000), 1), kWall_ms + 3000);
  // A wall clock that jumps back or a little forward only slews it (pitfall I2).
  EXPECT_NEAR(static_cast<double>(clock.read_ms(time_at(4000, 0, -60'000), 1)), kWall_ms + 4000, 1);
  EXPECT_NEAR(static_cast<double>(clock.read_ms(time_at(5000, 0, 9'000), 1)), kWall_ms + 5000, 2);
}

TEST(LogicalClock, TheTimeWithoutALeaderCountsForEveryDeadline) {
  LogicalClock clock(kDrift_ppm);
  clock.heard(kWall_ms - 50'000, time_at(1000, 7000));  // the leader's clock is far behind every wall clock
  clock.lead(kWall_ms - 50'000, time_at(6000, 7000), 3);
  EXPECT_NEAR(static_cast<double>(clock.read_ms(time_at(6000, 7000), 3)), kWall_ms - 45'000, 6);
}

// An entry that comes late shows less than the clock is; what was heard in time before still tells (the lag would be
// caught up in one step by a later leader, at the cost of keys set before it).
TEST(LogicalClock, WhatIsHeardLateDoesNotHoldItBack) {
  LogicalClock clock(kDrift_ppm);
  clock.heard(kWall_ms + 1000, time_at(1000));
  clock.heard(kWall_ms + 2000, time_at(8000));
  clock.lead(kWall_ms + 2000, time_at(8000), 3);
  const std::uint64_t now = clock.read_ms(time_at(8000), 3);
  EXPECT_LE(now, kWall_ms + 8000);
  EXPECT_GE(now, kWall_ms + 7990);
}

TEST(LogicalClock, AnOldWordLosesWhatTwoClocksMayHaveDriftedApart) {
  LogicalClock clock(kDrift_ppm);
  clock.heard(kWall_ms, time_at(0));
  clock.lead(kWall_ms, time_at(1'000'000), 3);
  EXPECT_EQ(clock.read_ms(time_at(1'000'000), 3), kWall_ms + 999'000);
}

TEST(LogicalClock, AfterARestartOnlyWallClocksOnWhichAMajorityAgreesTell) {
  LogicalClock alone(kDrift_ppm);
  alone.lead(kWall_ms, time_at(60'000), 3);
  EXPECT_EQ(alone.read_ms(time_at(60'000), 3), kWall_ms) << "one of three is no majority";

  LogicalClock two(kDrift_ppm);
  two.peer_wall(2, kWall_ms + 59'500, time_at(60'000));
  two.lead(kWall_ms, time_at(60'000), 3);
  EXPECT_EQ(two.read_ms(time_at(60'000), 3), kWall_ms + 59'500) << "the earliest of those that agree";

  // This node's own clock is the one that is wrong.
  LogicalClock wrong(kDrift_ppm);
  const Time off = time_at(60'000, 0, 90'000);
  wrong.peer_wall(2, kWall_ms + 60'000, off);
  wrong.peer_wall(3, kWall_ms + 60'100, off);
  wrong.lead(kWall_ms, off, 3);
  EXPECT_EQ(wrong.read_ms(off, 3), kWall_ms + 60'000);
}

// Found by redraft-sim --first 202634: each leader of a few restarts had heard its predecessor late, and the lag that
// added up was stepped over in mid-term, at the cost of a key that had just been set.
TEST(LogicalClock, ATermBeginsWithWhateverTellsOfMoreTime) {
  LogicalClock clock(kDrift_ppm);
  clock.heard(kWall_ms + 1000, time_at(3000));  // two seconds late
  clock.peer_wall(2, kWall_ms + 3900, time_at(4000));
  clock.lead(kWall_ms + 1000, time_at(4000), 3);
  EXPECT_EQ(clock.read_ms(time_at(4000), 3), kWall_ms + 3900);
}

TEST(LogicalClock, WithinATermALagIsSlewedAwayByATenth) {
  LogicalClock clock(kDrift_ppm);
  clock.lead(kWall_ms, time_at(60'000), 3);
  clock.peer_wall(2, kWall_ms + 61'000, time_at(61'000));
  std::uint64_t last = clock.read_ms(time_at(61'000), 3);
  EXPECT_EQ(last, kWall_ms + 1100) << "a second has passed, and a tenth";
  for (std::uint64_t at = 62'000; at < 900'000; at += 1000) {
    const std::uint64_t now = clock.read_ms(time_at(at), 3);
    EXPECT_LE(now - last, 1101U);
    EXPECT_LE(now, kWall_ms + at);
    last = now;
  }
  EXPECT_GE(last, kWall_ms + 900'000 - 11'000) << "and it is gone but for what is slewed like drift";
}

TEST(LogicalClock, StepsOnlyForwardVeryFarAndByAMajority) {
  LogicalClock clock(kDrift_ppm);
  clock.lead(kWall_ms, time_at(4'000'000), 3);
  EXPECT_EQ(clock.read_ms(time_at(4'000'000), 3), kWall_ms);
  clock.peer_wall(2, kWall_ms + 4'001'000, time_at(4'001'000));
  EXPECT_EQ(clock.read_ms(time_at(4'001'000), 3), kWall_ms + 4'001'000);
  // The others' clocks go back by two hours: it goes on.
  clock.peer_wall(2, kWall_ms + 4'001'000 - 7'200'000, time_at(4'002'000));
  const std::uint64_t after = clock.read_ms(time_at(4'002'000, 0, -7'200'000), 3);
  EXPECT_GE(after, kWall_ms + 4'001'990);
}

TEST(LogicalClock, NeverGoesBackOrStandsStill) {
  LogicalClock clock(kDrift_ppm);
  clock.lead(kWall_ms, time_at(0), 1);
  std::uint64_t last = clock.read_ms(time_at(0), 1);
  for (std::uint64_t at = 10; at < 10'000; at += 10) {
    const std::uint64_t now = clock.read_ms(time_at(at, 0, at % 3 == 0 ? -5'000 : 5'000), 1);
    EXPECT_GE(now, last + 9);
    last = now;
  }
}

}  // namespace
}  // namespace redraft::replica
