#include "server/net/loop_relay.h"

#include <gtest/gtest.h>

#include <set>
#include <thread>

namespace redraft::net {
namespace {

using Turn = LoopRelay::Turn;

// The loop's own data are plain variables in these tests: run in the tsan preset, they prove that one thread at a time
// has the loop and that it is handed on with everything in it.

TEST(LoopRelay, ShortWorkLeavesTheLoopInOneHand) {
  constexpr int kTurns = 2000;
  int turns = 0;
  std::atomic<int> worked = 0;
  LoopRelay relay([&] {
    if (++turns > kTurns) return Turn::kDone;
    return relay.away([&] { ++worked; }) ? Turn::kGoOn : Turn::kLost;  // lost: this machine is busy, that is all
  });
  relay.run();
  EXPECT_EQ(turns, kTurns + 1);
  EXPECT_EQ(worked, kTurns);
}

// Storage-faults row 18: what waits for a stalled disk holds up nothing else.
TEST(LoopRelay, AnotherThreadRunsTheLoopWhileWorkBlocks) {
  constexpr int kStalls = 5;
  constexpr int kTurnsMeanwhile = 10;
  int turns_since = 0;
  int stalls = 0;
  std::set<std::thread::id> threads;
  std::mutex mutex;
  std::condition_variable enough;
  bool release = false;
  bool returned = true;  // the thread that was away has come back
  LoopRelay relay([&] {
    threads.insert(std::this_thread::get_id());
    {
      const std::lock_guard lock(mutex);
      if (!returned) {
        release = ++turns_since >= kTurnsMeanwhile;
        if (release) enough.notify_all();
        return Turn::kGoOn;
      }
      if (stalls == kStalls) return Turn::kDone;
      release = returned = false;
    }
    ++stalls;
    turns_since = 0;
    const bool kept = relay.away([&] {
      std::unique_lock lock(mutex);
      enough.wait(lock, [&] { return release; });
    });
    EXPECT_FALSE(kept) << "nobody ran the loop meanwhile";
    const std::lock_guard lock(mutex);
    returned = true;
    return Turn::kLost;
  });
  relay.run();
  EXPECT_EQ(stalls, kStalls);
  EXPECT_EQ(threads.size(), 2u);
}

TEST(LoopRelay, EndsWhileAThreadIsAway) {
  bool left = false;
  std::mutex mutex;
  std::condition_variable changed;
  bool ended = false;
  LoopRelay relay([&] {
    if (left) {
      const std::lock_guard lock(mutex);
      ended = true;
      changed.notify_all();
      return Turn::kDone;
    }
    left = true;
    const bool kept = relay.away([&] {
      std::unique_lock lock(mutex);
      changed.wait(lock, [&] { return ended; });
    });
    EXPECT_FALSE(kept);
    return Turn::kLost;
  });
  relay.run();
  EXPECT_TRUE(ended);
}

}  // namespace
}  // namespace redraft::net
