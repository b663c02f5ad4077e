#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "raft/raft.h"
#include "server/replica/session.h"
#include "tests/sim/world.h"

// What the stories about the production Replica under virtual time share: a cluster of it, and clients that say exactly
// what a test wants.

namespace redraft::sim {

inline Plan plan_of(std::uint64_t nodes) {
  Plan plan;
  plan.nodes = nodes;
  plan.clients = 0;
  plan.election_timeout_ms = 300;
  plan.heartbeat_ms = 50;
  return plan;
}

// A client that says exactly what the test wants and shows exactly what came.
class Talker final : public ClientEnd {
 public:
  Talker(World& world, std::uint64_t node) : world_(world), node_(world.node(node)) {
    number_ = node_.client_connects(*this, 1);
  }
  void say(const std::string& bytes) { node_.client_sends(number_, bytes); }
  void say(const std::vector<Command>& commands) {
    std::string bytes;
    for (const Command& command : commands) bytes += encode(command);
    say(bytes);
  }
  void hang_up() { node_.client_closes(number_); }
  // Everything that came since the last call, once so many replies are there.
  std::string hear(std::size_t replies, std::uint64_t bound_us = 10'000'000) {
    EXPECT_TRUE(world_.run_until(bound_us, [&] { return count() >= replies; })) << heard_;
    return std::exchange(heard_, {});
  }
  std::string ask(const Command& command) {
    say({command});
    return hear(1);
  }
  [[nodiscard]] const std::string& heard() const { return heard_; }
  [[nodiscard]] bool closed() const { return closed_; }
  void on_bytes(std::uint64_t, std::string_view bytes) override { heard_ += bytes; }
  void on_closed(std::uint64_t) override { closed_ = true; }

 private:
  [[nodiscard]] std::size_t count() const {
    std::size_t begin = 0;
    std::size_t replies = 0;
    while (true) {
      const resp::ReplyRead read = resp::read_reply(std::string_view(heard_).substr(begin));
      if (read.outcome != resp::ReplyRead::Outcome::kReply) return replies;
      begin += read.consumed;
      ++replies;
    }
  }
  World& world_;
  Node& node_;
  std::uint64_t number_ = 0;
  std::string heard_;
  bool closed_ = false;
};

class ReplicaTest : public ::testing::Test {
 protected:
  void begin(std::uint64_t nodes) { begin(plan_of(nodes)); }
  void begin(const Plan& plan) {
    world_ = std::make_unique<World>(plan);
    world_->start_all();
    await_leader();
  }
  void await_leader() {
    ASSERT_TRUE(world_->run_until(20'000'000, [this] {
      return world_->leader() != nullptr && world_->leader()->replica().raft()->has_committed_in_term();
    })) << world_->broken().value_or("no leader");
    world_->run_for(200'000);
  }
  Node& leader() { return *world_->leader(); }
  std::uint64_t follower() { return leader().id() == 1 ? 2 : 1; }
  void isolate(std::uint64_t node, std::uint64_t nodes) {
    for (std::uint64_t other = 1; other <= nodes; ++other) {
      world_->network().cut(node, other);
      world_->network().cut(other, node);
    }
  }
  void TearDown() override { EXPECT_EQ(world_->broken(), std::nullopt); }
  std::unique_ptr<World> world_;
};

}  // namespace redraft::sim
