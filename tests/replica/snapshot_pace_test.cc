// How fast a snapshot's walk goes beside clients: by arithmetic alone, and of a whole node in virtual time.

#include "server/replica/snapshot_pace.h"

#include "tests/replica/story.h"

namespace redraft {
namespace {

using replica::SnapshotPace;

constexpr std::uint64_t kRate = 10'000'000;
constexpr std::uint64_t kState = 1'000'000'000;

// What a walk takes in turns of 100 us that all serve somebody.
std::uint64_t walked_in(SnapshotPace& pace, std::uint64_t from_us, std::uint64_t for_us, double log_share = 0) {
  std::uint64_t walked = 0;
  for (std::uint64_t now_us = from_us; now_us < from_us + for_us; now_us += 100) {
    const std::size_t slice =
        pace.allowance({.now_us = now_us, .rate = kRate, .working = true, .log_share = log_share});
    EXPECT_LE(slice, log_share == 0 ? SnapshotPace::kSmallSlice : SnapshotPace::kSlice);
    pace.took(slice);
    walked += slice;
  }
  return walked;
}

TEST(SnapshotPace, KeepsItsRateBesideClientsInSmallSlices) {
  SnapshotPace pace;
  pace.begin(1000, kState);
  EXPECT_NEAR(static_cast<double>(walked_in(pace, 1000, 1'000'000)), kRate, SnapshotPace::kSmallSlice);
}

TEST(SnapshotPace, ALateTurnDoesNotTakeAllAtOnce) {
  SnapshotPace pace;
  pace.begin(0, kState);
  EXPECT_LE(pace.allowance({.now_us = 5'000'000, .rate = kRate, .working = true}), SnapshotPace::kSmallSlice);
}

TEST(SnapshotPace, GoesAtFullSpeedWhenNobodyIsServed) {
  SnapshotPace pace;
  pace.begin(0, kState);
  pace.took(pace.allowance({.now_us = 100, .rate = kRate, .working = true}));
  EXPECT_LT(pace.allowance({.now_us = 100 + SnapshotPace::kIdle_us - 1, .rate = kRate}), SnapshotPace::kSlice);
  EXPECT_EQ(pace.allowance({.now_us = 100 + SnapshotPace::kIdle_us, .rate = kRate}), SnapshotPace::kSlice);
  EXPECT_LT(pace.allowance({.now_us = 20'000, .rate = kRate, .working = true}), SnapshotPace::kSlice);
}

TEST(SnapshotPace, GoesAtFullSpeedWhenSomebodyWaitsForItOrNoRateIsSet) {
  SnapshotPace pace;
  pace.begin(0, kState);
  EXPECT_EQ(pace.allowance({.now_us = 1, .rate = kRate, .hurry = true, .working = true}), SnapshotPace::kSlice);
  EXPECT_EQ(pace.allowance({.now_us = 2, .rate = 0, .working = true}), SnapshotPace::kSlice);
}

// Pitfall E11's other half: a log that nothing bounds because its snapshot never ends.
TEST(SnapshotPace, NeverLagsBehindTheLog) {
  SnapshotPace pace;
  pace.begin(0, kState);
  const std::uint64_t half = walked_in(pace, 0, 1'000'000, 0.5);
  EXPECT_GE(half, kState / 2);
  EXPECT_GE(half + walked_in(pace, 1'000'000, 1'000'000, 1.0), kState);
}

// What changes is copied by those who change it, as much as they like: the walk stands back for it, but not for ever.
TEST(SnapshotPace, CopiesOfWritersCount) {
  SnapshotPace pace;
  pace.begin(0, kState);
  pace.took(200'000);
  EXPECT_EQ(pace.allowance({.now_us = 10'000, .rate = kRate, .working = true}), 0U);
  EXPECT_GT(pace.allowance({.now_us = 25'000, .rate = kRate, .working = true}), 0U);
  pace.took(kState);
  EXPECT_GT(pace.allowance({.now_us = 1'000'000, .rate = kRate, .working = true}), 0U);
}

}  // namespace

namespace sim {
namespace {

TEST_F(ReplicaTest, ASnapshotBesideClientsTakesItsTimeAndHoldsOneMoment) {
  begin(3);
  Talker client(*world_, leader().id());
  const std::string value(1000, 'v');
  for (int i = 0; i < 300; ++i) ASSERT_EQ(client.ask({"SET", "k" + std::to_string(i), value}), "+OK\r\n");
  static_cast<void>(client.ask({"RPUSH", "list", "0"}));
  ASSERT_EQ(client.ask({"CONFIG", "SET", "snapshot-rate", "100000"}), "+OK\r\n");
  ASSERT_EQ(client.ask({"BGSAVE"}), "+Background saving started\r\n");
  const auto saving = [&] {
    return client.ask({"INFO", "persistence"}).find("rdb_bgsave_in_progress:1") != std::string::npos;
  };
  int writes = 0;
  const std::uint64_t begun_us = world_->schedule().now_us();
  for (; saving(); ++writes) {
    static_cast<void>(client.ask({"RPUSH", "list", std::to_string(writes)}));
    static_cast<void>(client.ask({"SET", "k" + std::to_string(writes % 300), "new"}));
  }
  EXPECT_GT(world_->schedule().now_us() - begun_us, 2'000'000U) << "300 kB at 100 kB/s";
  EXPECT_GT(writes, 100);
  leader().cut_power();
  world_->start_all();
  EXPECT_TRUE(world_->run_until(20'000'000, [this] { return world_->at_rest(); }));
  EXPECT_EQ(world_->observer.same_state(world_->node_list()), std::nullopt);
  EXPECT_GT(world_->node(1).replica().raft()->snapshot_index().value +
                world_->node(2).replica().raft()->snapshot_index().value +
                world_->node(3).replica().raft()->snapshot_index().value,
            0U);
}

// All apply the same entries: without a rule of their own the three would take their snapshots at the same time.
TEST_F(ReplicaTest, NodesTakeTheirSnapshotsOneAfterTheOther) {
  Plan plan = plan_of(3);
  plan.snapshot_entries = 90;
  begin(plan);
  Talker client(*world_, leader().id());
  const auto index_of = [&](std::uint64_t node) { return world_->node(node).replica().raft()->snapshot_index().value; };
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 95; ++i) {
      ASSERT_EQ(client.ask({"SET", "k", std::to_string(i)}), "+OK\r\n");
      world_->run_for(15'000);  // so that each node applies it by itself, also one whose entries gather (decision 0011)
    }
    ASSERT_TRUE(world_->run_until(20'000'000, [this] { return world_->at_rest(); }));
    EXPECT_GE(index_of(2), index_of(1) + 20) << round;
    EXPECT_GE(index_of(3), index_of(2) + 20) << round;
    EXPECT_LE(index_of(3), index_of(1) + 70) << round;
  }
}

TEST_F(ReplicaTest, SaveIsNotHeldBack) {
  begin(1);
  Talker client(*world_, 1);
  for (int i = 0; i < 300; ++i) static_cast<void>(client.ask({"SET", "k" + std::to_string(i), std::string(1000, 'v')}));
  ASSERT_EQ(client.ask({"CONFIG", "SET", "snapshot-rate", "1000"}), "+OK\r\n");
  const std::uint64_t begun_us = world_->schedule().now_us();
  EXPECT_EQ(client.ask({"SAVE"}), "+OK\r\n");
  EXPECT_LT(world_->schedule().now_us() - begun_us, 1'000'000U);
}

}  // namespace
}  // namespace sim
}  // namespace redraft
