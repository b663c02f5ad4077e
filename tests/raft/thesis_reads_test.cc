// The dissertation on reads without log entries: 6.4, and leases: 6.4.1.
#include "tests/raft/bench.h"

namespace redraft::raft::testing {
namespace {

const Rule kReads[] = {
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
       bench.receive(2, reply);
       EXPECT_EQ(bench.out.reads.size(), 1U);
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
    {"LeaseRead", "6.4.1: while the lease holds a read asks nobody; afterwards a round of heartbeats (C4)",
     [] {
       Bench bench;
       bench.config.lease_us = bench.config.lease_longest_us = 200000;
       bench.config.lease_drift_us = 10000;
       bench.tick(25);
       bench.lead();
       bench.persist();
       AppendEntriesReply reply;
       reply.term = bench.raft->term();
       reply.match_index = LogIndex{2};
       reply.lease_sent_at_us = bench.now_us;
       bench.receive(2, reply);
       bench.step(ReadIndex{.id = ReadId{1}, .now_us = bench.now_us + 189999});
       ASSERT_EQ(bench.out.reads.size(), 1U);
       EXPECT_EQ(bench.out.reads[0].index, LogIndex{2});
       EXPECT_TRUE(bench.out.reads[0].by_lease);
       EXPECT_EQ(bench.said<AppendEntries>(), nullptr);
       // Stopped for a moment between a tick and the request: the clock of the request counts, not the tick's.
       bench.step(ReadIndex{.id = ReadId{2}, .now_us = bench.now_us + 190000});
       EXPECT_TRUE(bench.out.reads.empty());
       EXPECT_NE(bench.said<AppendEntries>(), nullptr);
       bench.acknowledge(2, 2);
       ASSERT_EQ(bench.out.reads.size(), 1U);
       EXPECT_FALSE(bench.out.reads[0].by_lease);
       bench.step(ReadIndex{ReadId{3}});  // without a clock
       EXPECT_TRUE(bench.out.reads.empty());
     }},
    {"LeaseChange", "6.4.1: nobody's promise counts while the configuration that it rests on is about to change",
     [] {
       Bench bench;
       bench.config.lease_us = bench.config.lease_longest_us = 200000;
       bench.tick(25);
       bench.lead();
       bench.persist();
       AppendEntriesReply reply;
       reply.term = bench.raft->term();
       reply.match_index = LogIndex{2};
       reply.lease_sent_at_us = bench.now_us;
       bench.receive(2, reply);
       ASSERT_TRUE(bench.raft->lease_holds(bench.now_us));
       MemberChange change;
       change.kind = MemberChangeKind::kRemove;
       change.member.id = NodeId{3};
       bench.step(ChangeMembers{{change}});
       ASSERT_EQ(bench.out.proposal->status, ProposalStatus::kAccepted);
       EXPECT_FALSE(bench.raft->lease_holds(bench.now_us));
       bench.persist();
       bench.acknowledge(2, 3);
       EXPECT_TRUE(bench.raft->lease_holds(bench.now_us));
     }},
    {"LeaseAlone", "6.4.1: the only voter keeps no promise towards itself, nor does one that never heard a leader",
     [] {
       Bench alone(Cluster::voters(1));
       alone.config.lease_longest_us = 400000;
       alone.step(Campaign{});
       EXPECT_EQ(alone.raft->role(), Role::kCandidate);
       Bench fresh(Cluster::voters(3), {}, 0, 0, 0);
       fresh.restored.entries.clear();
       fresh.config.lease_longest_us = 400000;
       fresh.receive(2, vote_request(1, 1, 1));
       EXPECT_TRUE(fresh.said<RequestVoteReply>()->granted);
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
};
INSTANTIATE_TEST_SUITE_P(Reads, Paper, ::testing::ValuesIn(kReads), rule_name);

}  // namespace
}  // namespace redraft::raft::testing
