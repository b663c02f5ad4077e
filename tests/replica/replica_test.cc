// The production Replica under virtual time, one story per test: what a client is told, in which order, and when.

#include <gtest/gtest.h>

#include <deque>
#include <memory>

#include "tests/replica/story.h"

namespace redraft::sim {
namespace {

// Pitfall H1: replies in the order of the requests, each to its own client, whatever path each takes.
TEST_F(ReplicaTest, H1MixedPipelinesAreAnsweredInOrder) {
  begin(3);
  Talker a(*world_, leader().id());
  Talker b(*world_, leader().id());
  a.say({{"SET", "k", "1"}, {"GET", "k"}, {"PING"}, {"INCR", "k"}, {"NOSUCH"}, {"GET", "k"}, {"ECHO", "x"}});
  b.say({{"SET", "other", "b"}, {"PING", "b"}, {"GET", "other"}});
  EXPECT_EQ(a.hear(7),
            "+OK\r\n$1\r\n1\r\n+PONG\r\n:2\r\n-ERR unknown command 'NOSUCH', with args beginning with: \r\n"
            "$1\r\n2\r\n$1\r\nx\r\n");
  EXPECT_EQ(b.hear(3), "+OK\r\n$1\r\nb\r\n$1\r\nb\r\n");
}

TEST_F(ReplicaTest, AFollowerRedirectsAndAFormerMinorityIsDown) {
  begin(3);
  Talker client(*world_, follower());
  const std::string moved = client.ask({"SET", "foo", "bar"});
  EXPECT_EQ(moved, "-MOVED 12182 10.0.1." + std::to_string(leader().id()) + ":" + std::to_string(7000 + leader().id()) +
                       "\r\n");
  isolate(follower(), 3);
  world_->run_for(2'000'000);
  const std::uint64_t before = world_->schedule().now_us();
  client.say({{"GET", "foo"}});
  EXPECT_EQ(client.hear(1), "-CLUSTERDOWN The cluster is down\r\n");
  EXPECT_GE(world_->schedule().now_us() - before, 1'000'000U) << "parked for leaderless-wait first";
}

TEST_F(ReplicaTest, ReadonlyAFollowerServesReadsAtTheLeadersIndex) {
  begin(3);
  Talker writer(*world_, leader().id());
  Talker reader(*world_, follower());
  EXPECT_EQ(reader.ask({"READONLY"}), "+OK\r\n");
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(writer.ask({"SET", "k", std::to_string(i)}), "+OK\r\n");
    EXPECT_EQ(reader.ask({"GET", "k"}),
              "$" + std::to_string(std::to_string(i).size()) + "\r\n" + std::to_string(i) + "\r\n");
  }
}

// Pitfall H2: a transaction is one entry; errors while queueing discard it, WATCH sees every change.
TEST_F(ReplicaTest, H2TransactionsAndWatch) {
  begin(3);
  Talker a(*world_, leader().id());
  Talker b(*world_, leader().id());
  a.say({{"MULTI"}, {"MULTI"}, {"SET", "x", "1"}, {"INCR", "x"}, {"GET", "x"}, {"EXEC"}});
  EXPECT_EQ(a.hear(6),
            "+OK\r\n-ERR MULTI calls can not be nested\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n"
            "*3\r\n+OK\r\n:2\r\n$1\r\n2\r\n");
  a.say({{"MULTI"}, {"GET"}, {"EXEC"}});
  EXPECT_TRUE(a.hear(3).ends_with("-EXECABORT Transaction discarded because of previous errors.\r\n"));
  a.say({{"WATCH", "x"}, {"GET", "x"}});
  EXPECT_EQ(a.hear(2), "+OK\r\n$1\r\n2\r\n");
  EXPECT_EQ(b.ask({"SET", "x", "9"}), "+OK\r\n");
  a.say({{"MULTI"}, {"SET", "x", "3"}, {"EXEC"}});
  EXPECT_EQ(a.hear(3), "+OK\r\n+QUEUED\r\n*-1\r\n");
  EXPECT_EQ(a.ask({"GET", "x"}), "$1\r\n9\r\n");
}

TEST_F(ReplicaTest, BlockingPopsAreServedInOrderAcrossSessions) {
  begin(3);
  Talker first(*world_, leader().id());
  Talker second(*world_, leader().id());
  Talker pusher(*world_, leader().id());
  first.say({{"BLPOP", "q", "0"}, {"PING"}});
  world_->run_for(50'000);
  second.say({{"BLPOP", "q", "0.3"}});
  world_->run_for(50'000);
  EXPECT_EQ(first.heard(), "");
  EXPECT_EQ(pusher.ask({"RPUSH", "q", "a"}), ":1\r\n");
  EXPECT_EQ(first.hear(2), "*2\r\n$1\r\nq\r\n$1\r\na\r\n+PONG\r\n");
  EXPECT_EQ(second.hear(1), "*-1\r\n");
  EXPECT_EQ(pusher.ask({"LLEN", "q"}), ":0\r\n");
}

// Pitfall H4: a client that is gone takes nothing, and its write stands.
TEST_F(ReplicaTest, H4AClientThatIsGoneTakesNoElement) {
  begin(3);
  Talker gone(*world_, leader().id());
  gone.say({{"INCR", "n"}, {"BLPOP", "q", "0"}});
  world_->run_for(50'000);
  gone.hang_up();
  world_->run_for(50'000);
  Talker other(*world_, leader().id());
  EXPECT_EQ(other.ask({"RPUSH", "q", "kept"}), ":1\r\n");
  EXPECT_EQ(other.ask({"LRANGE", "q", "0", "-1"}), "*1\r\n$4\r\nkept\r\n");
  EXPECT_EQ(other.ask({"GET", "n"}), "$1\r\n1\r\n");
}

// A lone command leaves at once; under load one sync carries many commands.
TEST_F(ReplicaTest, CommandsGatherInBatchesAndSyncsAreShared) {
  begin(3);
  std::vector<std::unique_ptr<Talker>> clients;
  for (int i = 0; i < 50; ++i) clients.push_back(std::make_unique<Talker>(*world_, leader().id()));
  const std::uint64_t entries = leader().replica().raft()->last_index().value;
  const std::uint64_t syncs = leader().disk_batches;
  for (int round = 0; round < 20; ++round) {
    for (auto& client : clients) client->say({{"INCR", "n"}});
    for (auto& client : clients) static_cast<void>(client->hear(1));
  }
  const std::uint64_t batches = leader().replica().raft()->last_index().value - entries;
  EXPECT_EQ(clients[0]->ask({"GET", "n"}), "$4\r\n1000\r\n");
  EXPECT_LT(batches, 300U) << "1000 commands";
  EXPECT_LE(leader().disk_batches - syncs, batches + 50);
}

// Pitfall B10: a leader that is asked to remove itself hands over, and may hear of its removal from its peers before it
// sees that committed.
TEST_F(ReplicaTest, B10ALeaderThatForgetsItselfSaysSo) {
  begin(3);
  const std::uint64_t old = leader().id();
  Talker client(*world_, old);
  const std::string id = client.ask({"CLUSTER", "MYID"}).substr(5, 40);
  client.say({{"CLUSTER", "FORGET", id}});
  ASSERT_TRUE(world_->run_until(5'000'000, [&] {
    return world_->leader() != nullptr && !leader().replica().raft()->configuration().is_voter(raft::NodeId{old});
  }));
  for (std::uint64_t other = 1; other <= 3; ++other) {
    if (other != old) world_->network().cut(other, old);
  }
  ASSERT_TRUE(world_->run_until(5'000'000, [&] {
    return world_->leader() != nullptr &&
           !leader().replica().raft()->committed_configuration().contains(raft::NodeId{old});
  }));
  for (std::uint64_t other = 1; other <= 3; ++other) {
    if (other != old) world_->network().reset_links(other, old);
  }
  world_->network().heal_all();
  EXPECT_EQ(client.hear(1), "+OK\r\n");
}

// Pitfall B10: what may still commit is never called "not executed".
TEST_F(ReplicaTest, B10AWriteOfALostLeaderIsInDoubt) {
  begin(3);
  const std::uint64_t old = leader().id();
  Talker client(*world_, old);
  EXPECT_EQ(client.ask({"SET", "k", "v"}), "+OK\r\n");
  isolate(old, 3);
  client.say({{"INCR", "n"}});
  EXPECT_TRUE(client.hear(1, 20'000'000).starts_with("-INDOUBT outcome unknown")) << "after 2 s without a verdict";
  world_->network().heal_all();
  await_leader();
}

TEST_F(ReplicaTest, B10AnOverwrittenWriteIsRefusedOnceThatIsCommitted) {
  begin(3);
  const std::uint64_t old = leader().id();
  Talker client(*world_, old);
  isolate(old, 3);
  client.say({{"INCR", "n"}});
  // The others elect one of them, whose first entry takes the place; healed before the doubt begins.
  ASSERT_TRUE(world_->run_until(5'000'000, [&] {
    return world_->leader() != nullptr && leader().id() != old && leader().replica().raft()->has_committed_in_term();
  }));
  world_->network().heal_all();
  EXPECT_TRUE(client.hear(1).starts_with("-MOVED "));
  Talker other(*world_, leader().id());
  EXPECT_EQ(other.ask({"GET", "n"}), "$-1\r\n");
}

TEST_F(ReplicaTest, ValuesLargerThanAnEntryTravelInFragments) {
  begin(3);
  Talker client(*world_, leader().id());
  const std::string value(3'500'000, 'v');
  client.say({{"SET", "big", value}, {"STRLEN", "big"}, {"INCR", "n"}});
  EXPECT_EQ(client.hear(3), "+OK\r\n:3500000\r\n:1\r\n");
  EXPECT_TRUE(world_->run_until(10'000'000, [this] { return world_->at_rest(); }));
  EXPECT_EQ(world_->observer.same_state(world_->node_list()), std::nullopt);
}

// Found by redraft-sim: a new leader with its predecessor's uncommitted megabytes refused the first fragment and took
// the rest. The bound is kept without refusing anything, and reads go on (pitfall B8).
TEST_F(ReplicaTest, B8BackPressureHoldsWritesAndNothingElse) {
  Plan plan = plan_of(3);
  plan.client_memory = 64 << 10;
  begin(plan);
  std::vector<std::unique_ptr<Talker>> clients;
  for (int i = 0; i < 8; ++i) clients.push_back(std::make_unique<Talker>(*world_, leader().id()));
  for (int i = 0; i < 8; ++i) {
    std::vector<Command> commands;
    for (int j = 0; j < 40; ++j) commands.push_back({"APPEND", "k" + std::to_string(i), std::string(8'000, 'x')});
    clients[static_cast<std::size_t>(i)]->say(commands);
  }
  Talker reader(*world_, leader().id());
  EXPECT_EQ(reader.ask({"PING"}), "+PONG\r\n");
  for (auto& client : clients) EXPECT_TRUE(client->hear(40).ends_with(":320000\r\n"));
}

// Found by redraft-sim --aim elections: what a leader had proposed is cut off by another one's log, and the node leads
// again before the doubt is told. Its new batches stand where the old ones stood (pitfall B10).
TEST_F(ReplicaTest, B10ALeaderThatComesBackDoubtsWhatWasCutOff) {
  begin(3);
  const std::uint64_t first = leader().id();
  Network& network = world_->network();
  const auto between = [&](std::uint64_t a, std::uint64_t b, void (Network::*what)(std::uint64_t, std::uint64_t)) {
    (network.*what)(a, b);
    (network.*what)(b, a);
  };
  for (std::uint64_t id = 1; id <= 3; ++id) between(first, id, &Network::cut);
  Talker lost(*world_, first);
  for (int i = 0; i < 8; ++i) {
    lost.say({{"INCR", "lost"}});
    world_->run_for(2'000);
  }
  ASSERT_TRUE(world_->run_until(10'000'000, [&] {
    const Node* leads = world_->leader();
    return leads != nullptr && leads->id() != first;
  }));
  const std::uint64_t second = leader().id();
  const std::uint64_t third = 6 - first - second;
  between(second, third, &Network::cut);
  between(first, second, &Network::heal);
  Talker writer(*world_, second);
  EXPECT_EQ(writer.ask({"SET", "k", "v"}), "+OK\r\n");
  // Only the first node has a log that wins.
  world_->node(second).kill();
  between(first, third, &Network::heal);
  ASSERT_TRUE(world_->run_until(10'000'000, [&] { return world_->node(first).leads(); }));
  Talker again(*world_, first);
  EXPECT_EQ(again.ask({"INCR", "n"}), ":1\r\n");
  EXPECT_NE(lost.hear(8).find("-INDOUBT"), std::string::npos);
  EXPECT_EQ(again.ask({"GET", "lost"}), "$-1\r\n");
}

// Pitfalls C6, I1: followers apply, and a new leader answers only when everything older is applied.
TEST_F(ReplicaTest, C6I1EverythingIsThereAfterEveryFailover) {
  begin(3);
  std::deque<Talker> clients;  // their connections end after their last word
  for (int i = 1; i <= 6; ++i) {
    Talker& client = clients.emplace_back(*world_, leader().id());
    EXPECT_EQ(client.ask({"INCR", "n"}), ":" + std::to_string(i) + "\r\n");
    Node& old = leader();
    old.kill();
    ASSERT_TRUE(world_->run_until(10'000'000, [&] { return world_->leader() != nullptr; }));
    Talker& reader = clients.emplace_back(*world_, leader().id());
    EXPECT_EQ(reader.ask({"GET", "n"}), "$1\r\n" + std::to_string(i) + "\r\n");
    old.start();
    await_leader();
  }
  for (Node* node : world_->node_list()) node->cut_power();
  world_->start_all();
  await_leader();
  Talker client(*world_, leader().id());
  EXPECT_EQ(client.ask({"GET", "n"}), "$1\r\n6\r\n");
}

TEST_F(ReplicaTest, AFollowerThatWasAwayTooLongGetsASnapshot) {
  Plan plan = plan_of(3);
  plan.snapshot_entries = 20;
  plan.tail_entries = 5;
  begin(plan);
  Node& away = world_->node(follower());
  away.kill();
  Talker client(*world_, leader().id());
  for (int i = 0; i < 200; ++i) static_cast<void>(client.ask({"RPUSH", "list", std::to_string(i)}));
  EXPECT_GT(leader().replica().raft()->first_index().value, 100U) << "the log behind the snapshot is gone";
  away.start();
  EXPECT_TRUE(world_->run_until(20'000'000, [this] { return world_->at_rest(); }));
  EXPECT_EQ(world_->observer.same_state(world_->node_list()), std::nullopt);
  EXPECT_GT(away.replica().raft()->snapshot_index().value, 0U);
}

// Pitfall B10: a snapshot holds what was popped, and does not say for whom.
TEST_F(ReplicaTest, B10AWaiterThatMeetsASnapshotIsInDoubt) {
  Plan plan = plan_of(3);
  plan.snapshot_entries = 20;
  plan.tail_entries = 5;
  begin(plan);
  const std::uint64_t old = leader().id();
  Talker waiter(*world_, old);
  Talker pusher(*world_, old);
  waiter.say({{"BLPOP", "q", "0"}});
  EXPECT_EQ(pusher.ask({"SET", "k", "v"}), "+OK\r\n");
  // The old leader is heard and hears nobody: what it proposes now is committed without it.
  for (std::uint64_t id = 1; id <= 3; ++id) {
    if (id != old) world_->network().cut(id, old);
  }
  pusher.say({{"RPUSH", "q", "x"}});
  ASSERT_TRUE(world_->run_until(10'000'000, [&] {
    const Node* leads = world_->leader();
    return leads != nullptr && leads->id() != old;
  }));
  Talker client(*world_, leader().id());
  EXPECT_EQ(client.ask({"LLEN", "q"}), ":0\r\n") << "the log served it";
  for (int i = 0; i < 100; ++i) static_cast<void>(client.ask({"RPUSH", "list", std::to_string(i)}));
  world_->network().heal_all();
  EXPECT_TRUE(waiter.hear(1).starts_with("-INDOUBT outcome unknown"));
  EXPECT_GT(world_->node(old).replica().raft()->snapshot_index().value, 0U);
}

TEST_F(ReplicaTest, ASingleNodeServesAndComesBackFromAPowerCut) {
  begin(1);
  Talker client(*world_, 1);
  EXPECT_EQ(client.ask({"SET", "k", "v"}), "+OK\r\n");
  world_->node(1).cut_power();
  world_->node(1).start();
  await_leader();
  Talker again(*world_, 1);
  EXPECT_EQ(again.ask({"GET", "k"}), "$1\r\nv\r\n");
}

}  // namespace
}  // namespace redraft::sim
