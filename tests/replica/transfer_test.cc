// A snapshot on its way to a follower, with the way cut in its middle (pitfalls E3, E5, E7).

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <string>

#include "tests/replica/story.h"

namespace redraft::sim {
namespace {

constexpr std::size_t kPiece = std::size_t{512} << 10;

class TransferTest : public ReplicaTest {
 protected:
  // A follower that was away while the leader's log went on without it, and 20 MB for it.
  void begin_with_one_behind() {
    Plan plan = plan_of(3);
    plan.snapshot_entries = 1000;  // one is taken when the story says so
    plan.tail_entries = 1;
    begin(plan);
    behind_ = follower();
    world_->node(behind_).kill();
    Talker client(*world_, leader().id());
    for (int i = 0; i < 42; ++i) ASSERT_EQ(client.ask({"SET", "key:" + std::to_string(i), noise()}), "+OK\r\n");
    // The other follower has one of an earlier index.
    Talker other(*world_, 6 - leader().id() - behind_);
    ASSERT_EQ(other.ask({"SAVE"}), "+OK\r\n");
    ASSERT_EQ(client.ask({"SET", "last", "1"}), "+OK\r\n");
    ASSERT_EQ(client.ask({"SAVE"}), "+OK\r\n");
    other.hang_up();
    client.hang_up();
    world_->run_for(3'000'000);
    ASSERT_GT(leader().replica().raft()->log().first_index().value, 20u);
  }
  std::string noise() {
    std::string bytes(500'000, '\0');
    for (char& byte : bytes) {
      state_ = state_ * 6364136223846793005u + 1442695040888963407u;
      byte = static_cast<char>('a' + (state_ >> 33) % 26);
    }
    return bytes;
  }
  [[nodiscard]] std::size_t received() {
    testing::FaultFileSystem& files = world_->node(behind_).files();
    for (const std::string& path : files.paths()) {
      if (path.ends_with(".part")) return files.content(path).size();
    }
    return 0;
  }
  // Of the whole snapshot, when it is here.
  [[nodiscard]] std::size_t size() {
    testing::FaultFileSystem& files = world_->node(behind_).files();
    std::size_t largest = 0;
    for (const std::string& path : files.paths()) {
      if (path.ends_with(".rsnap")) largest = std::max(largest, files.content(path).size());
    }
    return largest;
  }
  [[nodiscard]] bool receives(std::size_t bytes) {
    return world_->run_until(60'000'000, [&] { return received() >= bytes; });
  }
  // What the follower said was there when the transfer last began or went on.
  [[nodiscard]] std::uint64_t began_at() {
    std::uint64_t bytes = 0;
    for (const std::string& line : world_->node(behind_).log_lines) {
      if (line.find("Receiving the snapshot") == std::string::npos) continue;
      bytes = std::stoull(line.substr(line.find(": ", line.find("from node")) + 2));
    }
    return bytes;
  }
  [[nodiscard]] int installed() {
    int count = 0;
    for (const std::string& line : world_->node(behind_).log_lines) {
      count += line.find("Installed the snapshot") == std::string::npos ? 0 : 1;
    }
    return count;
  }
  void expect_equal_at_the_end() {
    ASSERT_TRUE(world_->run_until(60'000'000, [&] { return installed() > 0 && world_->at_rest(); }));
    world_->run_for(5'000'000);
    EXPECT_EQ(installed(), 1) << "and no chain of them";
    store::NoBreather none;
    EXPECT_EQ(world_->node(behind_).replica().store()->digest(none), leader().replica().store()->digest(none));
  }
  std::uint64_t behind_ = 0;
  std::uint64_t state_ = 1;
};

TEST_F(TransferTest, E7GoesOnWhereALinkBroke) {
  begin_with_one_behind();
  world_->node(behind_).start();
  ASSERT_TRUE(receives(8 * kPiece));
  const std::uint64_t leading = leader().id();
  world_->network().cut(leading, behind_);
  world_->network().reset_links(leading, behind_);
  world_->run_for(1'000'000);
  const std::size_t had = received();
  ASSERT_GE(had, 8 * kPiece);
  world_->node(leading).files().reset_counts();
  world_->network().heal_all();
  expect_equal_at_the_end();
  // Each piece sent is read from the file: what was there was not sent again.
  EXPECT_LT(world_->node(leading).files().count(testing::Operation::kRead), size() / kPiece - 4);
}

TEST_F(TransferTest, E7GoesOnWhereTheReceiverDied) {
  begin_with_one_behind();
  world_->node(behind_).start();
  ASSERT_TRUE(receives(8 * kPiece));
  world_->node(behind_).kill();
  const std::size_t had = received();
  world_->node(behind_).start();
  ASSERT_TRUE(receives(had + 2 * kPiece));
  // Behind the last whole chunk that verifies.
  EXPECT_GE(began_at() + 3 * kPiece, had);
  EXPECT_GE(began_at(), 5 * kPiece);
  expect_equal_at_the_end();
}

// Whoever leads next may have another file at another index: then it is that one's turn, once.
TEST_F(TransferTest, E5AnotherLeaderSendsItsOwn) {
  begin_with_one_behind();
  world_->node(behind_).start();
  ASSERT_TRUE(receives(8 * kPiece));
  world_->node(leader().id()).kill();
  world_->run_for(10'000);
  for (std::uint64_t id = 1; id <= 3; ++id) {
    if (!world_->node(id).up()) world_->node(id).start();
  }
  await_leader();
  expect_equal_at_the_end();
}

}  // namespace
}  // namespace redraft::sim
