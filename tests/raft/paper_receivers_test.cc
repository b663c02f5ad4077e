// Paper figure 2, RequestVote and AppendEntries: what a receiver does.
#include "raft/stored.h"
#include "tests/raft/bench.h"

namespace redraft::raft::testing {
namespace {

const std::vector<Entry> kTwoMore = {command_entry(2, 1, "a"), command_entry(3, 2, "b")};

// --- RequestVote ---

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

// --- AppendEntries ---

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
       bench.restored.entries = {configuration_entry(LogIndex{11}, Term{4}, Configuration("test", Cluster::voters(5)))};
       bench.start();
       EXPECT_TRUE(bench.raft->configuration().is_voter(NodeId{5}));
       EXPECT_EQ(bench.raft->configuration_index(), LogIndex{11});
       EXPECT_EQ(bench.raft->configuration_at(LogIndex{10}).members().size(), 3U);
     }},
};
INSTANTIATE_TEST_SUITE_P(Appending, Paper, ::testing::ValuesIn(kAppending), rule_name);

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
