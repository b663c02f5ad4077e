// One row for one sentence: paper figure 2 and 5-7, then the dissertation's rules, then pitfalls that no row names yet.
#include <gtest/gtest.h>

#include <functional>
#include <limits>

#include "base/crc32c.h"
#include "raft/stored.h"
#include "tests/raft/cluster.h"

namespace redraft::raft::testing {
namespace {

// Node 1 of three, alone on a table: messages go in, the Output is looked at.
struct Bench {
  Config config;
  Restored restored;
  std::unique_ptr<Raft> raft;
  RaftInvariants invariants;
  Output out;

  explicit Bench(std::vector<Member> members = Cluster::voters(3), std::vector<Entry> log = {}, std::uint64_t term = 1,
                 std::uint64_t voted_for = 0, std::uint64_t commit = 1) {
    config.id = NodeId{1};
    config.incarnation = Incarnation{101};
    restored.hard_state = {Term{term}, NodeId{voted_for}};
    restored.commit_index = LogIndex{commit};
    restored.applied_index = LogIndex{commit};
    restored.entries.push_back(configuration_entry(LogIndex{1}, Term{1}, Configuration("test", std::move(members))));
    for (Entry& entry : log) restored.entries.push_back(std::move(entry));
  }
  void start() { raft = std::make_unique<Raft>(config, restored, 7); }
  Output& step(Input input) {
    if (raft == nullptr) start();
    out = Output{};
    raft->step(std::move(input), out);
    invariants.check(*raft, out);
    return out;
  }
  Output& receive(std::uint64_t from, Message message, std::uint64_t incarnation = 0) {
    return step(Receive{Envelope{NodeId{from}, NodeId{1}, GroupId{},
                                 Incarnation{incarnation != 0 ? incarnation : 100 + from}, std::move(message)}});
  }
  void persist() { step(Persisted{raft->last_ticket()}); }
  void tick(std::uint32_t times) {
    for (std::uint32_t i = 0; i < times; ++i) step(Tick{now_us += 10000});
  }
  std::uint64_t now_us = 0;
  // Through an election, to the point where the term-start entry is proposed.
  void lead() {
    step(Campaign{});
    receive(2, RequestVoteReply{Term{raft->term().value + 1}, true, true});
    persist();
    receive(2, RequestVoteReply{raft->term(), false, true});
    ASSERT_TRUE(out.became_leader);
    Propose start_of_term;
    start_of_term.type = EntryType::kTermStart;
    step(start_of_term);
  }
  void acknowledge(std::uint64_t from, std::uint64_t index) {
    AppendEntriesReply reply;
    reply.term = raft->term();
    reply.match_index = LogIndex{index};
    reply.round = raft->round();
    receive(from, reply);
  }
  template <class M>
  static const M* find(const std::vector<Envelope>& envelopes, std::uint64_t to = 0) {
    for (const Envelope& envelope : envelopes) {
      if (to != 0 && envelope.to.value != to) continue;
      if (const M* message = std::get_if<M>(&envelope.message)) return message;
    }
    return nullptr;
  }
  // Wherever it went, at once or as a promise.
  template <class M>
  const M* said(std::uint64_t to = 0) const {
    const M* message = find<M>(out.messages, to);
    return message != nullptr ? message : find<M>(out.promises, to);
  }
};

AppendEntries append(std::uint64_t term, std::uint64_t prev, std::uint64_t prev_term, std::vector<Entry> entries = {},
                     std::uint64_t commit = 0) {
  AppendEntries message;
  message.term = Term{term};
  message.prev_log_index = LogIndex{prev};
  message.prev_log_term = Term{prev_term};
  message.commit_index = LogIndex{commit};
  message.round = 1;
  message.entries = std::move(entries);
  return message;
}

RequestVote vote_request(std::uint64_t term, std::uint64_t last, std::uint64_t last_term) {
  RequestVote request;
  request.term = Term{term};
  request.last_log_index = LogIndex{last};
  request.last_log_term = Term{last_term};
  return request;
}

struct Rule {
  const char* name;
  const char* sentence;
  std::function<void()> check;
};

void PrintTo(const Rule& rule, std::ostream* out) {
  *out << rule.sentence;
}

class Paper : public ::testing::TestWithParam<Rule> {};

TEST_P(Paper, Rule) {
  SCOPED_TRACE(GetParam().sentence);
  GetParam().check();
}

std::string rule_name(const ::testing::TestParamInfo<Rule>& info) {
  return info.param.name;
}

const std::vector<Entry> kTwoMore = {command_entry(2, 1, "a"), command_entry(3, 2, "b")};

// --- figure 2: RequestVote receiver ---

const Rule kVoting[] = {
    {"VoteStaleTerm", "Figure 2, RequestVote 1: reply false if term < currentTerm",
     [] {
       Bench bench(Cluster::voters(3), {}, 5);
       bench.receive(2, vote_request(4, 9, 4));
       ASSERT_NE(bench.said<RequestVoteReply>(), nullptr);
       EXPECT_FALSE(bench.said<RequestVoteReply>()->granted);
       EXPECT_EQ(bench.said<RequestVoteReply>()->term, Term{5});
     }},
    {"VoteGrant", "Figure 2, RequestVote 2: votedFor is null and the candidate's log is up-to-date: grant vote",
     [] {
       Bench bench;
       bench.receive(2, vote_request(2, 1, 1));
       ASSERT_TRUE(bench.out.disk.hard_state.has_value());
       EXPECT_EQ(bench.out.disk.hard_state->voted_for, NodeId{2});
       // A2: only when it is durable.
       EXPECT_EQ(Bench::find<RequestVoteReply>(bench.out.messages), nullptr);
       ASSERT_NE(Bench::find<RequestVoteReply>(bench.out.promises), nullptr);
       EXPECT_TRUE(Bench::find<RequestVoteReply>(bench.out.promises)->granted);
       EXPECT_EQ(bench.out.promises_after, bench.out.disk.ticket);
     }},
    {"VoteAgain", "Figure 2, RequestVote 2: votedFor is candidateId: grant again",
     [] {
       Bench bench(Cluster::voters(3), {}, 2, 2);
       bench.receive(2, vote_request(2, 1, 1));
       EXPECT_TRUE(bench.said<RequestVoteReply>()->granted);
     }},
    {"VoteOnce", "5.2: each server votes for at most one candidate in a term (A1), also over a restart",
     [] {
       Bench bench(Cluster::voters(3), {}, 2, 2);
       bench.receive(3, vote_request(2, 9, 1));
       EXPECT_FALSE(bench.said<RequestVoteReply>()->granted);
     }},
    {"VoteOlderTermLog", "5.4.1: the log with the later last term is more up-to-date (A1: not by index only)",
     [] {
       Bench bench(Cluster::voters(3), kTwoMore, 2);
       bench.receive(2, vote_request(3, 9, 1));
       EXPECT_FALSE(bench.said<RequestVoteReply>()->granted);
     }},
    {"VoteShorterLog", "5.4.1: with equal last terms the longer log is more up-to-date",
     [] {
       Bench bench(Cluster::voters(3), kTwoMore, 2);
       bench.receive(2, vote_request(3, 2, 2));
       EXPECT_FALSE(bench.said<RequestVoteReply>()->granted);
       bench.receive(3, vote_request(3, 3, 2));
       EXPECT_TRUE(bench.said<RequestVoteReply>()->granted);
     }},
    {"VoteRefusalWaitsForTerm", "Our own rule: a refusal says our term, so it waits until that is durable",
     [] {
       Bench bench(Cluster::voters(3), kTwoMore, 2);
       bench.receive(2, vote_request(3, 1, 1));
       EXPECT_NE(Bench::find<RequestVoteReply>(bench.out.promises), nullptr);
       bench.persist();
       bench.receive(2, vote_request(3, 1, 1));
       EXPECT_NE(Bench::find<RequestVoteReply>(bench.out.messages), nullptr);
     }},
    {"VoteCompactedLog", "A5: with the whole log compacted the last term is the snapshot's",
     [] {
       Bench bench;
       bench.restored = Restored{};
       bench.restored.hard_state = {Term{5}, NodeId{}};
       bench.restored.snapshot = {LogIndex{10}, Term{4}, Configuration("test", Cluster::voters(3))};
       bench.receive(2, vote_request(6, 10, 3));
       EXPECT_FALSE(bench.said<RequestVoteReply>()->granted);
       bench.receive(3, vote_request(6, 10, 4));
       EXPECT_TRUE(bench.said<RequestVoteReply>()->granted);
       bench.step(Persisted{bench.raft->last_ticket()});
       bench.step(Campaign{});
       EXPECT_EQ(bench.said<RequestVote>()->last_log_term, Term{4});
     }},
    {"VoteLearner", "D8: a learner votes when a candidate believes it a voter",
     [] {
       auto members = Cluster::voters(3);
       members[0].voter = false;
       members[0].learner = true;
       Bench bench(members);
       bench.receive(2, vote_request(2, 1, 1));
       EXPECT_TRUE(bench.said<RequestVoteReply>()->granted);
       bench.step(Campaign{});
       EXPECT_EQ(bench.raft->role(), Role::kFollower);  // but it never campaigns
     }},
    {"VoteIncarnation", "Identity: a candidacy of another incarnation than the recorded one is not heard (D10)",
     [] {
       Bench bench;
       bench.receive(2, vote_request(2, 9, 9), 999);
       EXPECT_EQ(bench.said<RequestVoteReply>(), nullptr);
       EXPECT_EQ(bench.raft->term(), Term{1});
     }},
    {"VoteUnlistedCandidate", "Thesis 4.1: a candidate that our configuration does not list may be in one that we lack",
     [] {
       Bench bench;
       bench.receive(4, vote_request(2, 1, 1));
       EXPECT_TRUE(bench.said<RequestVoteReply>()->granted);
     }},
    {"VoteNotAllowed", "A node that may have forgotten a promise neither votes nor campaigns nor vouches",
     [] {
       Bench bench;
       bench.restored.may_vote = false;
       bench.receive(2, vote_request(2, 1, 1));
       EXPECT_EQ(bench.said<RequestVoteReply>(), nullptr);
       bench.step(Campaign{});
       EXPECT_EQ(bench.raft->role(), Role::kFollower);
       bench.receive(2, append(1, 1, 1, {command_entry(2, 1, "a")}));
       EXPECT_FALSE(bench.said<AppendEntriesReply>()->vouches);
       EXPECT_EQ(bench.said<AppendEntriesReply>()->round, 0U);
       bench.persist();
       bench.step(VotingRestored{});
       bench.receive(2, append(1, 2, 1));
       EXPECT_TRUE(bench.said<AppendEntriesReply>()->vouches);
     }},
};
INSTANTIATE_TEST_SUITE_P(Voting, Paper, ::testing::ValuesIn(kVoting), rule_name);

// --- figure 2: AppendEntries receiver ---

const Rule kAppending[] = {
    {"AppendStaleTerm", "Figure 2, AppendEntries 1: reply false if term < currentTerm",
     [] {
       Bench bench(Cluster::voters(3), {}, 5);
       bench.receive(2, append(4, 1, 1, {command_entry(2, 4, "x")}));
       ASSERT_NE(bench.said<AppendEntriesReply>(), nullptr);
       EXPECT_TRUE(bench.said<AppendEntriesReply>()->rejected);
       EXPECT_EQ(bench.said<AppendEntriesReply>()->term, Term{5});
       EXPECT_EQ(bench.raft->last_index(), LogIndex{1});
       EXPECT_EQ(bench.raft->leader(), NodeId{});
     }},
    {"AppendNoPrev", "Figure 2, AppendEntries 2: reply false if the log has no entry at prevLogIndex",
     [] {
       Bench bench;
       bench.receive(2, append(1, 5, 1, {command_entry(6, 1, "x")}));
       EXPECT_TRUE(bench.said<AppendEntriesReply>()->rejected);
       EXPECT_EQ(bench.said<AppendEntriesReply>()->rejected_index, LogIndex{5});
       EXPECT_EQ(bench.said<AppendEntriesReply>()->hint_index, LogIndex{1});
     }},
    {"AppendOtherPrev", "Figure 2, AppendEntries 2: ... whose term matches prevLogTerm",
     [] {
       Bench bench(Cluster::voters(3), kTwoMore, 3);
       bench.receive(2, append(3, 3, 3, {command_entry(4, 3, "x")}));
       EXPECT_TRUE(bench.said<AppendEntriesReply>()->rejected);
     }},
    {"AppendConflictTerm", "5.3, end: the reply names the place before the conflicting term",
     [] {
       Bench bench(
           Cluster::voters(3),
           {command_entry(2, 2, "a"), command_entry(3, 4, "b"), command_entry(4, 4, "c"), command_entry(5, 4, "d")}, 5);
       bench.receive(2, append(5, 5, 3));
       EXPECT_EQ(bench.said<AppendEntriesReply>()->hint_index, LogIndex{2});
       EXPECT_EQ(bench.said<AppendEntriesReply>()->hint_term, Term{2});
     }},
    {"AppendConflictCut", "Figure 2, AppendEntries 3: an entry that conflicts goes, with all that follow it",
     [] {
       Bench bench(Cluster::voters(3), {command_entry(2, 2, "a"), command_entry(3, 2, "b"), command_entry(4, 2, "c")},
                   3);
       bench.receive(2, append(3, 2, 2, {command_entry(3, 3, "x")}));
       EXPECT_EQ(bench.raft->last_index(), LogIndex{3});
       EXPECT_EQ(bench.raft->term_of(LogIndex{3}), Term{3});
       EXPECT_EQ(bench.out.truncated_from, LogIndex{3});
       ASSERT_EQ(bench.out.disk.entries.size(), 1U);
       EXPECT_EQ(bench.out.disk.entries[0].index, LogIndex{3});
     }},
    {"AppendNoCutWithoutConflict",
     "Figure 2, AppendEntries 3: entries that agree stay, also behind a shorter message (B3)",
     [] {
       Bench bench(Cluster::voters(3), {command_entry(2, 1, "a"), command_entry(3, 1, "b")});
       bench.receive(2, append(1, 1, 1, {command_entry(2, 1, "a")}));
       EXPECT_EQ(bench.raft->last_index(), LogIndex{3});
       EXPECT_FALSE(bench.out.disk.wanted());
       // B4: what this message verified, not our last index.
       EXPECT_EQ(bench.said<AppendEntriesReply>()->match_index, LogIndex{2});
     }},
    {"AppendNew", "Figure 2, AppendEntries 4: append any new entries not already in the log",
     [] {
       Bench bench(Cluster::voters(3), {command_entry(2, 1, "a")});
       bench.receive(2, append(1, 1, 1, {command_entry(2, 1, "a"), command_entry(3, 1, "b")}));
       ASSERT_EQ(bench.out.disk.entries.size(), 1U);
       EXPECT_EQ(bench.out.disk.entries[0].index, LogIndex{3});
     }},
    {"AppendCommit", "Figure 2, AppendEntries 5: commitIndex = min(leaderCommit, index of last new entry) (B6)",
     [] {
       Bench bench(Cluster::voters(3), {command_entry(2, 1, "a"), command_entry(3, 1, "b")});
       bench.receive(2, append(1, 2, 1, {}, 3));
       EXPECT_EQ(bench.raft->commit_index(), LogIndex{2});  // 3 may be somebody else's
       bench.receive(2, append(1, 3, 1, {}, 9));
       EXPECT_EQ(bench.raft->commit_index(), LogIndex{3});
       bench.receive(2, append(1, 3, 1, {}, 2));
       EXPECT_EQ(bench.raft->commit_index(), LogIndex{3});  // never back
     }},
    {"AppendAckAfterDisk", "Thesis 10.2.1, B9: an acknowledgement waits for the entries' ticket",
     [] {
       Bench bench;
       bench.receive(2, append(1, 1, 1, {command_entry(2, 1, "a")}));
       EXPECT_EQ(Bench::find<AppendEntriesReply>(bench.out.messages), nullptr);
       EXPECT_NE(Bench::find<AppendEntriesReply>(bench.out.promises), nullptr);
       // The same once more, while the disk is still at it: waits as well.
       bench.receive(2, append(1, 1, 1, {command_entry(2, 1, "a")}));
       EXPECT_FALSE(bench.out.disk.wanted());
       EXPECT_EQ(Bench::find<AppendEntriesReply>(bench.out.messages), nullptr);
       EXPECT_EQ(bench.out.promises_after, bench.raft->last_ticket());
       bench.persist();
       bench.receive(2, append(1, 1, 1, {command_entry(2, 1, "a")}));
       EXPECT_NE(Bench::find<AppendEntriesReply>(bench.out.messages), nullptr);
     }},
    {"AppendRoundOnReceipt", "Thesis 6.4: leadership is acknowledged on receipt, not after the follower's disk",
     [] {
       Bench bench;
       bench.receive(2, append(1, 1, 1, {command_entry(2, 1, "a")}));
       ASSERT_NE(Bench::find<RoundReply>(bench.out.messages), nullptr);
       EXPECT_EQ(Bench::find<RoundReply>(bench.out.messages)->round, 1U);
     }},
    {"AppendRoundNeedsTerm", "Thesis 6.4: ... unless the message raised the term, which must be durable first",
     [] {
       Bench bench;
       bench.receive(2, append(2, 1, 1, {command_entry(2, 2, "a")}));
       EXPECT_EQ(Bench::find<RoundReply>(bench.out.messages), nullptr);
       EXPECT_NE(Bench::find<RoundReply>(bench.out.promises), nullptr);
     }},
    {"AppendBelowSnapshot", "B5: a term is not looked up below the snapshot, and 0 matches only 0",
     [] {
       Bench bench;
       bench.restored = Restored{};
       bench.restored.hard_state = {Term{4}, NodeId{}};
       bench.restored.snapshot = {LogIndex{10}, Term{4}, Configuration("test", Cluster::voters(3))};
       std::vector<Entry> entries;
       for (std::uint64_t i = 6; i <= 12; ++i) entries.push_back(command_entry(i, 4, "x"));
       bench.receive(2, append(4, 5, 4, entries, 20));
       EXPECT_FALSE(bench.said<AppendEntriesReply>()->rejected);
       EXPECT_EQ(bench.raft->last_index(), LogIndex{12});
       EXPECT_EQ(bench.raft->commit_index(), LogIndex{12});
       ASSERT_EQ(bench.out.disk.entries.size(), 2U);
       EXPECT_EQ(bench.out.committed.front().index, LogIndex{11});
       bench.receive(2, append(4, 20, 0, {}));
       EXPECT_TRUE(bench.said<AppendEntriesReply>()->rejected);
     }},
    {"AppendOtherGroup", "B13: a message for another group, node or from itself is none",
     [] {
       Bench bench;
       Envelope envelope{NodeId{2}, NodeId{1}, GroupId{7}, Incarnation{102}, append(9, 1, 1)};
       bench.step(Receive{envelope});
       envelope.group = GroupId{};
       envelope.to = NodeId{3};
       bench.step(Receive{envelope});
       envelope.to = NodeId{1};
       envelope.from = NodeId{1};
       bench.step(Receive{envelope});
       EXPECT_EQ(bench.raft->term(), Term{1});
       EXPECT_EQ(bench.raft->leader(), NodeId{});
     }},
    {"AppendConfiguration",
     "Thesis 4.1: a server uses the latest configuration in its log, committed or not; D5: truncated with it",
     [] {
       Bench bench;
       auto more = Cluster::voters(4);
       bench.receive(2, append(1, 1, 1, {configuration_entry(LogIndex{2}, Term{1}, Configuration("test", more))}));
       EXPECT_TRUE(bench.out.configuration_changed);
       EXPECT_TRUE(bench.raft->configuration().is_voter(NodeId{4}));
       bench.receive(3, append(2, 1, 1, {command_entry(2, 2, "x")}));
       EXPECT_TRUE(bench.out.configuration_changed);
       EXPECT_FALSE(bench.raft->configuration().is_voter(NodeId{4}));
     }},
    {"RestartConfiguration", "D6: after a restart the newest configuration of snapshot and log counts",
     [] {
       Bench bench;
       bench.restored = Restored{};
       bench.restored.hard_state = {Term{4}, NodeId{}};
       bench.restored.snapshot = {LogIndex{10}, Term{4}, Configuration("test", Cluster::voters(3))};
       bench.restored.entries = {configuration_entry(LogIndex{9}, Term{4}, Configuration("old", Cluster::voters(2))),
                                 command_entry(10, 4, "x"),
                                 configuration_entry(LogIndex{11}, Term{4}, Configuration("test", Cluster::voters(5)))};
       bench.start();
       EXPECT_TRUE(bench.raft->configuration().is_voter(NodeId{5}));
       EXPECT_EQ(bench.raft->configuration_index(), LogIndex{11});
       EXPECT_EQ(bench.raft->configuration_at(LogIndex{10}).members().size(), 3U);
     }},
};
INSTANTIATE_TEST_SUITE_P(Appending, Paper, ::testing::ValuesIn(kAppending), rule_name);

// --- figure 2: rules for servers ---

const Rule kServers[] = {
    {"NewerTerm", "Figure 2, all servers: a newer term in a request or response: adopt it, become follower (A1)",
     [] {
       Bench bench;
       bench.lead();
       AppendEntriesReply reply;
       reply.term = Term{9};
       reply.rejected = true;
       bench.receive(2, reply);
       EXPECT_EQ(bench.raft->role(), Role::kFollower);
       EXPECT_EQ(bench.raft->term(), Term{9});
       // A10: role, term and leader in one.
       ASSERT_TRUE(bench.out.leader_status.has_value());
       EXPECT_EQ(*bench.out.leader_status, (LeaderStatus{Role::kFollower, Term{9}, NodeId{}}));
     }},
    {"StaleReply", "5.1: a response with a stale term is ignored",
     [] {
       Bench bench(Cluster::voters(3), {}, 3);
       bench.lead();
       AppendEntriesReply reply;
       reply.term = Term{3};
       reply.match_index = LogIndex{2};
       bench.receive(2, reply);
       bench.receive(3, reply);
       EXPECT_EQ(bench.raft->commit_index(), LogIndex{1});
     }},
    {"ApplyInOrder", "Figure 2, all servers: commitIndex > lastApplied: apply in order",
     [] {
       Bench bench;
       bench.receive(2, append(1, 1, 1, {command_entry(2, 1, "a"), command_entry(3, 1, "b")}, 3));
       ASSERT_EQ(bench.out.committed.size(), 2U);
       EXPECT_EQ(bench.out.committed[0].index, LogIndex{2});
       EXPECT_EQ(bench.out.committed[1].index, LogIndex{3});
     }},
    {"ElectionTimeout",
     "Figure 2, followers: an election timeout passes without a leader's or candidate's word: candidate",
     [] {
       Bench bench;
       bench.tick(9);
       EXPECT_EQ(bench.raft->role(), Role::kFollower);
       bench.tick(11);
       EXPECT_EQ(bench.raft->role(), Role::kPreCandidate);
     }},
    {"HeardLeader", "5.2: heartbeats keep a follower a follower",
     [] {
       Bench bench;
       for (int i = 0; i < 20; ++i) {
         bench.receive(2, append(1, 1, 1));
         bench.tick(8);
       }
       EXPECT_EQ(bench.raft->role(), Role::kFollower);
     }},
    {"GrantedVoteWaits", "5.2: a granted vote starts the election timer again",
     [] {
       Bench bench;
       bench.tick(9);
       bench.receive(2, vote_request(2, 1, 1));
       bench.tick(9);
       EXPECT_EQ(bench.raft->role(), Role::kFollower);
     }},
    {"RandomTimeouts", "5.2: election timeouts are random in [T, 2T), drawn anew each time (A12)",
     [] {
       std::set<std::uint32_t> seen;
       for (std::uint64_t seed = 0; seed < 60; ++seed) {
         Bench bench;
         bench.raft = std::make_unique<Raft>(bench.config, bench.restored, seed);
         std::uint32_t ticks = 0;
         while (bench.raft->role() == Role::kFollower) {
           bench.tick(1);
           ++ticks;
         }
         EXPECT_GE(ticks, 10U);
         EXPECT_LT(ticks, 20U);
         seen.insert(ticks);
       }
       EXPECT_EQ(seen.size(), 10U);
     }},
    {"StartElection", "Figure 2, candidates: increment currentTerm, vote for self, send RequestVote to all",
     [] {
       Bench bench;
       bench.step(Campaign{});
       bench.receive(3, RequestVoteReply{Term{2}, true, true});
       EXPECT_EQ(bench.raft->role(), Role::kCandidate);
       EXPECT_EQ(bench.raft->term(), Term{2});
       EXPECT_EQ(bench.raft->voted_for(), NodeId{1});
       // Thesis 10.2.1 in our reading: the request says that we voted, so it waits for the disk.
       EXPECT_EQ(Bench::find<RequestVote>(bench.out.messages), nullptr);
       EXPECT_NE(Bench::find<RequestVote>(bench.out.promises, 2), nullptr);
       EXPECT_NE(Bench::find<RequestVote>(bench.out.promises, 3), nullptr);
     }},
    {"OwnVoteDurable", "Our own rule: the vote for ourselves counts when it is durable",
     [] {
       Bench bench;
       bench.step(Campaign{});
       bench.receive(3, RequestVoteReply{Term{2}, true, true});
       bench.receive(3, RequestVoteReply{Term{2}, false, true});
       EXPECT_EQ(bench.raft->role(), Role::kCandidate);
       bench.persist();
       EXPECT_TRUE(bench.raft->is_leader());
     }},
    {"MajorityWins", "Figure 2, candidates: votes from a majority: leader (A12: three of four)",
     [] {
       Bench bench(Cluster::voters(4));
       bench.step(Campaign{});
       bench.receive(2, RequestVoteReply{Term{2}, true, true});
       EXPECT_EQ(bench.raft->role(), Role::kPreCandidate);
       bench.receive(3, RequestVoteReply{Term{2}, true, true});
       bench.persist();
       bench.receive(2, RequestVoteReply{Term{2}, false, true});
       bench.receive(2, RequestVoteReply{Term{2}, false, true});  // twice is once
       EXPECT_EQ(bench.raft->role(), Role::kCandidate);
       bench.receive(4, RequestVoteReply{Term{2}, false, true}, 999);  // another incarnation
       bench.receive(7, RequestVoteReply{Term{2}, false, true});       // a stranger
       EXPECT_EQ(bench.raft->role(), Role::kCandidate);
       bench.receive(3, RequestVoteReply{Term{2}, false, true});
       EXPECT_TRUE(bench.raft->is_leader());
     }},
    {"CandidateHearsLeader", "Figure 2, candidates: AppendEntries from the new leader: follower",
     [] {
       Bench bench;
       bench.step(Campaign{});
       bench.receive(3, RequestVoteReply{Term{2}, true, true});
       bench.receive(2, append(2, 1, 1));
       EXPECT_EQ(bench.raft->role(), Role::kFollower);
       EXPECT_EQ(bench.raft->leader(), NodeId{2});
       EXPECT_EQ(bench.raft->voted_for(), NodeId{1});
     }},
    {"CandidateTimesOut", "Figure 2, candidates: the election timeout passes: a new election",
     [] {
       Bench bench;
       bench.step(Campaign{});
       bench.receive(3, RequestVoteReply{Term{2}, true, true});
       bench.persist();
       bench.tick(20);
       EXPECT_EQ(bench.raft->role(), Role::kPreCandidate);
       EXPECT_EQ(bench.raft->term(), Term{2});
     }},
    {"Heartbeats", "Figure 2, leaders: send heartbeats in idle periods to prevent election timeouts",
     [] {
       Bench bench;
       bench.lead();
       bench.acknowledge(2, 1);
       bench.acknowledge(3, 1);
       bench.tick(bench.config.heartbeat_ticks);
       EXPECT_NE(Bench::find<AppendEntries>(bench.out.messages, 2), nullptr);
       EXPECT_NE(Bench::find<AppendEntries>(bench.out.messages, 3), nullptr);
     }},
    {"ProposeAppends", "Figure 2, leaders: a command is appended to the log, respond after it is applied",
     [] {
       Bench bench;
       bench.lead();
       bench.acknowledge(2, 1);
       Propose propose;
       propose.payload = SharedBytes::copy_of("x");
       bench.step(propose);
       ASSERT_TRUE(bench.out.proposal.has_value());
       EXPECT_EQ(bench.out.proposal->status, ProposalStatus::kAccepted);
       EXPECT_EQ(bench.out.proposal->index, LogIndex{3});
       EXPECT_TRUE(bench.out.committed.empty());
       // Thesis 10.2.1: sent while our own disk writes.
       ASSERT_NE(Bench::find<AppendEntries>(bench.out.messages, 2), nullptr);
       EXPECT_EQ(Bench::find<AppendEntries>(bench.out.messages, 2)->entries.size(), 1U);
     }},
    {"RetryAppend", "Figure 2, leaders: AppendEntries fails because of inconsistency: decrement nextIndex and retry",
     [] {
       Bench bench;
       bench.lead();
       AppendEntriesReply reply;
       reply.term = Term{2};
       reply.rejected = true;
       reply.rejected_index = LogIndex{1};
       reply.hint_index = LogIndex{0};
       bench.receive(2, reply);
       ASSERT_NE(Bench::find<AppendEntries>(bench.out.messages, 2), nullptr);
       EXPECT_EQ(Bench::find<AppendEntries>(bench.out.messages, 2)->prev_log_index, LogIndex{0});
       // B3: the same answer again is about no probe of ours any more.
       bench.receive(2, reply);
       EXPECT_EQ(Bench::find<AppendEntries>(bench.out.messages, 2), nullptr);
     }},
    {"CommitMajority",
     "Figure 2, leaders: a majority of matchIndex >= N and log[N].term == currentTerm: commitIndex = N",
     [] {
       Bench bench;
       bench.lead();
       bench.acknowledge(2, 2);
       EXPECT_EQ(bench.raft->commit_index(), LogIndex{1});  // B9: our own disk is not done
       bench.persist();
       EXPECT_EQ(bench.raft->commit_index(), LogIndex{2});
       ASSERT_EQ(bench.out.committed.size(), 1U);
     }},
    {"CommitWithoutOwnDisk", "Thesis 10.2.1: a majority of others is enough, whatever the leader's own disk does",
     [] {
       Bench bench;
       bench.lead();
       bench.acknowledge(2, 2);
       bench.acknowledge(3, 2);
       EXPECT_EQ(bench.raft->commit_index(), LogIndex{2});
       EXPECT_EQ(bench.raft->durable_index(), LogIndex{1});
     }},
    {"CommitFigure8", "Figure 8, 5.4.2 (B1): entries of earlier terms are not committed by counting",
     [] {
       Bench bench(Cluster::voters(3), {command_entry(2, 2, "a")}, 3);
       bench.lead();
       bench.acknowledge(2, 2);
       bench.acknowledge(3, 2);
       EXPECT_EQ(bench.raft->commit_index(), LogIndex{1});
       bench.acknowledge(2, 3);
       bench.persist();
       EXPECT_EQ(bench.raft->commit_index(), LogIndex{3});
     }},
    {"CommitLearner", "B9: a learner counts in no majority",
     [] {
       auto members = Cluster::voters(4);
       members[3].voter = false;
       members[3].learner = true;
       Bench bench(members);
       bench.lead();
       bench.persist();
       bench.acknowledge(4, 2);
       EXPECT_EQ(bench.raft->commit_index(), LogIndex{1});
       bench.acknowledge(3, 2);
       EXPECT_EQ(bench.raft->commit_index(), LogIndex{2});
     }},
    {"CommitUnvouched", "An acknowledgement that does not vouch feeds the sender and counts nowhere",
     [] {
       Bench bench;
       bench.lead();
       bench.persist();
       AppendEntriesReply reply;
       reply.term = Term{2};
       reply.match_index = LogIndex{2};
       reply.vouches = false;
       bench.receive(2, reply);
       EXPECT_EQ(bench.raft->commit_index(), LogIndex{1});
       EXPECT_EQ(bench.raft->progress()[0].match_index, LogIndex{2});
     }},
    {"CommitIncarnation", "Identity: acknowledgements count only for recorded incarnations",
     [] {
       Bench bench;
       bench.lead();
       bench.persist();
       AppendEntriesReply reply;
       reply.term = Term{2};
       reply.match_index = LogIndex{2};
       bench.receive(2, reply, 999);
       EXPECT_EQ(bench.raft->commit_index(), LogIndex{1});
     }},
    {"SingleNode", "A3, A12: the only voter raises its term, is leader when that is durable, and stays it",
     [] {
       Bench bench(Cluster::voters(1));
       bench.step(Campaign{});
       EXPECT_EQ(bench.raft->term(), Term{2});
       EXPECT_FALSE(bench.raft->is_leader());
       bench.persist();
       EXPECT_TRUE(bench.raft->is_leader());
       Propose start;
       start.type = EntryType::kTermStart;
       bench.step(start);
       EXPECT_TRUE(bench.out.committed.empty());  // B9: etcd 14370
       bench.persist();
       EXPECT_EQ(bench.out.committed.size(), 1U);
       bench.tick(50);
       EXPECT_TRUE(bench.raft->is_leader());
       bench.step(ReadIndex{ReadId{1}});
       EXPECT_EQ(bench.out.reads.size(), 1U);
     }},
    {"AbaCompletion", "B9: a completion for entries overwritten meanwhile makes nothing of the new ones durable",
     [] {
       Bench bench;
       bench.receive(2, append(1, 1, 1, {command_entry(2, 1, "a"), command_entry(3, 1, "b")}));
       const Ticket first = bench.raft->last_ticket();
       bench.receive(3, append(2, 1, 1, {command_entry(2, 2, "x"), command_entry(3, 2, "y")}));
       bench.step(Persisted{first});
       EXPECT_EQ(bench.raft->durable_index(), LogIndex{1});
       bench.persist();
       EXPECT_EQ(bench.raft->durable_index(), LogIndex{3});
     }},
    {"RestartTerm", "A4: a term is never lower than the snapshot's or the log's",
     [] {
       Bench bench;
       bench.restored = Restored{};
       bench.restored.snapshot = {LogIndex{10}, Term{4}, Configuration("test", Cluster::voters(3))};
       bench.start();
       EXPECT_EQ(bench.raft->term(), Term{4});
       bench.step(Tick{});
       ASSERT_TRUE(bench.out.disk.hard_state.has_value());
       EXPECT_EQ(bench.out.disk.hard_state->term, Term{4});
     }},
    {"Uncommitted", "B8: the first proposal is admitted whatever its size, the next when there is room again",
     [] {
       Bench bench;
       bench.config.uncommitted_bytes_max = 10;
       bench.lead();
       Propose big;
       big.payload = SharedBytes::copy_of(std::string(100, 'x'));
       bench.step(big);
       EXPECT_EQ(bench.out.proposal->status, ProposalStatus::kAccepted);
       bench.step(big);
       EXPECT_EQ(bench.out.proposal->status, ProposalStatus::kBacklog);
       bench.acknowledge(2, 3);
       bench.acknowledge(3, 3);
       EXPECT_EQ(bench.raft->uncommitted_bytes(), 0U);
       bench.step(big);
       EXPECT_EQ(bench.out.proposal->status, ProposalStatus::kAccepted);
     }},
    {"Oversize", "No entry exceeds 1 MiB",
     [] {
       Bench bench;
       bench.lead();
       Propose big;
       big.payload = SharedBytes::copy_of(std::string(kPayloadSizeMax + 1, 'x'));
       bench.step(big);
       EXPECT_EQ(bench.out.proposal->status, ProposalStatus::kTooLarge);
     }},
    {"TermStartFirst", "Thesis 6.4: the first entry of a term is its leader's own",
     [] {
       Bench bench;
       bench.step(Campaign{});
       bench.receive(2, RequestVoteReply{Term{2}, true, true});
       bench.persist();
       bench.receive(2, RequestVoteReply{Term{2}, false, true});
       bench.step(Propose{});
       EXPECT_EQ(bench.out.proposal->status, ProposalStatus::kTermStartDue);
       Propose start;
       start.type = EntryType::kTermStart;
       bench.step(start);
       EXPECT_EQ(bench.out.proposal->status, ProposalStatus::kAccepted);
       bench.step(start);
       EXPECT_EQ(bench.out.proposal->status, ProposalStatus::kNotPermitted);
     }},
    {"NotLeader", "B10: only a proposal that is in no log is answered definitely",
     [] {
       Bench bench;
       bench.step(Propose{});
       EXPECT_EQ(bench.out.proposal->status, ProposalStatus::kNotLeader);
       EXPECT_EQ(bench.raft->last_index(), LogIndex{1});
     }},
};
INSTANTIATE_TEST_SUITE_P(Servers, Paper, ::testing::ValuesIn(kServers), rule_name);

// --- the dissertation ---

const Rule kThesis[] = {
    {"PreVoteNoTerm", "9.6: a pre-vote changes nobody's term or vote",
     [] {
       Bench bench;
       RequestVote request = vote_request(2, 1, 1);
       request.pre_vote = true;
       bench.receive(2, request);
       EXPECT_TRUE(bench.said<RequestVoteReply>()->granted);
       EXPECT_EQ(bench.said<RequestVoteReply>()->term, Term{2});
       EXPECT_EQ(bench.raft->term(), Term{1});
       EXPECT_FALSE(bench.out.disk.wanted());
     }},
    {"PreVoteRefusedTerm", "A6: a refusal names our term, so that who is behind catches up",
     [] {
       Bench bench(Cluster::voters(3), {}, 5);
       RequestVote request = vote_request(3, 1, 1);
       request.pre_vote = true;
       bench.receive(2, request);
       EXPECT_FALSE(bench.said<RequestVoteReply>()->granted);
       EXPECT_EQ(bench.said<RequestVoteReply>()->term, Term{5});
       Bench behind;
       behind.step(Campaign{});
       behind.receive(2, RequestVoteReply{Term{5}, true, false});
       EXPECT_EQ(behind.raft->term(), Term{5});
     }},
    {"PreCandidateHearsLeader", "A6: a pre-candidate follows the leader of its term",
     [] {
       Bench bench;
       bench.step(Campaign{});
       bench.receive(2, append(1, 1, 1));
       EXPECT_EQ(bench.raft->role(), Role::kFollower);
       bench.receive(3, RequestVoteReply{Term{2}, true, true});  // late
       EXPECT_EQ(bench.raft->role(), Role::kFollower);
     }},
    {"PreVoteTermMoved", "A6: pre-votes for another term than the one to be started do not count",
     [] {
       Bench bench;
       bench.step(Campaign{});
       bench.receive(2, vote_request(4, 0, 0));  // refused, but the term is adopted
       bench.step(Campaign{});
       bench.receive(3, RequestVoteReply{Term{2}, true, true});
       EXPECT_EQ(bench.raft->role(), Role::kPreCandidate);
       bench.receive(3, RequestVoteReply{Term{5}, true, true});
       EXPECT_EQ(bench.raft->role(), Role::kCandidate);
       EXPECT_EQ(bench.raft->term(), Term{5});
     }},
    {"Stickiness",
     "4.2.3 (A9): who heard the leader within the minimum election timeout ignores RequestVote, and its term",
     [] {
       Bench bench;
       bench.receive(2, append(1, 1, 1));
       bench.receive(3, vote_request(9, 9, 9));
       EXPECT_EQ(bench.said<RequestVoteReply>(), nullptr);
       EXPECT_EQ(bench.raft->term(), Term{1});
       bench.tick(10);
       bench.receive(3, vote_request(9, 9, 9));
       EXPECT_TRUE(bench.said<RequestVoteReply>()->granted);
     }},
    {"LeaderSticky", "6.2, 4.2.3: a leader that reaches its majority is not deposed by a vote request",
     [] {
       Bench bench;
       bench.lead();
       bench.receive(3, vote_request(9, 9, 9));
       EXPECT_TRUE(bench.raft->is_leader());
     }},
    {"TransferVote", "3.10, 4.2.3 (A7): a vote request of a leadership transfer is heard nevertheless",
     [] {
       Bench bench;
       bench.receive(2, append(1, 1, 1));
       RequestVote request = vote_request(2, 1, 1);
       request.leader_transfer = true;
       bench.receive(3, request);
       EXPECT_TRUE(bench.said<RequestVoteReply>()->granted);
     }},
    {"TimeoutNow", "3.10: TimeoutNow starts an election at once, without pre-vote (A6)",
     [] {
       Bench bench;
       bench.receive(2, append(1, 1, 1));
       bench.receive(3, TimeoutNow{Term{1}});
       EXPECT_EQ(bench.raft->role(), Role::kFollower);  // not the leader's
       bench.receive(2, TimeoutNow{Term{1}});
       EXPECT_EQ(bench.raft->role(), Role::kCandidate);
       EXPECT_TRUE(bench.said<RequestVote>()->leader_transfer);
     }},
    {"Transfer", "3.10: the leader stops taking commands, brings the target up to date, and sends TimeoutNow",
     [] {
       Bench bench;
       bench.lead();
       bench.acknowledge(2, 1);
       bench.step(TransferLeadership{NodeId{2}});
       EXPECT_EQ(bench.said<TimeoutNow>(), nullptr);
       bench.step(Propose{});
       EXPECT_EQ(bench.out.proposal->status, ProposalStatus::kTransferring);
       bench.acknowledge(2, 2);
       EXPECT_NE(bench.said<TimeoutNow>(2), nullptr);
     }},
    {"TransferGivenUp", "3.10: after an election timeout the transfer is given up",
     [] {
       Bench bench;
       bench.lead();
       bench.step(TransferLeadership{NodeId{2}});
       bench.tick(5);
       bench.acknowledge(3, 2);  // the quorum check
       bench.tick(5);
       EXPECT_EQ(bench.raft->transfer_target(), NodeId{});
       bench.step(Propose{});
       EXPECT_EQ(bench.out.proposal->status, ProposalStatus::kAccepted);
     }},
    {"TransferTargets", "D9: no transfer to oneself, a learner or a stranger",
     [] {
       auto members = Cluster::voters(3);
       members[2].voter = false;
       members[2].learner = true;
       Bench bench(members);
       bench.lead();
       for (std::uint64_t target : {1, 3, 9}) {
         bench.step(TransferLeadership{NodeId{target}});
         EXPECT_EQ(bench.raft->transfer_target(), NodeId{});
       }
     }},
    {"CheckQuorum", "6.2: a leader that hears no majority for an election timeout steps down",
     [] {
       Bench bench;
       bench.lead();
       bench.acknowledge(2, 2);
       bench.tick(10);
       EXPECT_TRUE(bench.raft->is_leader());
       bench.tick(10);
       EXPECT_FALSE(bench.raft->is_leader());
       EXPECT_EQ(bench.raft->leader(), NodeId{});
     }},
    {"DiskStallHandsOver", "Storage-faults row 18: before that it asks a follower that has everything to lead",
     [] {
       Bench bench;
       bench.lead();
       for (std::uint32_t i = 0; i < bench.config.disk_stall_ticks_max / 2; ++i) {
         bench.acknowledge(2, 2);
         bench.tick(1);
       }
       EXPECT_EQ(bench.said<TimeoutNow>(), nullptr);  // a short stall changes nothing
       bench.acknowledge(2, bench.raft->last_index().value);
       bench.tick(1);
       EXPECT_NE(bench.said<TimeoutNow>(), nullptr);
       EXPECT_TRUE(bench.raft->is_leader());
     }},
    {"DiskStall", "Storage-faults row 18: a leader whose own disk does not answer steps down, and does not campaign",
     [] {
       Bench bench;
       bench.lead();
       for (std::uint32_t i = 0; i < bench.config.disk_stall_ticks_max + 2 && bench.raft->is_leader(); ++i) {
         bench.acknowledge(2, 2);
         bench.tick(1);
       }
       EXPECT_FALSE(bench.raft->is_leader());
       bench.step(Campaign{});
       EXPECT_EQ(bench.raft->role(), Role::kFollower);
     }},
    {"EarlyElection", "Architecture 3: a refused link lets a follower ask early; voters grant only in the same state",
     [] {
       Bench bench;
       bench.receive(2, append(1, 1, 1));
       bench.step(LinkRefused{NodeId{2}});
       bench.tick(2);
       EXPECT_EQ(bench.raft->role(), Role::kPreCandidate);
       ASSERT_NE(bench.said<RequestVote>(), nullptr);
       EXPECT_TRUE(bench.said<RequestVote>()->early_election);

       Bench voter;
       RequestVote request = vote_request(2, 1, 1);
       request.early_election = true;
       voter.receive(2, append(1, 1, 1));
       voter.receive(3, request);
       EXPECT_EQ(voter.said<RequestVoteReply>(), nullptr);
       voter.step(LinkRefused{NodeId{2}});
       voter.receive(3, request);
       EXPECT_TRUE(voter.said<RequestVoteReply>()->granted);
     }},
    {"EarlyElectionLeaderSpeaks", "Architecture 3: a lost link alone changes nothing, nor a leader that speaks again",
     [] {
       Bench bench;
       bench.receive(2, append(1, 1, 1));
       bench.step(PeerUnreachable{NodeId{2}});
       bench.tick(3);
       EXPECT_EQ(bench.raft->role(), Role::kFollower);
       bench.step(LinkRefused{NodeId{2}});
       bench.receive(2, append(1, 1, 1));
       bench.tick(3);
       EXPECT_EQ(bench.raft->role(), Role::kFollower);
       Bench leader;
       leader.lead();
       leader.step(LinkRefused{NodeId{2}});
       leader.tick(3);
       EXPECT_TRUE(leader.raft->is_leader());
     }},
    {"ReadIndex", "6.4: the commit index, a round of heartbeats, then the read may run once that index is applied",
     [] {
       Bench bench;
       bench.lead();
       bench.acknowledge(2, 2);
       bench.persist();
       bench.step(ReadIndex{ReadId{1}});
       EXPECT_TRUE(bench.out.reads.empty());
       const auto* request = Bench::find<AppendEntries>(bench.out.messages, 2);
       ASSERT_NE(request, nullptr);
       const std::uint64_t round = request->round;
       bench.receive(2, RoundReply{Term{2}, round - 1, 0});  // C3: an earlier round's
       EXPECT_TRUE(bench.out.reads.empty());
       bench.receive(2, RoundReply{Term{2}, round, 0});
       ASSERT_EQ(bench.out.reads.size(), 1U);
       EXPECT_EQ(bench.out.reads[0].index, LogIndex{2});
     }},
    {"ReadBeforeCommit", "6.4 (C1, C6): no read before an entry of the leader's own term is committed",
     [] {
       Bench bench;
       bench.lead();
       bench.step(ReadIndex{ReadId{1}});
       bench.receive(2, RoundReply{Term{2}, bench.raft->round(), 0});
       EXPECT_TRUE(bench.out.reads.empty());
       bench.persist();
       bench.acknowledge(2, 2);
       bench.receive(2, RoundReply{Term{2}, bench.raft->round(), 0});
       ASSERT_EQ(bench.out.reads.size(), 1U);
       EXPECT_EQ(bench.out.reads[0].index, LogIndex{2});
     }},
    {"ReadRounds", "Architecture 1: one round in flight at most, later reads share the next",
     [] {
       Bench bench;
       bench.lead();
       bench.acknowledge(2, 2);
       bench.persist();
       bench.step(ReadIndex{ReadId{1}});
       const std::uint64_t round = bench.raft->round();
       bench.step(ReadIndex{ReadId{2}});
       bench.step(ReadIndex{ReadId{3}});
       EXPECT_TRUE(bench.out.messages.empty());
       bench.receive(2, RoundReply{Term{2}, round, 0});
       ASSERT_EQ(bench.out.reads.size(), 1U);
       EXPECT_EQ(bench.out.reads[0].id, ReadId{1});
       EXPECT_EQ(bench.raft->round(), round + 1);
       bench.receive(2, RoundReply{Term{2}, round + 1, 0});
       EXPECT_EQ(bench.out.reads.size(), 2U);
     }},
    {"ReadRides", "Architecture 1: the round rides on an append that leaves anyway",
     [] {
       Bench bench;
       bench.lead();
       bench.acknowledge(2, 2);
       bench.acknowledge(3, 2);
       bench.persist();
       bench.step(ReadIndex{ReadId{1}, true});
       EXPECT_TRUE(bench.out.messages.empty());
       bench.step(Propose{});
       EXPECT_EQ(bench.out.messages.size(), 2U);
       EXPECT_EQ(Bench::find<AppendEntries>(bench.out.messages, 2)->round, bench.raft->round());
       bench.step(Flush{});
       EXPECT_TRUE(bench.out.messages.empty());
       bench.receive(3, RoundReply{Term{2}, bench.raft->round(), 0});
       EXPECT_EQ(bench.out.reads.size(), 1U);
       bench.step(ReadIndex{ReadId{2}, true});
       bench.step(Flush{});
       EXPECT_EQ(bench.out.messages.size(), 2U);
     }},
    {"ReadLearnerAck", "C3: a learner's, a stranger's or another incarnation's acknowledgement is none",
     [] {
       auto members = Cluster::voters(4);
       members[3].voter = false;
       members[3].learner = true;
       Bench bench(members);
       bench.lead();
       bench.acknowledge(2, 2);
       bench.persist();
       bench.step(ReadIndex{ReadId{1}});
       const RoundReply reply{Term{2}, bench.raft->round(), 0};
       bench.receive(4, reply);
       bench.receive(9, reply);
       bench.receive(2, reply, 999);
       EXPECT_TRUE(bench.out.reads.empty());
     }},
    {"ReadLost", "C8: reads that lose their leader are reported",
     [] {
       Bench bench;
       bench.lead();
       bench.acknowledge(2, 2);
       bench.persist();
       bench.step(ReadIndex{ReadId{1}});
       bench.step(ReadIndex{ReadId{2}});
       bench.receive(3, ReadIndexRequest{Term{2}, ReadId{77}});
       bench.receive(3, append(5, 1, 1));
       EXPECT_EQ(bench.out.lost_reads.size(), 2U);
       ASSERT_NE(bench.said<ReadIndexReply>(3), nullptr);
       EXPECT_FALSE(bench.said<ReadIndexReply>(3)->ok);
       bench.step(ReadIndex{ReadId{3}});
       bench.receive(2, append(6, 1, 1));
       EXPECT_EQ(bench.out.lost_reads.size(), 1U);
     }},
    {"ReadNoLeader", "C8: a read without a known leader is reported at once",
     [] {
       Bench bench;
       bench.step(ReadIndex{ReadId{1}});
       EXPECT_EQ(bench.out.lost_reads.size(), 1U);
     }},
    {"FollowerRead", "6.4, end: a follower asks the leader for its read index, once for many reads",
     [] {
       Bench bench;
       bench.receive(2, append(1, 1, 1));
       bench.step(ReadIndex{ReadId{1}});
       ASSERT_NE(bench.said<ReadIndexRequest>(2), nullptr);
       const ReadId asked = bench.said<ReadIndexRequest>(2)->id;
       bench.step(ReadIndex{ReadId{2}});
       EXPECT_EQ(bench.said<ReadIndexRequest>(2), nullptr);
       bench.receive(3, ReadIndexReply{Term{1}, asked, true, LogIndex{9}});  // not the leader
       EXPECT_TRUE(bench.out.reads.empty());
       bench.receive(2, ReadIndexReply{Term{1}, asked, true, LogIndex{9}});
       ASSERT_EQ(bench.out.reads.size(), 1U);
       EXPECT_EQ(bench.out.reads[0].index, LogIndex{9});
       EXPECT_EQ(bench.raft->commit_index(), LogIndex{1});  // C7: only as far as we have it
       EXPECT_NE(bench.said<ReadIndexRequest>(2), nullptr);
     }},
    {"FollowerReadRetry", "C2: a request asked again has a new id, and the old answer is nobody's; also over a restart",
     [] {
       Bench bench;
       bench.receive(2, append(1, 1, 1));
       bench.step(ReadIndex{ReadId{1}});
       const ReadId first = bench.said<ReadIndexRequest>(2)->id;
       ReadId second;
       for (int i = 0; i < 6; ++i) {
         bench.tick(1);
         if (const auto* again = bench.said<ReadIndexRequest>(2)) second = again->id;
       }
       EXPECT_NE(first, second);
       EXPECT_NE(second, ReadId{});
       bench.receive(2, ReadIndexReply{Term{1}, first, true, LogIndex{1}});
       EXPECT_TRUE(bench.out.reads.empty());
       bench.receive(2, ReadIndexReply{Term{1}, second, true, LogIndex{1}});
       EXPECT_EQ(bench.out.reads.size(), 1U);
       bench.config.boot = 1;
       bench.start();
       bench.invariants = RaftInvariants();
       bench.receive(2, append(1, 1, 1));
       bench.step(ReadIndex{ReadId{2}});
       EXPECT_NE(bench.said<ReadIndexRequest>(2)->id, first);
     }},
    {"Lease",
     "6.4.1: a voter that promised a lease neither votes nor campaigns until it ends on its own clock (C4, C5)",
     [] {
       Bench bench;
       bench.config.lease_longest_us = 400000;
       bench.tick(45);  // waits out what an earlier life may have promised
       AppendEntries request = append(1, 1, 1);
       request.lease_us = 300000;
       request.sent_at_us = 5;
       bench.receive(2, request);
       EXPECT_EQ(bench.said<AppendEntriesReply>()->lease_sent_at_us, 5U);
       bench.tick(25);  // 250 ms: beyond the election timeout, within the lease
       EXPECT_EQ(bench.raft->role(), Role::kFollower);
       bench.receive(3, vote_request(2, 9, 9));
       EXPECT_EQ(bench.said<RequestVoteReply>(), nullptr);
       RequestVote early = vote_request(2, 9, 9);
       early.early_election = true;
       bench.step(LinkRefused{NodeId{2}});
       bench.receive(3, early);
       EXPECT_EQ(bench.said<RequestVoteReply>(), nullptr);
       bench.tick(7);
       bench.receive(3, vote_request(2, 9, 9));
       EXPECT_TRUE(bench.said<RequestVoteReply>()->granted);
     }},
    {"LeaseRestart", "6.4.1: a starting voter first waits out the longest permitted lease",
     [] {
       Bench bench;
       bench.config.lease_longest_us = 400000;
       bench.tick(30);
       EXPECT_EQ(bench.raft->role(), Role::kFollower);
       bench.receive(3, vote_request(2, 9, 9));
       EXPECT_EQ(bench.said<RequestVoteReply>(), nullptr);
       bench.tick(30);
       EXPECT_EQ(bench.raft->role(), Role::kPreCandidate);
     }},
    {"LeaseHolds", "6.4.1: the leader counts from sending, less drift; TimeoutNow ends it for the term",
     [] {
       Bench bench;
       bench.config.lease_us = 200000;
       bench.config.lease_longest_us = 200000;
       bench.config.lease_drift_us = 10000;
       bench.tick(25);
       bench.lead();
       bench.persist();
       bench.acknowledge(2, 2);
       EXPECT_FALSE(bench.raft->lease_holds(bench.now_us));
       AppendEntriesReply reply;
       reply.term = bench.raft->term();
       reply.match_index = LogIndex{2};
       reply.lease_sent_at_us = bench.now_us;
       bench.receive(2, reply);
       EXPECT_TRUE(bench.raft->lease_holds(bench.now_us + 189999));
       EXPECT_FALSE(bench.raft->lease_holds(bench.now_us + 190000));
       bench.step(TransferLeadership{NodeId{2}});
       EXPECT_FALSE(bench.raft->lease_holds(bench.now_us));
     }},
    {"SnapshotInstead", "Paper 7: a follower that needs entries that are gone is sent the snapshot",
     [] {
       Bench bench(Cluster::voters(3), {command_entry(2, 1, "a"), command_entry(3, 1, "b")}, 1, 0, 3);
       bench.config.catch_up_tail_entries = 0;
       bench.lead();
       bench.step(SnapshotTaken{{LogIndex{3}, Term{1}, bench.raft->configuration()}});
       EXPECT_EQ(bench.out.compacted_to, LogIndex{3});
       AppendEntriesReply reply;
       reply.term = Term{2};
       reply.rejected = true;
       reply.rejected_index = LogIndex{3};
       reply.hint_index = LogIndex{1};
       reply.hint_term = Term{1};
       bench.receive(2, reply);
       ASSERT_EQ(bench.out.snapshots_to_send.size(), 1U);
       EXPECT_NE(bench.said<InstallSnapshot>(2), nullptr);
       EXPECT_EQ(bench.raft->progress()[0].state, ProgressState::kSnapshot);
       bench.step(SnapshotSent{NodeId{2}});  // E5: proves nothing
       EXPECT_EQ(bench.raft->progress()[0].state, ProgressState::kSnapshot);
       InstallSnapshotReply rejected{Term{2}, true, true, LogIndex{2}, LogIndex{}};
       bench.receive(2, rejected);  // E5: about another snapshot
       EXPECT_EQ(bench.raft->progress()[0].state, ProgressState::kSnapshot);
       bench.receive(2, InstallSnapshotReply{Term{2}, false, true, LogIndex{3}, LogIndex{3}});
       EXPECT_EQ(bench.raft->progress()[0].match_index, LogIndex{3});
       EXPECT_NE(bench.said<AppendEntries>(2), nullptr);  // B12: at once
     }},
    {"InstallSnapshot", "Paper figure 13, rules 6-8: a snapshot replaces a log that does not agree with it (E3)",
     [] {
       Bench bench(Cluster::voters(3), {command_entry(2, 1, "a"), command_entry(3, 1, "b")});
       const SnapshotMetadata snapshot{LogIndex{3}, Term{2}, Configuration("test", Cluster::voters(3))};
       bench.receive(2, InstallSnapshot{Term{2}, snapshot});
       ASSERT_TRUE(bench.out.snapshot_to_receive.has_value());
       bench.receive(2, InstallSnapshot{Term{2}, snapshot});  // announced again
       EXPECT_FALSE(bench.out.snapshot_to_receive.has_value());
       bench.step(Campaign{});
       EXPECT_EQ(bench.raft->role(), Role::kFollower);  // A8
       bench.step(SnapshotReceived{snapshot});
       EXPECT_TRUE(bench.out.snapshot_installed.has_value());
       EXPECT_EQ(bench.out.truncated_from, LogIndex{2});
       ASSERT_TRUE(bench.out.disk.restart_after.has_value());
       EXPECT_EQ(bench.raft->last_index(), LogIndex{3});
       EXPECT_EQ(bench.raft->term_of(LogIndex{3}), Term{2});
       EXPECT_NE(Bench::find<InstallSnapshotReply>(bench.out.promises), nullptr);
       bench.step(SnapshotReceived{snapshot});  // E4, E9: once more
       EXPECT_TRUE(bench.out.snapshot_discarded);
     }},
    {"InstallKnown", "Paper figure 13, rule 6: a log that has the snapshot's last entry needs no snapshot",
     [] {
       Bench bench(Cluster::voters(3), {command_entry(2, 1, "a"), command_entry(3, 1, "b")});
       bench.receive(2, InstallSnapshot{Term{1}, {LogIndex{2}, Term{1}, Configuration("test", Cluster::voters(3))}});
       EXPECT_FALSE(bench.out.snapshot_to_receive.has_value());
       EXPECT_EQ(bench.raft->commit_index(), LogIndex{2});
       EXPECT_EQ(bench.said<InstallSnapshotReply>()->match_index, LogIndex{2});
       EXPECT_EQ(bench.raft->last_index(), LogIndex{3});
     }},
    {"LogBehindSnapshot", "E1: a crash between snapshot and log leaves a log that ends before it: it is started anew",
     [] {
       Bench bench;
       bench.restored.snapshot = {LogIndex{10}, Term{2}, Configuration("test", Cluster::voters(3))};
       bench.step(Tick{});
       EXPECT_EQ(bench.raft->last_index(), LogIndex{10});
       ASSERT_TRUE(bench.out.disk.restart_after.has_value());
       EXPECT_EQ(bench.out.disk.restart_after->index, LogIndex{10});
     }},
    {"CompactionPinned", "Architecture 5, E11: a follower that catches up holds the log back, but not without bound",
     [] {
       std::vector<Entry> log;
       for (std::uint64_t i = 2; i <= 100; ++i) log.push_back(command_entry(i, 1, "x"));
       Bench bench(Cluster::voters(3), log, 1, 0, 100);
       bench.config.catch_up_tail_entries = 5;
       bench.config.catch_up_pin_entries_max = 50;
       bench.lead();
       bench.acknowledge(2, 70);
       bench.step(SnapshotTaken{{LogIndex{90}, Term{1}, bench.raft->configuration()}});
       EXPECT_EQ(bench.out.compacted_to, LogIndex{70});
       bench.acknowledge(3, 10);
       bench.step(SnapshotTaken{{LogIndex{100}, Term{1}, bench.raft->configuration()}});
       EXPECT_FALSE(bench.out.compacted_to.has_value());
     }},
    {"FlowControl", "10.2.1: the pipeline to one follower is bounded in entries and bytes",
     [] {
       Bench bench;
       bench.config.inflight_entries_max = 4;
       bench.lead();
       bench.acknowledge(2, 1);
       std::size_t sent = 0;
       for (int i = 0; i < 20; ++i) {
         bench.step(Propose{});
         if (const auto* message = bench.said<AppendEntries>(2)) sent += message->entries.size();
       }
       EXPECT_LE(sent, 4U);
       bench.acknowledge(2, 5);
       EXPECT_NE(bench.said<AppendEntries>(2), nullptr);
     }},
    {"PipelineReset", "B11: after a broken link the pipeline starts again at what was acknowledged",
     [] {
       Bench bench;
       bench.lead();
       bench.acknowledge(2, 1);
       bench.step(Propose{});
       bench.step(PeerUnreachable{NodeId{2}});
       bench.step(LinkRestored{NodeId{2}});
       ASSERT_NE(bench.said<AppendEntries>(2), nullptr);
       EXPECT_EQ(bench.said<AppendEntries>(2)->prev_log_index, LogIndex{1});
       bench.acknowledge(2, 1);
       EXPECT_EQ(bench.said<AppendEntries>(2)->entries.size(), 2U);
       EXPECT_NE(Bench::find<AppendEntries>(bench.out.messages, 2), nullptr);
     }},
    {"ReadFromDisk", "Entries that left memory are read from disk; if they cannot be, a snapshot is sent",
     [] {
       std::vector<Entry> log;
       for (std::uint64_t i = 2; i <= 20; ++i) log.push_back(command_entry(i, 1, "x"));
       Bench bench(Cluster::voters(3), {}, 1, 0, 20);
       bench.restored.first_index = LogIndex{1};
       bench.restored.older_runs = {{LogIndex{1}, Term{1}}};
       bench.restored.older_configurations = {{LogIndex{1}, Configuration("test", Cluster::voters(3))}};
       bench.restored.entries = {command_entry(20, 1, "x")};
       bench.lead();
       bench.acknowledge(2, 5);
       ASSERT_EQ(bench.out.log_reads.size(), 1U);
       EXPECT_EQ(bench.out.log_reads[0].first, LogIndex{6});
       EXPECT_EQ(bench.out.log_reads[0].last, LogIndex{19});
       bench.step(LogLoaded{NodeId{2}, {command_entry(6, 1, "x"), command_entry(7, 1, "x")}});
       ASSERT_NE(bench.said<AppendEntries>(2), nullptr);
       EXPECT_EQ(bench.said<AppendEntries>(2)->entries.size(), 2U);
       EXPECT_EQ(bench.out.log_reads[0].first, LogIndex{8});
       bench.step(LogUnavailable{NodeId{2}});
       EXPECT_TRUE(bench.out.snapshot_wanted);
     }},
    {"Bootstrap", "Architecture 3: the first configuration is the first entry, given to one node",
     [] {
       Bench bench;
       bench.restored = Restored{};
       bench.step(Bootstrap{Configuration("new", Cluster::voters(3))});
       EXPECT_EQ(bench.raft->configuration().cluster_id(), "new");
       EXPECT_EQ(bench.raft->role(), Role::kPreCandidate);
       ASSERT_EQ(bench.out.disk.entries.size(), 1U);
       EXPECT_EQ(bench.out.disk.entries[0].type, EntryType::kConfiguration);
     }},
};
INSTANTIATE_TEST_SUITE_P(Thesis, Paper, ::testing::ValuesIn(kThesis), rule_name);

// B6: loudly.
TEST(PaperDeathTest, ConflictWithCommittedEntryStopsTheNode) {
  Bench bench(Cluster::voters(3), {command_entry(2, 1, "a")}, 2, 0, 2);
  bench.start();
  EXPECT_DEATH(bench.receive(2, append(2, 1, 1, {command_entry(2, 2, "x")})), "B6");
}

TEST(PaperDeathTest, TwoLeadersInATermStopTheNode) {
  Bench bench;
  bench.receive(2, append(1, 1, 1));
  EXPECT_DEATH(bench.receive(3, append(1, 1, 1)), "election safety");
}

}  // namespace
}  // namespace redraft::raft::testing
