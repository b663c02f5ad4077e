// To whom first (raft/thrift.cc): the fewest that a quorum needs, the others a moment later, everybody when those are
// late.
#include <gtest/gtest.h>

#include "tests/raft/cluster.h"

namespace redraft::raft::testing {
namespace {

struct Thrift : ::testing::Test {
  // Node 1 leads, everybody is up to date, and the next heartbeat has chosen whom it needs.
  static Cluster::Options options(std::uint64_t voters) {
    Cluster::Options made;
    made.members = Cluster::voters(voters);
    made.config.held_back_bytes_max = 1000;
    return made;
  }
  static void lead(Cluster& cluster) {
    cluster.elect(1);
    cluster.tick(1, cluster.raft(1).config().heartbeat_ticks);
    cluster.settle();
  }
  static bool has(Cluster& cluster, std::uint64_t id, LogIndex index) { return cluster.raft(id).last_index() >= index; }
};

TEST_F(Thrift, AnEntryCommitsByTheFewestAndReachesTheOthersTogether) {
  Cluster cluster(options(3));
  lead(cluster);
  const LogIndex first = cluster.propose(1, "a").index;
  const LogIndex second = cluster.propose(1, "b").index;
  cluster.settle();
  EXPECT_GE(cluster.raft(1).commit_index(), second);
  EXPECT_TRUE(has(cluster, 2, second)) << "of equals the first is needed";
  EXPECT_FALSE(has(cluster, 3, first));
  EXPECT_EQ(cluster.raft(1).held_back_from(), first);

  cluster.step(1, Spread{});
  ASSERT_EQ(cluster.network().size(), 1U) << "both entries in one message";
  EXPECT_EQ(cluster.network().front().to, NodeId{3});
  EXPECT_EQ(cluster.raft(1).held_back_from(), LogIndex{});
  cluster.settle();
  EXPECT_TRUE(has(cluster, 3, second));
  const LogIndex third = cluster.propose(1, "c").index;
  cluster.settle();
  EXPECT_FALSE(has(cluster, 3, third)) << "nothing was late, so the choice stays";
}

TEST_F(Thrift, EntriesGatherForSeveralSpreads) {
  Cluster::Options gathers = options(3);
  gathers.config.held_back_spreads_max = 3;
  Cluster cluster(gathers);
  lead(cluster);
  const LogIndex first = cluster.propose(1, "a").index;
  cluster.settle();
  for (int spread = 1; spread < 3; ++spread) {
    cluster.propose(1, "b");
    cluster.settle();
    cluster.step(1, Spread{});
    EXPECT_TRUE(cluster.network().empty());
    EXPECT_EQ(cluster.raft(1).held_back_from(), first);
  }
  cluster.step(1, Spread{});
  ASSERT_EQ(cluster.network().size(), 1U);
  cluster.settle();
  EXPECT_TRUE(has(cluster, 3, cluster.raft(1).last_index()));
}

TEST_F(Thrift, WhoBecomesLateWhileEntriesGatherIsReplaced) {
  Cluster::Options gathers = options(3);
  gathers.config.held_back_spreads_max = 3;
  Cluster cluster(gathers);
  lead(cluster);
  cluster.propose(1, "a");
  cluster.settle();
  cluster.isolate(2);
  const LogIndex late = cluster.propose(1, "b").index;
  cluster.settle();
  cluster.step(1, Spread{});  // it has waited from here on
  cluster.settle();
  EXPECT_LT(cluster.raft(1).commit_index(), late);
  cluster.step(1, Spread{});
  cluster.settle();
  EXPECT_GE(cluster.raft(1).commit_index(), late);
}

TEST_F(Thrift, WhoIsLateIsReplaced) {
  Cluster cluster(options(3));
  lead(cluster);
  cluster.isolate(2);
  const LogIndex entry = cluster.propose(1, "a").index;
  cluster.settle();
  EXPECT_LT(cluster.raft(1).commit_index(), entry);
  cluster.step(1, Spread{});
  cluster.settle();
  EXPECT_GE(cluster.raft(1).commit_index(), entry) << "the other one made the quorum";
  const LogIndex next = cluster.propose(1, "b").index;
  cluster.settle();
  EXPECT_GE(cluster.raft(1).commit_index(), next) << "and is the one that is needed now";
}

TEST_F(Thrift, ALostLinkNeedsNoSpread) {
  Cluster cluster(options(3));
  lead(cluster);
  cluster.isolate(2);
  const LogIndex entry = cluster.propose(1, "a").index;
  cluster.read(1, 7);
  cluster.settle();
  EXPECT_LT(cluster.raft(1).commit_index(), entry);
  cluster.step(1, PeerUnreachable{NodeId{2}});
  cluster.settle();
  EXPECT_GE(cluster.raft(1).commit_index(), entry);
  EXPECT_EQ(cluster.read_results.size(), 1U);
}

TEST_F(Thrift, OurOwnLateDiskNeedsEverybody) {
  Cluster cluster(options(3));
  lead(cluster);
  cluster.node(1).holds_disk = true;
  const LogIndex entry = cluster.propose(1, "a").index;
  cluster.settle();
  EXPECT_LT(cluster.raft(1).commit_index(), entry) << "one of three";
  cluster.step(1, Spread{});
  cluster.settle();
  EXPECT_GE(cluster.raft(1).commit_index(), entry);
  const LogIndex next = cluster.propose(1, "b").index;
  cluster.settle();
  EXPECT_GE(cluster.raft(1).commit_index(), next) << "the two followers are the quorum, so both are needed";
}

TEST_F(Thrift, FiveVotersNeedTwoOthersAndALearnerIsNeverNeeded) {
  Cluster::Options with_learner = options(6);
  with_learner.members.back().voter = false;
  with_learner.members.back().learner = true;
  Cluster cluster(with_learner);
  lead(cluster);
  const LogIndex entry = cluster.propose(1, "a").index;
  cluster.settle();
  EXPECT_GE(cluster.raft(1).commit_index(), entry);
  int reached = 0;
  for (std::uint64_t id = 2; id <= 5; ++id) reached += has(cluster, id, entry) ? 1 : 0;
  EXPECT_EQ(reached, 2);
  EXPECT_FALSE(has(cluster, 6, entry));
  cluster.tick(1, cluster.raft(1).config().heartbeat_ticks);
  cluster.settle();
  for (std::uint64_t id = 2; id <= 6; ++id)
    EXPECT_TRUE(has(cluster, id, entry)) << "a heartbeat brings it, node " << id;
}

TEST_F(Thrift, LargeEntriesWaitForNobody) {
  Cluster cluster(options(3));
  lead(cluster);
  const LogIndex entry = cluster.propose(1, std::string(1001, 'x')).index;
  cluster.settle();
  EXPECT_TRUE(has(cluster, 2, entry));
  EXPECT_TRUE(has(cluster, 3, entry));
}

TEST_F(Thrift, AReadRoundAsksTheFewestAndEverybodyWhenLate) {
  Cluster cluster(options(3));
  lead(cluster);
  cluster.read(1, 7);
  ASSERT_EQ(cluster.network().size(), 1U);
  EXPECT_EQ(cluster.network().front().to, NodeId{2});
  cluster.settle();
  ASSERT_EQ(cluster.read_results.size(), 1U);

  cluster.isolate(2);
  cluster.read(1, 8);
  cluster.settle();
  EXPECT_EQ(cluster.read_results.size(), 1U);
  cluster.tick(1, 2);  // the first sees it begun, the second sees it late
  cluster.settle();
  ASSERT_EQ(cluster.read_results.size(), 2U);
  EXPECT_TRUE(cluster.read_results.back().index.has_value());
}

TEST_F(Thrift, AFollowerThatReadsIsKeptFresh) {
  Cluster cluster(options(3));
  lead(cluster);
  const LogIndex entry = cluster.propose(1, "a").index;
  cluster.settle();
  ASSERT_FALSE(has(cluster, 3, entry));
  cluster.read(3, 9);
  cluster.settle();
  ASSERT_EQ(cluster.read_results.size(), 1U);
  EXPECT_TRUE(has(cluster, 3, entry)) << "it can answer at once";
}

TEST_F(Thrift, LeadershipGoesToOneThatWasHeldBack) {
  Cluster cluster(options(3));
  lead(cluster);
  static_cast<void>(cluster.propose(1, "a"));
  cluster.settle();
  cluster.step(1, TransferLeadership{NodeId{3}});
  cluster.settle();
  EXPECT_EQ(cluster.leader(), 1U);
  cluster.step(1, Spread{});
  cluster.settle();
  EXPECT_EQ(cluster.leader(), 3U);
}

}  // namespace
}  // namespace redraft::raft::testing
