// The dissertation on who leads: 3.10, 4.2.3, 6.2, 9.6; and when a leader leaves by itself.
#include "tests/raft/bench.h"

namespace redraft::raft::testing {
namespace {

const Rule kElections[] = {
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
    {"StickinessEnds",
     "4.2.3: who may not campaign, since the leader's snapshot is on its way (A8), votes when that leader has gone "
     "silent",
     [] {
       Bench bench;
       const SnapshotMetadata snapshot{LogIndex{4}, Term{1}, Configuration("test", Cluster::voters(3))};
       bench.receive(2, InstallSnapshot{Term{1}, snapshot});
       RequestVote request = vote_request(2, 4, 1);
       request.pre_vote = true;
       bench.receive(3, request);
       EXPECT_EQ(bench.said<RequestVoteReply>(), nullptr);
       bench.tick(2 * bench.config.election_timeout_ticks);
       EXPECT_EQ(bench.raft->role(), Role::kFollower);
       bench.receive(3, request);
       ASSERT_NE(bench.said<RequestVoteReply>(), nullptr);
       EXPECT_TRUE(bench.said<RequestVoteReply>()->granted);
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
};
INSTANTIATE_TEST_SUITE_P(Elections, Paper, ::testing::ValuesIn(kElections), rule_name);

}  // namespace
}  // namespace redraft::raft::testing
