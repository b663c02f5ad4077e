// Power cuts and kills of one, two and all nodes at once, on a file system that keeps a random part of what was not
// synced: every acknowledged write and every vote is there, and every node starts (storage-faults rows 1, 10, 13). And
// the test's own test: with any one sync left out it fails.

#include <gtest/gtest.h>

#include "tests/sim/runner.h"

namespace redraft::sim {
namespace {

RunSummary crash(std::uint64_t first, std::uint64_t seeds, Bug bug) {
  RunOptions options;
  options.first = first;
  options.seeds = seeds;
  options.jobs = 2;
  options.aim = Aim::kCrashes;
  options.bug = bug;
  options.stop_at_failure = bug != Bug::kNone;
  return run_seeds(options);
}

TEST(Crash, AcknowledgedWritesAndVotesSurvive) {
  const RunSummary summary = crash(1, 40, Bug::kNone);
  std::printf("%s", summary.describe().c_str());
  EXPECT_TRUE(summary.failures.empty());
  EXPECT_GT(summary.total.crashes, 200U);
  EXPECT_GT(summary.total.answered, 1000U);
}

class PlantedBug : public ::testing::TestWithParam<Bug> {};

TEST_P(PlantedBug, IsFound) {
  const RunSummary summary = crash(1, 60, GetParam());
  ASSERT_FALSE(summary.failures.empty()) << name_of(GetParam()) << " was not found in 60 seeds";
  std::printf("%s found after %llu seeds: %s\n", std::string(name_of(GetParam())).c_str(),
              static_cast<unsigned long long>(summary.seeds), summary.failures.front().what.c_str());
}

INSTANTIATE_TEST_SUITE_P(Crash, PlantedBug,
                         ::testing::Values(Bug::kAckBeforeSync, Bug::kFollowerAckBeforeSync, Bug::kVoteBeforeSync,
                                           Bug::kNoDirectorySync, Bug::kNoDataSync),
                         [](const auto& tested) {
                           std::string name(name_of(tested.param));
                           std::erase(name, '-');
                           return name;
                         });

}  // namespace
}  // namespace redraft::sim
