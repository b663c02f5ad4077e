// How a cluster begins, and how its nodes find each other again, whenever somebody is cut off meanwhile (pitfall I3).

#include "tests/replica/story.h"

namespace redraft::sim {
namespace {

class FoundingTest : public ReplicaTest {
 protected:
  // Ends the process at that moment of its life, in one of two ways, and starts it again.
  void cut_off(std::uint64_t node, std::uint64_t moment_us) {
    world_->run_for(moment_us);
    if (moment_us % 500 == 0) {
      world_->node(node).cut_power();
    } else {
      world_->node(node).kill();
    }
  }
};

TEST_F(FoundingTest, I3AClusterFormsWheneverItsFounderIsCutOff) {
  for (std::uint64_t moment_us = 0; moment_us < 40'000; moment_us += 250) {
    Plan plan = plan_of(3);
    plan.seed = 7;
    world_ = std::make_unique<World>(plan);
    world_->start_all();
    cut_off(1, moment_us);
    world_->node(1).start();
    ASSERT_TRUE(world_->run_until(20'000'000, [this] { return world_->at_rest(); })) << "cut at " << moment_us << " us";
  }
}

// Found by redraft-sim --first 404416: the process ended when the vote file had the first term and the log nothing.
TEST_F(FoundingTest, I3ASingleNodeFormsItsClusterWheneverItIsCutOff) {
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    for (std::uint64_t moment_us = 0; moment_us < 10'000; moment_us += 250) {
      Plan plan = plan_of(1);
      plan.seed = seed;
      world_ = std::make_unique<World>(plan);
      world_->start_all();
      cut_off(1, moment_us);
      world_->node(1).start();
      ASSERT_TRUE(world_->run_until(10'000'000, [this] { return world_->at_rest(); }))
          << "cut at " << moment_us << " us of seed " << seed;
    }
  }
}

// A directory that was to found or form a cluster of its own, and never did, is told to join one: it founds nothing.
TEST_F(FoundingTest, ADirectoryThatNeverFormedItsClusterJoinsAnother) {
  std::uint64_t joined = 0;
  for (std::uint64_t moment_us = 0; moment_us < 12'000; moment_us += 500) {
    Plan plan = plan_of(1);
    plan.spares = 1;
    begin(plan);
    Node& node = world_->node(2);
    node.start();
    world_->run_for(moment_us);
    const bool formed = node.member() != 0;
    node.kill();
    if (formed) break;
    node.settings().values().join = "10.0.1.1:7001@17001";
    node.start();
    ASSERT_TRUE(world_->run_until(20'000'000,
                                  [&] {
                                    return node.up() && node.member() != 0 &&
                                           world_->node(1).replica().raft()->committed_configuration().contains(
                                               raft::NodeId{node.member()});
                                  }))
        << "killed at " << moment_us << " us";
    EXPECT_FALSE(node.leads());
    ++joined;
  }
  EXPECT_GT(joined, 5U);
}

// Found by redraft-sim --first 402144: the machine loses power in mid-handshake, so the link stays up on the other side
// until somebody would send on it, and nobody does.
TEST_F(FoundingTest, ALinkThatDiedInMidHandshakeIsDialledAnew) {
  for (std::uint64_t moment_us = 6'000; moment_us < 16'000; moment_us += 250) {
    begin(3);
    const std::uint64_t node = follower();
    const std::uint64_t other = 6 - leader().id() - node;
    const std::uint64_t leads = leader().id();
    world_->node(node).kill();
    world_->node(other).kill();
    world_->node(node).start();
    world_->run_for(moment_us);
    world_->node(leads).cut_power();
    world_->node(leads).start();
    ASSERT_TRUE(world_->run_until(5'000'000, [this] { return world_->leader() != nullptr; }))
        << "cut at " << moment_us << " us";
  }
}

}  // namespace
}  // namespace redraft::sim
