// Disks that fail under a living cluster, in virtual time: repair from peers, full disks, stuck disks (storage-faults
// rows 2, 7, 8, 9, 18).

#include <gtest/gtest.h>

#include <memory>

#include "raft/raft.h"
#include "server/replica/session.h"
#include "tests/sim/world.h"

namespace redraft::sim {
namespace {

// One connection that says exactly what the test wants.
class Caller final : public ClientEnd {
 public:
  Caller(World& world, std::uint64_t node) : world_(world), node_(world.node(node)) {
    number_ = node_.client_connects(*this, 1);
  }
  void say(const Command& command) { node_.client_sends(number_, encode(command)); }
  std::string hear(std::uint64_t bound_us = 10'000'000) {
    EXPECT_TRUE(world_.run_until(bound_us, [&] { return heard_.ends_with("\r\n"); })) << heard_;
    return std::exchange(heard_, {});
  }
  std::string ask(const Command& command) {
    say(command);
    return hear();
  }
  void on_bytes(std::uint64_t, std::string_view bytes) override { heard_ += bytes; }
  void on_closed(std::uint64_t) override {}

 private:
  World& world_;
  Node& node_;
  std::uint64_t number_ = 0;
  std::string heard_;
};

class RepairTest : public ::testing::Test {
 protected:
  void begin(Plan plan = {}) {
    plan.nodes = 3;
    plan.clients = 0;
    plan.election_timeout_ms = 300;
    plan.heartbeat_ms = 50;
    world_ = std::make_unique<World>(plan);
    world_->observer.disks_rot = true;
    world_->start_all();
    await_leader();
  }
  void TearDown() override { EXPECT_EQ(world_->broken(), std::nullopt); }
  void await_leader() {
    ASSERT_TRUE(world_->run_until(20'000'000, [this] {
      return world_->leader() != nullptr && world_->leader()->replica().raft()->has_committed_in_term();
    })) << world_->broken().value_or("no leader");
    world_->run_for(200'000);
  }
  Node& leader() {
    ensure(world_->leader() != nullptr, "somebody leads");
    return *world_->leader();
  }
  std::uint64_t follower(std::uint64_t nth = 0) {
    for (std::uint64_t id = 1; id <= 3; ++id) {
      if (id != leader().id() && nth-- == 0) return id;
    }
    return 0;
  }
  // Lives as long as the world, which tells it of closed connections.
  Caller& call(std::uint64_t node) {
    callers_.push_back(std::make_unique<Caller>(*world_, node));
    return *callers_.back();
  }
  void write(int from, int to) {
    Caller& client = call(leader().id());
    for (int i = from; i < to; ++i) {
      ASSERT_EQ(client.ask({"SET", "key:" + std::to_string(i), std::to_string(i) + std::string(100, 'v')}), "+OK\r\n");
    }
  }
  // The middle of the record that sets this key, in the log of a node that is down.
  void ruin_record_of(std::uint64_t node, int key) {
    const std::string needle = "key:" + std::to_string(key);
    testing::FaultFileSystem& files = world_->node(node).files();
    int found = 0;
    for (const std::string& path : files.paths()) {
      const std::size_t at = files.content(path).find(needle);
      if (at == std::string::npos || path.find(".wal") == std::string::npos) continue;
      files.flip_bit(path, (at + 1) * 8);
      ++found;
    }
    ASSERT_GT(found, 0);
  }
  [[nodiscard]] bool heard(std::uint64_t node, const std::string& what) {
    for (const std::string& line : world_->node(node).log_lines) {
      if (line.find(what) != std::string::npos) return true;
    }
    return false;
  }
  [[nodiscard]] bool votes(std::uint64_t node) {
    const raft::Raft* raft = world_->node(node).up() ? world_->node(node).replica().raft() : nullptr;
    return raft != nullptr && raft->may_vote();
  }
  [[nodiscard]] bool in_repair(std::uint64_t node) {
    const raft::Raft* raft = world_->node(node).up() ? world_->node(node).replica().raft() : nullptr;
    return raft != nullptr && !raft->may_vote();
  }
  static std::string digest(Node& node) {
    store::NoBreather none;
    return node.replica().store()->digest(none);
  }
  std::uint64_t term() { return leader().replica().raft()->term().value; }
  std::vector<std::unique_ptr<Caller>> callers_;
  std::unique_ptr<World> world_;
};

// Row 2: the leader keeps its term, nobody's write is disturbed, and the node votes again.
TEST_F(RepairTest, ADamagedFollowerIsRepairedUnderLoad) {
  begin();
  write(0, 60);
  world_->run_for(500'000);
  const std::uint64_t hurt = follower();
  const std::uint64_t before = term();
  world_->node(hurt).kill();
  ruin_record_of(hurt, 20);
  world_->node(hurt).start();
  write(60, 90);
  ASSERT_TRUE(world_->run_until(10'000'000, [&] { return votes(hurt); }));
  EXPECT_TRUE(heard(hurt, "lacks entry"));
  EXPECT_TRUE(heard(hurt, "it votes and counts"));
  EXPECT_EQ(term(), before);
  // And it counts: with the other follower gone it makes the majority.
  world_->node(follower(follower() == hurt ? 1 : 0)).kill();
  write(90, 95);
  world_->run_for(1'000'000);
  EXPECT_EQ(digest(world_->node(hurt)), digest(leader()));
}

// The acknowledged write is on the leader and on the node that then loses it. While the leader is down the third node,
// which lacks the write, must not be elected with the help of the damaged one.
TEST_F(RepairTest, ANodeWithAHoleElectsNobody) {
  begin();
  write(0, 10);
  const std::uint64_t hurt = follower(0);
  const std::uint64_t behind = follower(1);
  const std::uint64_t first = leader().id();
  for (const std::uint64_t other : {hurt, first}) {
    world_->network().cut(behind, other);
    world_->network().cut(other, behind);
  }
  write(10, 20);
  world_->run_for(500'000);
  world_->node(hurt).kill();
  world_->node(first).kill();
  ruin_record_of(hurt, 15);
  world_->node(hurt).start();
  for (const std::uint64_t other : {hurt, first}) {
    world_->network().heal(behind, other);
    world_->network().heal(other, behind);
  }
  world_->run_for(10'000'000);
  EXPECT_TRUE(in_repair(hurt));
  EXPECT_EQ(world_->leader(), nullptr);
  world_->node(first).start();
  await_leader();
  ASSERT_TRUE(world_->run_until(10'000'000, [&] { return votes(hurt); }));
  Caller& client = call(leader().id());
  EXPECT_EQ(client.ask({"EXISTS", "key:9", "key:15", "key:19"}), ":3\r\n");
}

// Row 9: without any snapshot that verifies, and a log that begins behind them, the leader sends one.
TEST_F(RepairTest, ANodeWithoutSnapshotGetsOne) {
  Plan plan;
  plan.snapshot_entries = 20;
  plan.tail_entries = 5;
  begin(plan);
  write(0, 80);
  world_->run_for(2'000'000);
  const std::uint64_t hurt = follower();
  world_->node(hurt).kill();
  testing::FaultFileSystem& files = world_->node(hurt).files();
  int ruined = 0;
  for (const std::string& path : files.paths()) {
    if (path.find("/snapshot/") == std::string::npos) continue;
    files.flip_bit(path, 8 * 100);
    ++ruined;
  }
  ASSERT_GT(ruined, 0);
  world_->node(hurt).start();
  ASSERT_TRUE(world_->run_until(20'000'000, [&] { return votes(hurt); }));
  write(80, 85);
  world_->run_for(1'000'000);
  world_->run_for(1'000'000);
  EXPECT_EQ(digest(world_->node(hurt)), digest(leader()));
}

// Row 7: only the followers' disks are full. The write under way is in doubt after the bound, further ones get a
// definite error, reads go on, and all of it ends when there is room.
TEST_F(RepairTest, FullDisksOfTheFollowersAreTold) {
  begin();
  write(0, 5);
  for (const std::uint64_t node : {follower(0), follower(1)}) {
    world_->node(node).files().fail_always(testing::Operation::kWrite, testing::Fault::kNoSpace, ".wal");
  }
  Caller& client = call(leader().id());
  const std::uint64_t began = world_->schedule().now_us();
  EXPECT_TRUE(client.ask({"SET", "doubtful", "1"}).starts_with("-INDOUBT"));
  EXPECT_LT(world_->schedule().now_us() - began, 3'000'000U);
  EXPECT_TRUE(client.ask({"SET", "refused", "1"}).starts_with("-MISCONF"));
  EXPECT_EQ(client.ask({"EXISTS", "key:1"}), ":1\r\n");
  for (const std::uint64_t node : {follower(0), follower(1)}) world_->node(node).files().clear_faults();
  ASSERT_TRUE(world_->run_until(5'000'000, [&] {
    const raft::Raft& raft = *leader().replica().raft();
    return raft.commit_index() == raft.last_index();
  }));
  world_->run_for(50'000);
  EXPECT_EQ(client.ask({"SET", "after", "1"}), "+OK\r\n");
  EXPECT_EQ(client.ask({"EXISTS", "doubtful", "refused"}), ":1\r\n");
}

// Row 18: a short stall of the leader's disk changes nothing, a long one ends its leadership, and writes go on.
TEST_F(RepairTest, AStuckDiskLosesTheLeadershipAndAShortStallDoesNot) {
  begin();
  write(0, 5);
  const std::uint64_t before = term();
  const std::uint64_t stuck = leader().id();
  Caller& client = call(stuck);
  world_->node(stuck).stall_disk(true);
  EXPECT_EQ(client.ask({"SET", "key:6", "by the followers' disks"}), "+OK\r\n");
  world_->run_for(500'000);  // less than two election timeouts
  world_->node(stuck).stall_disk(false);
  world_->run_for(500'000);
  EXPECT_EQ(leader().id(), stuck);
  EXPECT_EQ(term(), before);
  world_->node(stuck).stall_disk(true);
  client.say({"SET", "key:7", "value"});
  ASSERT_TRUE(world_->run_until(3'000'000, [&] { return world_->leader() != nullptr && leader().id() != stuck; }));
  world_->run_for(500'000);
  write(8, 12);
  world_->node(stuck).stall_disk(false);
  world_->run_for(1'000'000);
  EXPECT_TRUE(votes(stuck));
}

}  // namespace
}  // namespace redraft::sim
