// Snapshots (paper 7), the pipeline to a follower (dissertation 10.2.1), and how a group begins.
#include "raft/stored.h"
#include "tests/raft/bench.h"

namespace redraft::raft::testing {
namespace {

const Rule kLogs[] = {
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
    {"SnapshotOvertaken",
     "Thesis 3.4: who has got the entries by another leader does not wait for the snapshot of one that is gone",
     [] {
       Bench bench(Cluster::voters(3), {command_entry(2, 1, "a")});
       const SnapshotMetadata snapshot{LogIndex{4}, Term{1}, Configuration("test", Cluster::voters(3))};
       bench.receive(2, InstallSnapshot{Term{1}, snapshot});
       ASSERT_TRUE(bench.out.snapshot_to_receive.has_value());
       AppendEntries append;
       append.term = Term{2};
       append.prev_log_index = LogIndex{2};
       append.prev_log_term = Term{1};
       append.entries = {command_entry(3, 1, "b")};
       bench.receive(3, append);
       bench.step(Campaign{});
       EXPECT_EQ(bench.raft->role(), Role::kFollower);  // A8: the log ends before what the snapshot brings
       append.prev_log_index = LogIndex{3};
       append.entries = {command_entry(4, 1, "c")};
       bench.receive(3, append);
       bench.step(Campaign{});
       EXPECT_EQ(bench.raft->role(), Role::kPreCandidate);
       bench.step(SnapshotReceived{snapshot});  // comes after all, and keeps the log (figure 13, rule 6)
       EXPECT_EQ(bench.raft->role(), Role::kFollower);
       EXPECT_TRUE(bench.out.disk.keep_entries_after_snapshot);
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
       bench.restored = Restored{};
       bench.restored.snapshot = {LogIndex{10}, Term{2}, Configuration("test", Cluster::voters(3))};
       bench.restored.restart_log = true;
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
       Bench bench(Cluster::voters(3), log, 1, 0, 20);
       bench.config.message_entries_max = 10;
       bench.config.log_limits.cached_entries_max = 1;
       bench.step(Applied{LogIndex{20}});
       bench.lead();
       bench.acknowledge(2, 5);
       ASSERT_EQ(bench.out.log_reads.size(), 1U);
       EXPECT_EQ(bench.out.log_reads[0].first, LogIndex{6});
       EXPECT_EQ(bench.out.log_reads[0].last, LogIndex{15}) << "no more than a message may hold";
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
    {"BootstrapAnew", "I3: a founder that stopped before its first entry was durable may have a term and its own vote",
     [] {
       Bench bench;
       bench.restored = Restored{};
       bench.restored.hard_state = {Term{2}, NodeId{1}};
       bench.step(Bootstrap{Configuration("new", Cluster::voters(3))});
       ASSERT_EQ(bench.out.disk.entries.size(), 1U);
       EXPECT_EQ(bench.raft->term(), Term{2});
     }},
};
INSTANTIATE_TEST_SUITE_P(Logs, Paper, ::testing::ValuesIn(kLogs), rule_name);

}  // namespace
}  // namespace redraft::raft::testing
