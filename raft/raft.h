#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "raft/configuration.h"
#include "raft/input.h"
#include "raft/log.h"
#include "raft/output.h"
#include "raft/progress.h"
#include "raft/random.h"
#include "raft/restored.h"

namespace redraft::raft {

// One member of one Raft group, as a function of its inputs: no clock, disk, socket, thread or randomness but what is
// handed in, so the same inputs give the same outputs. Rules by file: raft.cc (terms, time, dispatch), election.cc,
// follower.cc (receiving the log), replication.cc (sending it, commitment), thrift.cc (to whom first), members.cc
// (changes of the configuration), reads.cc, snapshots.cc.
//
// Deviations from thesis and what they rest on are told where they are made. Broken invariants end the process. Not
// thread-safe; not copyable, so that nobody forks a voter.
class Raft {
 public:
  // `seed`: for election timeouts. The node's id is mixed in, so that equal seeds do no harm (pitfall A12).
  Raft(Config config, Restored restored, std::uint64_t seed);
  Raft(const Raft&) = delete;
  Raft& operator=(const Raft&) = delete;

  // `output` must be clear; what was in it belongs to the caller. All of it is to be done, disk and committed entries
  // in order.
  void step(Input input, Output& output);

  [[nodiscard]] const Config& config() const { return config_; }
  [[nodiscard]] NodeId id() const { return config_.id; }
  [[nodiscard]] Role role() const { return role_; }
  [[nodiscard]] bool is_leader() const { return role_ == Role::kLeader; }
  [[nodiscard]] Term term() const { return hard_state_.term; }
  [[nodiscard]] NodeId voted_for() const { return hard_state_.voted_for; }
  [[nodiscard]] NodeId leader() const { return leader_; }  // 0: unknown
  [[nodiscard]] LeaderStatus leader_status() const { return {role_, hard_state_.term, leader_}; }
  [[nodiscard]] LogIndex commit_index() const { return commit_index_; }
  [[nodiscard]] LogIndex applied_index() const { return applied_index_; }
  [[nodiscard]] LogIndex durable_index() const { return durable_index_; }  // of our own disk, as far as Persisted told
  [[nodiscard]] LogIndex first_index() const { return log_.first_index(); }
  [[nodiscard]] LogIndex last_index() const { return log_.last_index(); }
  [[nodiscard]] LogIndex snapshot_index() const { return snapshot_.index; }
  [[nodiscard]] std::optional<Term> term_of(LogIndex index) const { return log_.term_of(index); }
  [[nodiscard]] const Log& log() const { return log_; }
  // The newest in the log, committed or not (thesis 4.1).
  [[nodiscard]] const Configuration& configuration() const { return configurations_.newest(); }
  [[nodiscard]] LogIndex configuration_index() const { return configurations_.newest_index(); }
  // As of an index at or below the last; for the metadata of a snapshot there.
  [[nodiscard]] const Configuration& configuration_at(LogIndex index) const { return configurations_.at(index); }
  // Of every other member; only while leading, otherwise empty.
  [[nodiscard]] const std::vector<Progress>& progress() const { return progress_; }
  // While leading: whether the node was heard of within the last election timeout. Itself always.
  [[nodiscard]] bool hears(NodeId node) const;
  // The newest configuration that is known committed.
  [[nodiscard]] const Configuration& committed_configuration() const { return configurations_.at(commit_index_); }
  [[nodiscard]] std::size_t uncommitted_bytes() const { return uncommitted_bytes_; }
  [[nodiscard]] NodeId transfer_target() const { return transfer_target_; }  // 0: no transfer in progress
  [[nodiscard]] bool may_vote() const { return may_vote_; }
  // Leading, and an entry of the own term is committed: reads are answered (thesis 6.4).
  [[nodiscard]] bool has_committed_in_term() const;
  // Nobody else can have been elected at `now_us`, by the promises of a quorum. Ask again when the reply is written
  // (pitfall C4). The clock must be the one of Tick.
  [[nodiscard]] bool lease_holds(std::uint64_t now_us) const;
  [[nodiscard]] Ticket last_ticket() const { return last_ticket_; }
  [[nodiscard]] Ticket persisted_ticket() const { return persisted_ticket_; }
  [[nodiscard]] std::size_t pending_reads() const { return waiting_reads_.size() + round_reads_.size(); }
  [[nodiscard]] std::uint64_t round() const { return round_; }
  // The first entry that waits for a Spread; 0: none does.
  [[nodiscard]] LogIndex held_back_from() const;

 private:
  // A disk request that is not durable yet, and what will be once it is.
  struct PendingDisk {
    Ticket ticket;
    LogIndex last_index;  // ours by then; lowered when a truncation takes entries back (pitfall B9)
    HardState hard_state;
    std::uint32_t asked_at_tick;
  };
  // A read that waits for its index: ours (from 0) or a follower's.
  struct WaitingRead {
    NodeId from;
    ReadId id;
  };

  // raft.cc
  void restore(Restored restored);
  void finish_step();
  void emit_committed();
  void on(Tick& tick);
  void on(Propose& propose);
  void on(ChangeMembers& change);
  void on(Receive& receive);
  void on(Persisted& persisted);
  void on(DiskFull& full);
  void on(Applied& applied);
  void on(ReadIndex& read);
  void on(Flush& flush);
  void on(Spread& spread);
  void on(TransferLeadership& transfer);
  void on(Campaign& campaign);
  void on(PeerUnreachable& peer);
  void on(LinkRefused& peer);
  void on(LinkRestored& peer);
  void on(SnapshotTaken& taken);
  void on(SnapshotSent& sent);
  void on(SnapshotFailed& failed);
  void on(SnapshotReceived& received);
  void on(SnapshotReceiveFailed& failed);
  void on(LogLoaded& loaded);
  void on(LogUnavailable& unavailable);
  void on(Bootstrap& bootstrap);
  void on(VotingRestored& restored);
  void tick_follower();
  void tick_leader();
  void leave_stalled_disk();
  void become_follower(Term term, NodeId leader);
  void forget_leadership();
  void set_hard_state(HardState hard_state);
  void send(NodeId to, Message message);
  void send_when_durable(NodeId to, Message message);
  void send_when_term_is_durable(NodeId to, Message message);
  [[nodiscard]] bool is_durable() const { return persisted_ticket_ >= last_ticket_ && !disk_dirty_; }
  [[nodiscard]] bool is_term_durable() const { return durable_hard_state_.term == hard_state_.term; }
  [[nodiscard]] bool is_disk_stalled(std::uint32_t ticks) const;
  [[nodiscard]] bool is_self_voter() const;
  [[nodiscard]] bool admit(const Envelope& envelope);
  void append_to_log(Entry entry);
  void append_proposal(EntryType type, std::uint32_t payload_crc, SharedBytes payload);
  void truncate_log(LogIndex from);
  void configuration_changed();
  void set_commit_index(LogIndex index);

  // election.cc
  void reset_election_timer();
  [[nodiscard]] bool may_campaign() const;
  void campaign(bool pre_vote, bool leader_transfer, bool early);
  void send_vote_requests();
  void count_votes();
  void become_leader();
  [[nodiscard]] bool is_lease_promised() const;
  [[nodiscard]] bool is_refused(NodeId node) const;
  [[nodiscard]] bool outranks(NodeId rival, const RequestVote& request) const;
  void receive(const Envelope& envelope, RequestVote& request);
  void receive(const Envelope& envelope, RequestVoteReply& reply);
  void receive(const Envelope& envelope, TimeoutNow& request);

  // follower.cc
  void follow(const Envelope& envelope, Term term);
  void receive(const Envelope& envelope, AppendEntries& request);
  [[nodiscard]] std::uint64_t promise_lease(const AppendEntries& request);
  void reject_stale_leader(NodeId from);

  // replication.cc
  [[nodiscard]] Progress* find_progress(NodeId node);
  [[nodiscard]] Progress* heard_from(const Envelope& envelope);
  void note_vouching(Progress& progress, bool vouches);
  void update_progress_members();
  void replicate(Progress& progress);
  [[nodiscard]] bool send_next(Progress& progress);
  [[nodiscard]] std::vector<Entry> next_entries(const Progress& progress, std::size_t& bytes) const;
  void send_probe(Progress& progress, bool with_entries);
  void send_empty_append(Progress& progress);
  void send_entries(Progress& progress, LogIndex prev, Term prev_term, std::vector<Entry> entries);
  void send_leading(Progress& progress);
  void broadcast_heartbeat();
  [[nodiscard]] bool is_window_full(const Progress& progress) const;
  void request_log_read(Progress& progress);
  void advance_commit();
  void check_quorum();
  void check_transfer();
  void receive(const Envelope& envelope, AppendEntriesReply& reply);
  void receive(const Envelope& envelope, RoundReply& reply);

  // thrift.cc
  void need_everybody();
  void choose_needed();
  [[nodiscard]] bool is_held_back(const Progress& progress) const;
  void count_held_back(std::size_t bytes);
  void hold_back_no_more();
  void ask_everybody();
  void hurry_late_round();

  // members.cc
  [[nodiscard]] bool may_change_members() const;
  void append_configuration(const Configuration& configuration);
  void settle_configuration();
  [[nodiscard]] bool is_leaving() const;
  void hand_over_at_leaving();

  // reads.cc
  void start_round();
  void check_round();
  void flush_round();
  void finish_read(const WaitingRead& read, LogIndex index);
  void lose_reads();
  void forward_reads();
  void receive(const Envelope& envelope, ReadIndexRequest& request);
  void receive(const Envelope& envelope, ReadIndexReply& reply);

  // snapshots.cc
  [[nodiscard]] bool send_snapshot(Progress& progress);
  void compact();
  void receive(const Envelope& envelope, InstallSnapshot& request);
  void receive(const Envelope& envelope, InstallSnapshotReply& reply);
  void reply_to_snapshot(NodeId to, LogIndex snapshot_index, bool rejected);

  Config config_;
  Random random_;
  Output* out_ = nullptr;  // during a step

  // Paper figure 2, persistent state: hard state and log as they will be once every issued request is durable.
  HardState hard_state_;
  HardState durable_hard_state_;
  Log log_;
  ConfigurationHistory configurations_;
  SnapshotMetadata snapshot_;  // our own newest

  // The disk. Requests are numbered by last_ticket_; pending_disk_ holds those after persisted_ticket_.
  Ticket last_ticket_;
  Ticket persisted_ticket_;
  std::deque<PendingDisk> pending_disk_;
  LogIndex durable_index_;   // our log up to here is on our disk as it is now
  bool disk_dirty_ = false;  // this step changed something that must go to disk
  bool hard_state_dirty_ = false;
  bool restart_log_ = false;  // found at start: Restored::restart_log

  // Volatile state on all servers.
  Role role_ = Role::kFollower;
  NodeId leader_;
  LeaderStatus reported_status_{Role::kFollower, Term{}, NodeId{}};
  LogIndex commit_index_;
  LogIndex emitted_index_;  // handed out in Output::committed
  LogIndex applied_index_;
  bool may_vote_ = true;
  LogIndex repair_index_;  // may_vote_ false: durable up to here, this node is whole again; 0: no leader has said yet
  std::uint32_t now_ticks_ = 0;
  std::uint64_t now_us_ = 0;            // of the last Tick: never later than now
  std::uint32_t election_elapsed_ = 0;  // since the leader was heard, a vote was granted, or an election began
  std::uint32_t election_timeout_ = 0;  // this time's draw
  // A lease promised since the last Tick ends a lease after the *next* one, since the time of now is not known before.
  std::uint64_t lease_promise_us_ = 0;  // promised, to be counted from the next Tick
  std::uint64_t lease_promised_until_us_ = 0;
  std::vector<NodeId> refused_;                // nodes whose process is gone, by our own link
  std::uint32_t early_election_in_ = 0;        // ticks; 0: none planned
  LogIndex verified_index_;                    // our log equals the current leader's up to here, by its own words
  std::uint64_t receipted_round_ = 0;          // newest round of the current leader that was acknowledged
  std::optional<SnapshotMetadata> receiving_;  // announced, and the caller is at it
  NodeId receiving_from_;

  // Candidates.
  struct Vote {
    NodeId from;
    bool granted;
  };
  std::vector<Vote> votes_;
  Ticket self_vote_ticket_;  // 0: counted, or none
  bool early_ = false;
  bool transfer_ = false;

  // Leaders.
  std::vector<Progress> progress_;  // sorted by node
  LogIndex term_start_index_;       // 0: the term's first entry is not proposed yet
  std::size_t uncommitted_bytes_ = 0;
  std::size_t held_back_bytes_ = 0;
  LogIndex spread_index_;  // up to here members that are not needed get entries, too
  std::uint32_t held_back_spreads_ = 0;
  LogIndex waited_index_;            // up to here entries waited at the last Spread
  LogIndex choose_again_at_;         // when this is committed; 0: not before the next heartbeat
  std::uint64_t round_at_tick_ = 0;  // the round that reads waited for at the last tick; 0: none
  std::uint32_t heartbeat_elapsed_ = 0;
  std::uint32_t quorum_check_elapsed_ = 0;
  NodeId transfer_target_;
  std::uint32_t transfer_elapsed_ = 0;
  bool timeout_now_sent_ = false;  // no lease any more in this term
  std::uint64_t round_ = 0;        // newest round that was begun; every append carries it
  bool round_held_ = false;        // this step's input asked to wait for the next one
  bool round_waits_ = false;       // it has not been sent to everybody yet
  std::uint64_t reads_round_ = 0;  // round_reads_ are answered once a quorum acknowledged this or a later one
  LogIndex reads_index_;           // at this index
  std::vector<WaitingRead> round_reads_;
  // Leader: for the next round. Follower: not forwarded yet.
  std::vector<WaitingRead> waiting_reads_;
  // Follower: round_reads_ were forwarded under this id; 0: none are.
  std::uint64_t next_forwarded_id_ = 0;
  ReadId forwarded_id_;
  std::uint32_t forwarded_elapsed_ = 0;
};

}  // namespace redraft::raft
