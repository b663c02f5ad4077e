// Paper figure 2, rules for servers: all of them, followers, candidates, leaders.
#include "raft/stored.h"
#include "tests/raft/bench.h"

namespace redraft::raft::testing {
namespace {

// Of a follower that does not vouch for its log.
AppendEntriesReply unvouched(std::uint64_t match) {
  AppendEntriesReply reply;
  reply.term = Term{2};
  reply.match_index = LogIndex{match};
  reply.vouches = false;
  return reply;
}

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
       bench.receive(2, unvouched(2));
       EXPECT_EQ(bench.raft->commit_index(), LogIndex{1});
       EXPECT_EQ(bench.raft->progress()[0].match_index, LogIndex{2});
     }},
    {"ForgottenAgain", "Who does not vouch and has less than it said it had is fed from where it is",
     [] {
       Bench bench;
       bench.lead();
       bench.persist();
       bench.receive(2, unvouched(2));
       AppendEntriesReply reply = unvouched(0);
       reply.rejected = true;
       reply.rejected_index = LogIndex{2};
       bench.receive(2, reply);
       EXPECT_EQ(bench.raft->progress()[0].match_index, LogIndex{});
       ASSERT_NE(bench.said<AppendEntries>(2), nullptr);
       EXPECT_EQ(bench.said<AppendEntries>(2)->prev_log_index, LogIndex{});
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

}  // namespace
}  // namespace redraft::raft::testing
