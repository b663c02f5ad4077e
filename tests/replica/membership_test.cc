// Who may be promoted or removed, by the rules alone; the processes are redis-compat/membership's.
#include <gtest/gtest.h>

#include <algorithm>

#include "server/replica/member_rules.h"
#include "server/replica/settings.h"

namespace redraft::replica {
namespace {

using raft::LogIndex;
using raft::MemberChange;
using raft::MemberChangeKind;

raft::Configuration voters(std::uint64_t count, std::uint64_t learners = 0) {
  std::vector<raft::Member> members;
  for (std::uint64_t id = 1; id <= count + learners; ++id) {
    raft::Member member;
    member.id = raft::NodeId{id};
    member.incarnation = raft::Incarnation{100 + id};
    member.voter = id <= count;
    member.learner = !member.voter;
    members.push_back(member);
  }
  return raft::Configuration("test", std::move(members));
}

MemberChange change(MemberChangeKind kind, std::uint64_t id) {
  MemberChange change;
  change.kind = kind;
  change.member.id = raft::NodeId{id};
  return change;
}

Health without(std::vector<std::uint64_t> dead, std::vector<std::uint64_t> behind = {}) {
  const auto outside = [](std::vector<std::uint64_t> nodes) {
    return [nodes = std::move(nodes)](raft::NodeId id) { return std::ranges::find(nodes, id.value) == nodes.end(); };
  };
  return {outside(std::move(dead)), outside(std::move(behind))};
}

struct Case {
  const char* name;
  raft::Configuration now;
  std::vector<MemberChange> changes;
  Health health;
  const char* objection;  // part of it; empty: none
};

TEST(MemberRules, NoHealthyMajorityIsLeftBehind) {
  const auto kRemove = MemberChangeKind::kRemove;
  const auto kPromote = MemberChangeKind::kPromote;
  const Case cases[] = {
      {"a dead voter goes", voters(3), {change(kRemove, 3)}, without({3}), ""},
      {"a live one while another is dead", voters(3), {change(kRemove, 2)}, without({3}), "only 1 are heard of"},
      {"two of three, both alive", voters(3), {change(kRemove, 2), change(kRemove, 3)}, without({}), ""},
      {"the last voter", voters(1), {change(kRemove, 1)}, without({}), "no voter would be left"},
      {"the last voter, for a learner", voters(1, 1), {change(kRemove, 1), change(kPromote, 2)}, without({}), ""},
      {"pitfall D11: one is down and another comes", voters(3, 1), {change(kPromote, 4)}, without({3}), ""},
      {"one of two is down and another comes", voters(2, 1), {change(kPromote, 3)}, without({2}), ""},
      {"pitfall D7: one that never started", voters(1, 1), {change(kPromote, 2)}, without({2}, {2}), "not caught up"},
      {"a demoted one is not counted", voters(3), {change(MemberChangeKind::kDemote, 1)}, without({2}), "only 1"},
      {"a stranger", voters(3), {change(kRemove, 7)}, without({}), "node 7 is not a member"},
  };
  for (const Case& one : cases) {
    SCOPED_TRACE(one.name);
    const auto objection = objection_to(one.now, one.changes, one.health, false);
    const std::string text = objection.value_or("");
    EXPECT_EQ(text.empty(), *one.objection == '\0') << text;
    EXPECT_NE(text.find(one.objection), std::string::npos) << text;
  }
  // Force overrides health, and nothing else.
  EXPECT_FALSE(objection_to(voters(3), {change(kRemove, 2)}, without({3}), true));
  EXPECT_TRUE(objection_to(voters(1), {change(kRemove, 1)}, without({}), true));
}

// Thesis 4.2.1: a round that takes less than an election timeout; the first one always counts from its own begin.
TEST(MemberRules, CaughtUpByAShortRound) {
  CatchUp learner;
  constexpr std::uint64_t kTimeout_us = 1'000'000;
  EXPECT_FALSE(learner.advance(LogIndex{0}, LogIndex{1000}, 0, kTimeout_us));
  EXPECT_FALSE(learner.advance(LogIndex{999}, LogIndex{1500}, 2'900'000, kTimeout_us));
  EXPECT_FALSE(learner.advance(LogIndex{1000}, LogIndex{1600}, 3'000'000, kTimeout_us)) << "the round was too long";
  EXPECT_EQ(learner.round(), 2U);
  EXPECT_FALSE(learner.advance(LogIndex{1300}, LogIndex{1700}, 3'100'000, kTimeout_us));
  EXPECT_TRUE(learner.advance(LogIndex{1600}, LogIndex{1800}, 3'200'000, kTimeout_us));
}

TEST(MemberRules, JoinIsAnAddressOrWait) {
  EXPECT_EQ(parse_join("10.0.0.1:7001")->peer_port, 17001);
  EXPECT_EQ(parse_join("host:7001@9000")->peer_port, 9000);
  EXPECT_EQ(parse_join("[::1]:7001")->host, "::1");
  for (const char* none : {"wait", "host", ":7001", "host:0", "host:70000", "host:60000", "host:7001@", "host:7x"}) {
    EXPECT_FALSE(parse_join(none)) << none;
  }
}

}  // namespace
}  // namespace redraft::replica
