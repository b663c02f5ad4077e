// The audit: what one entry compares, what follows from the digests that came, and the life of a node whose state is
// not the majority's (architecture, section 6).

#include "server/replica/audit.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "server/store/store.h"
#include "tests/replica/story.h"

namespace redraft::replica {
namespace {

std::vector<std::string_view> views(const std::vector<std::string>& words) {
  return {words.begin(), words.end()};
}

AuditRange some_keys() {
  AuditRange range;
  range.kind = AuditRange::Kind::kKeys;
  range.from = {0, 17, 5};
  range.end = {2, 16383, ~std::uint64_t{0}};
  return range;
}

TEST(AuditWords, AreReadAsTheyWereWritten) {
  AuditRange part;
  part.kind = AuditRange::Kind::kPart;
  part.db = 3;
  part.name = std::string("with a space\0and a zero", 23);
  part.first = 1000;
  part.count = 1000;
  for (const AuditRange& range : {some_keys(), part, AuditRange{}}) {
    AuditVerdict verdict{.index = 77, .voters = 3, .range = range, .reports = {{1, true, "aa"}, {9, false, ""}}};
    const std::vector<std::string> words = verdict.words();
    const std::optional<AuditVerdict> read = AuditVerdict::read(views(words));
    ASSERT_TRUE(read.has_value());
    EXPECT_EQ(read->range, range);
    EXPECT_EQ(read->words(), words);
    // Cut anywhere, it is refused or tells of fewer reports.
    for (std::size_t size = 0; size < words.size(); ++size) {
      const std::vector<std::string> less(words.begin(), words.begin() + static_cast<std::ptrdiff_t>(size));
      if (const auto cut = AuditVerdict::read(views(less))) {
        EXPECT_LT(cut->reports.size(), 2u);
      }
    }
  }
  for (const auto& wrong :
       std::vector<std::vector<std::string>>{{"keys", "1", "2"}, {"keys", "1", "2", "x"}, {"all"}}) {
    const std::vector<std::string_view> words = views(wrong);
    std::span<const std::string_view> rest(words);
    EXPECT_FALSE(AuditRange::take(rest).has_value());
  }
}

TEST(AuditVerdict, FollowsFromTheReportsOfTheVoters) {
  using Outcome = AuditVerdict::Outcome;
  struct Row {
    std::uint64_t voters;
    std::vector<AuditReport> reports;
    Outcome outcome;
    std::string truth;
  };
  const std::vector<Row> rows{
      {3, {{1, true, "a"}, {2, true, "a"}, {3, true, "a"}}, Outcome::kAgreed, "a"},
      {3, {{1, true, "a"}, {2, true, "a"}}, Outcome::kAgreed, "a"},
      {3, {{1, true, "b"}, {2, true, "a"}, {3, true, "a"}}, Outcome::kMinority, "a"},
      {3, {{1, true, "a"}, {2, true, "b"}}, Outcome::kDisputed, ""},
      {3, {{1, true, "a"}, {2, true, "b"}, {3, true, "c"}}, Outcome::kDisputed, ""},
      {3, {{1, true, "a"}}, Outcome::kTooFew, ""},
      {3, {}, Outcome::kTooFew, ""},
      {2, {{1, true, "a"}, {2, true, "b"}}, Outcome::kDisputed, ""},
      // Learners are looked at and decide nothing.
      {3, {{1, true, "a"}, {2, true, "a"}, {4, false, "b"}}, Outcome::kMinority, "a"},
      {3, {{1, true, "a"}, {4, false, "a"}, {5, false, "a"}}, Outcome::kTooFew, ""},
      {1, {{1, true, "a"}, {4, false, "b"}, {5, false, "b"}}, Outcome::kMinority, "a"},
      {5, {{1, true, "a"}, {2, true, "a"}, {3, true, "b"}, {4, true, "b"}}, Outcome::kDisputed, ""},
  };
  for (const Row& row : rows) {
    const AuditVerdict verdict{.index = 1, .voters = row.voters, .range = {}, .reports = row.reports};
    EXPECT_EQ(verdict.outcome(), row.outcome);
    EXPECT_EQ(verdict.truth().value_or(""), row.truth);
  }
}

// One range at a time, each behind the last one's verdict; a follower's view lets a new leader go on in the middle.
TEST(Audit, APassGoesThroughEverythingOnce) {
  store::Store store({.databases = 2, .hash_seed = 3});
  store.begin_entry(1, 1);
  for (int i = 0; i < 4000; ++i) store.set_string(0, "key:" + std::to_string(i), "v", 0);
  store::Set& set = store.create_set(1, "large");
  for (int i = 0; i < 2500; ++i) set.add(std::to_string(i) + "x");
  Audit leader;
  Audit follower;
  leader.start(0);
  follower.start(0);
  EXPECT_FALSE(leader.next(1'000'000, 0, store, std::nullopt)) << "off, and nobody asked";
  leader.want_pass();
  std::uint64_t now_us = 0;
  std::uint64_t index = 1;
  std::vector<AuditRange> ranges;
  for (int i = 0; i < 100 && leader.passes == 0; ++i) {
    now_us += Audit::kPause_us;
    const auto range = leader.next(now_us, 0, store, std::nullopt);
    ASSERT_TRUE(range.has_value());
    EXPECT_FALSE(leader.next(now_us + 1'000'000, 0, store, std::nullopt)) << "one at a time";
    ranges.push_back(*range);
    leader.digested(++index, *range, "d", true, now_us);
    follower.digested(index, *range, "d", false, now_us);
    const auto expected = [] { return std::vector<std::uint64_t>{1, 2}; };
    leader.report(1, index, "d");
    EXPECT_EQ(leader.collected(now_us, expected), 0u);
    leader.report(2, index, "d");
    EXPECT_EQ(leader.collected(now_us, expected), index);
    const std::vector<std::pair<std::uint64_t, bool>> members{{1, true}, {2, true}, {3, true}};
    const AuditVerdict verdict = leader.take_verdict(members);
    EXPECT_EQ(leader.collected(now_us, expected), 0u);
    EXPECT_EQ(verdict.outcome(), AuditVerdict::Outcome::kAgreed);
    leader.decided(verdict, now_us);
    follower.decided(verdict, now_us);
    if (ranges.size() == 2) {
      const auto next = follower.next(now_us + Audit::kPause_us, 0, store, std::nullopt);
      ASSERT_TRUE(next.has_value());
      EXPECT_EQ(next->from, range->end) << "a new leader goes on there";
      follower.stand_down();
    }
  }
  EXPECT_EQ(leader.passes, 1u);
  EXPECT_EQ(follower.passes, 1u);
  std::size_t parts = 0;
  store::AuditPlace reached;
  for (const AuditRange& range : ranges) {
    if (range.kind == AuditRange::Kind::kPart) ++parts;
    if (range.kind != AuditRange::Kind::kKeys) continue;
    EXPECT_EQ(range.from, reached);
    reached = range.end;
  }
  EXPECT_EQ(reached, store.audit_end());
  EXPECT_EQ(parts, 3u);
  EXPECT_EQ(ranges.back().kind, AuditRange::Kind::kRest);
  EXPECT_FALSE(leader.next(now_us + 500'000, 1'000'000, store, std::nullopt));
  EXPECT_TRUE(leader.next(now_us + 2'000'000, 1'000'000, store, std::nullopt));
}

TEST(Audit, WhoDoesNotReportIsNotWaitedForForever) {
  store::Store store({.databases = 1});
  Audit audit;
  audit.start(0);
  audit.want_pass();
  const auto range = audit.next(100'000, 0, store, std::nullopt);
  audit.digested(2, *range, "d", true, 100'000);
  audit.report(1, 2, "d");
  const auto expected = [] { return std::vector<std::uint64_t>{1, 2}; };
  EXPECT_EQ(audit.collected(100'001, expected), 0u);
  EXPECT_EQ(audit.collected(100'000 + Audit::kReportsWithin_us, expected), 2u);
}

}  // namespace
}  // namespace redraft::replica

namespace redraft::sim {
namespace {

class AuditTest : public ReplicaTest {
 protected:
  void begin_with_data(std::uint64_t nodes = 3) {
    begin(nodes);
    world_->observer.disks_rot = true;    // a copy that is thrown away forgets what it acknowledged
    world_->observer.memory_rots = true;  // and until then it differs
    Talker& client = talk(leader().id());
    for (int i = 0; i < 50; ++i) ASSERT_EQ(client.ask({"SET", "key:" + std::to_string(i), "v"}), "+OK\r\n");
    ASSERT_EQ(client.ask({"RPUSH", "list", "a", "b", "c"}), ":3\r\n");
    world_->run_for(500'000);
  }
  // Lives as long as the world, which tells it of its closed connection.
  Talker& talk(std::uint64_t node) {
    talkers_.push_back(std::make_unique<Talker>(*world_, node));
    return *talkers_.back();
  }
  void TearDown() override {
    ReplicaTest::TearDown();
    world_.reset();
  }
  void rot(std::uint64_t node, const std::string& value = "rotten") {
    world_->node(node).replica().store()->set_string(0, "key:7", value, 0);
  }
  void ask_for_audit() {
    Talker& client = talk(leader().id());
    ASSERT_EQ(client.ask({"CLUSTER", "AUDIT"}), "+Audit started\r\n");
  }
  static std::string digest(Node& node) {
    store::NoBreather none;
    return node.replica().store()->digest(none);
  }
  [[nodiscard]] bool whole_and_equal() {
    if (world_->leader() == nullptr || !world_->at_rest()) return false;
    for (Node* node : world_->node_list()) {
      if (!node->up() || node->replica().raft() == nullptr || !node->replica().raft()->may_vote()) return false;
      if (digest(*node) != digest(*world_->leader())) return false;
    }
    return true;
  }
  std::string field(std::uint64_t node, const std::string& name) {
    Talker& client = talk(node);
    const std::string info = client.ask({"INFO", "raft"});
    const std::size_t at = info.find("\r\n" + name + ":");
    if (at == std::string::npos) return "none";
    const std::size_t begin = at + name.size() + 3;
    return info.substr(begin, info.find('\r', begin) - begin);
  }

 private:
  std::vector<std::unique_ptr<Talker>> talkers_;
};

TEST_F(AuditTest, NodesThatAgreeGoThroughAPassUndisturbed) {
  begin_with_data();
  Talker& client = talk(leader().id());
  std::vector<Command> fill;
  for (int i = 0; i < 30; ++i) {
    Command add{"SADD", "large"};
    for (int j = 0; j < 100; ++j) add.push_back("member:" + std::to_string(i * 100 + j));
    fill.push_back(add);
  }
  client.say(fill);
  client.hear(30);
  EXPECT_EQ(client.ask({"SET", "string", std::string(5'000'000, 's')}), "+OK\r\n");
  const raft::Term term = leader().replica().raft()->term();
  ask_for_audit();
  ASSERT_TRUE(world_->run_until(30'000'000, [&] { return field(leader().id(), "raft_audit_passes") == "1"; }));
  world_->run_for(1'000'000);
  for (std::uint64_t id = 1; id <= 3; ++id) {
    EXPECT_EQ(field(id, "raft_audit_state"), "idle");
    EXPECT_EQ(field(id, "raft_audit_differences"), "0");
    EXPECT_EQ(field(id, "raft_audit_undecided"), "0");
    EXPECT_GE(std::stoi(field(id, "raft_audit_ranges")), 6) << "keys, three parts of the set, two of the string, rest";
  }
  EXPECT_EQ(leader().replica().raft()->term(), term);
  Talker& other = talk(follower());
  EXPECT_EQ(other.ask({"CLUSTER", "AUDIT"}), "-ERR This node does not lead: send CLUSTER AUDIT to the leader\r\n");
}

TEST_F(AuditTest, APassBeginsByItself) {
  begin_with_data();
  for (std::uint64_t id = 1; id <= 3; ++id) world_->node(id).replica().settings().values().audit_interval_s = 2;
  ASSERT_TRUE(world_->run_until(10'000'000, [&] { return field(leader().id(), "raft_audit_passes") == "2"; }));
}

TEST_F(AuditTest, AFollowerThatDiffersFetchesAllOfItAnew) {
  begin_with_data();
  const std::uint64_t node = follower();
  const raft::Term term = leader().replica().raft()->term();
  const std::uint64_t life = world_->node(node).life();
  rot(node);
  ask_for_audit();
  ASSERT_TRUE(world_->run_until(30'000'000, [&] { return world_->node(node).life() != life && whole_and_equal(); }));
  EXPECT_EQ(leader().replica().raft()->term(), term) << "nobody else was disturbed";
  EXPECT_EQ(field(leader().id(), "raft_audit_differences"), "1");
  EXPECT_EQ(field(leader().id(), "raft_audit_last_differed_node"), std::to_string(node));
  // Its log tells of the verdict on what it was: once is enough.
  const std::uint64_t now = world_->node(node).life();
  world_->run_for(5'000'000);
  EXPECT_EQ(world_->node(node).life(), now);
}

TEST_F(AuditTest, ALeaderThatDiffersStopsServingAndLeading) {
  begin_with_data();
  const std::uint64_t node = leader().id();
  const std::uint64_t life = world_->node(node).life();
  rot(node);
  ask_for_audit();
  ASSERT_TRUE(world_->run_until(30'000'000, [&] { return world_->node(node).life() != life && whole_and_equal(); }));
  EXPECT_NE(leader().id(), node);
  Talker& client = talk(leader().id());
  EXPECT_EQ(client.ask({"GET", "key:7"}), "$1\r\nv\r\n");
  EXPECT_EQ(client.ask({"SET", "key:8", "w"}), "+OK\r\n");
}

TEST_F(AuditTest, WithoutAMajorityWritesStopUntilThereIsOne) {
  begin_with_data();
  const std::uint64_t first = follower();
  const std::uint64_t second = 6 - leader().id() - first;
  rot(first, "one");
  rot(second, "other");
  ask_for_audit();
  ASSERT_TRUE(world_->run_until(10'000'000, [&] { return field(leader().id(), "raft_audit_state") == "disputed"; }));
  Talker& client = talk(leader().id());
  EXPECT_TRUE(client.ask({"SET", "k", "v"}).starts_with("-MISCONF The nodes' copies of the data differ"));
  EXPECT_TRUE(client.ask({"EVAL", "return redis.call('set','k','v')", "0"}).starts_with("-MISCONF"));
  EXPECT_EQ(client.ask({"GET", "key:8"}), "$1\r\nv\r\n") << "reads go on";
  // Everybody knows, and a new leader refuses writes too.
  EXPECT_EQ(field(first, "raft_audit_state"), "disputed");
  const std::uint64_t old = leader().id();
  world_->node(old).kill();
  ASSERT_TRUE(world_->run_until(10'000'000, [&] { return world_->leader() != nullptr; }));
  world_->node(old).start();
  await_leader();
  Talker& other = talk(leader().id());
  EXPECT_TRUE(other.ask({"SET", "k", "v"}).starts_with("-MISCONF"));
  // One of them is put right: two of three say the same now, and the third learns of it by the next comparison.
  rot(first, "v");
  ASSERT_TRUE(world_->run_until(60'000'000, [&] { return whole_and_equal(); }));
  Talker& last = talk(leader().id());
  EXPECT_EQ(last.ask({"SET", "k", "v"}), "+OK\r\n");
  EXPECT_EQ(last.ask({"GET", "key:7"}), "$1\r\nv\r\n");
}

TEST_F(AuditTest, ANodeThatWasAwayJudgesItself) {
  begin_with_data();
  const std::uint64_t node = follower();
  const std::uint64_t life = world_->node(node).life();
  rot(node);
  world_->node(node).pause();
  world_->run_for(1'000'000);
  ask_for_audit();
  ASSERT_TRUE(world_->run_until(30'000'000, [&] { return field(leader().id(), "raft_audit_passes") == "1"; }));
  world_->node(node).resume();
  ASSERT_TRUE(world_->run_until(30'000'000, [&] { return world_->node(node).life() != life && whole_and_equal(); }));
}

}  // namespace
}  // namespace redraft::sim
