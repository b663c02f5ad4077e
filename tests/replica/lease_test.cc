// Reads by a lease (thesis 6.4.1) on the production Replica: what they save, and what ends them.
#include "tests/replica/story.h"

namespace redraft::sim {
namespace {

class LeaseTest : public ReplicaTest {
 protected:
  // Leases run for half an election timeout of 300 ms.
  void begin_with_leases() {
    Plan plan = plan_of(3);
    plan.leases = true;
    begin(plan);
    ASSERT_TRUE(lease_holds(leader()));
  }
  static bool lease_holds(Node& node) { return node.replica().raft()->lease_holds(node.monotonic_us()); }
};

TEST_F(LeaseTest, ReadsAskNobodyWhileItHolds) {
  begin_with_leases();
  Node& old = leader();
  Talker client(*world_, old.id());
  EXPECT_EQ(client.ask({"SET", "k", "v"}), "+OK\r\n");
  world_->run_for(60'000);
  isolate(old.id(), 3);
  client.say({{"GET", "k"}, {"MULTI"}, {"GET", "k"}, {"EXEC"}});
  EXPECT_EQ(client.hear(4, 20'000), "$1\r\nv\r\n+OK\r\n+QUEUED\r\n*1\r\n$1\r\nv\r\n");
  // Once it has ended a quorum is asked, and there is none.
  ASSERT_TRUE(world_->run_until(160'000, [&] { return !lease_holds(old); }));
  ASSERT_TRUE(old.leads());
  client.say({{"GET", "k"}});
  world_->run_for(20'000);
  EXPECT_EQ(client.heard(), "");
  world_->network().heal_all();
  await_leader();
}

// Pitfall C4: stopped with a read in its socket, while others are elected and change what it asks for.
TEST_F(LeaseTest, C4AProcessThatWasStoppedBelievesNone) {
  begin_with_leases();
  Node& old = leader();
  Talker client(*world_, old.id());
  EXPECT_EQ(client.ask({"SET", "k", "old"}), "+OK\r\n");
  old.pause();
  client.say({{"GET", "k"}});
  ASSERT_TRUE(world_->run_until(10'000'000, [&] { return world_->leader() != nullptr && leader().id() != old.id(); }));
  await_leader();
  Talker other(*world_, leader().id());
  EXPECT_EQ(other.ask({"SET", "k", "new"}), "+OK\r\n");
  old.resume();
  EXPECT_TRUE(client.hear(1).starts_with("-MOVED "));
}

// Whoever takes the setting away from a node starts it anew, perhaps just after it has promised.
TEST_F(LeaseTest, APromiseOutlivesTheSetting) {
  begin_with_leases();
  Node& voter = world_->node(follower());
  voter.kill();
  ASSERT_TRUE(voter.settings().set("read-mode", "read-index").ok());
  voter.start();
  ASSERT_TRUE(world_->run_until(1'000'000, [&] { return voter.up() && voter.replica().raft() != nullptr; }));
  EXPECT_EQ(voter.replica().raft()->config().lease_us, 0U);
  EXPECT_EQ(voter.replica().raft()->config().lease_longest_us, 150'000U);
  await_leader();
}

}  // namespace
}  // namespace redraft::sim
