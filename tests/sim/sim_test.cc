// Whole clusters under faults: fixed seeds, so that a failure repeats, and a few new ones whose numbers are printed.

#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <random>

#include "tests/sim/runner.h"

namespace redraft::sim {
namespace {

RunSummary run(std::uint64_t first, std::uint64_t seeds, bool twice = false, Aim aim = Aim::kAll) {
  RunOptions options;
  options.aim = aim;
  options.first = first;
  options.seeds = seeds;
  options.jobs = 2;
  options.twice = twice;
  RunSummary summary = run_seeds(options);
  std::printf("%s", summary.describe().c_str());
  return summary;
}

TEST(Simulation, FixedSeedsKeepEveryPromise) {
  EXPECT_TRUE(run(1, 48).failures.empty());
}

TEST(Simulation, EveryAimKeepsEveryPromise) {
  for (std::size_t aim = 0; aim < kAimNames.size(); ++aim) {
    SCOPED_TRACE(kAimNames[aim]);
    EXPECT_TRUE(run(1, 3, false, static_cast<Aim>(aim)).failures.empty());
  }
}

// Each of these seeds failed once.
TEST(Simulation, SeedsThatFoundSomethingKeepEveryPromise) {
  struct Case {
    std::uint64_t seed;
    const char* what;
  };
  constexpr std::array kCases{
      Case{200158, "a directory emptied while a DEMOTE was on its way"},
      Case{201475, "... while a FORGET was on its way"},
      Case{300285, "... while a FORGET was in doubt"},
      Case{401945, "a FORGET of a live member before its peer was known to be gone"},
      Case{413447, "a learner emptied when it was about to be promoted"},
      Case{202634, "the logical clock stepped in mid-term (decision 0012)"},
      Case{202835, "the same, without a word of the last leader"},
      Case{407071, "a link that died in mid-handshake behind a one-way cut"},
      Case{414289, "a snapshot installed over a conflicting log whose end was not cut before a crash (pitfall E1)"},
      Case{500019, "a refused start ended the damaged segment, and a good copy of it did not help any more"},
      Case{500663, "a follower that waited for the snapshot of a leader long gone, and alone could lead"},
      Case{800285, "the same, where its vote was missed"},
      Case{900978, "a received snapshot that the log never heard of was damaged later (pitfall E1)"},
      Case{904431, "two watched keys in one place of WATCH's table, and a transaction without an answer"},
      Case{904445, "a transaction aborted by an expiry that no entry had yet"},
      Case{942761, "a blocking pop that was served, on a node that was told of its removal and not of that (B10)"},
  };
  for (const Case& one : kCases) {
    SCOPED_TRACE(one.what);
    EXPECT_TRUE(run(one.seed, 1).failures.empty());
  }
}

TEST(Simulation, TheSameSeedIsTheSameLife) {
  EXPECT_TRUE(run(1001, 4, true).failures.empty());
}

// The seeds are printed with the verdict, so nothing is lost by not knowing them beforehand.
TEST(Simulation, NewSeedsKeepEveryPromise) {
  const std::uint64_t first = 1'000'000 + std::random_device()() % 1'000'000'000;
  std::printf("new seeds from %llu\n", static_cast<unsigned long long>(first));
  EXPECT_TRUE(run(first, 6).failures.empty());
}

}  // namespace
}  // namespace redraft::sim
