#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "raft/message.h"

namespace redraft::raft {

// Work for the disk, in this order: cut, hard state, entries, one sync, then Persisted{ticket}. Requests are done in
// the order of their tickets; several may share one sync.
struct DiskRequest {
  Ticket ticket;  // 0: no request in this step
  // The log starts anew behind this snapshot, which is durable already: entries after its index survive only if
  // `keep_entries_after_snapshot`, everything else is dropped.
  std::optional<SnapshotMetadata> restart_after;
  bool keep_entries_after_snapshot = false;
  std::optional<HardState> hard_state;
  // Consecutive. Every stored entry with an index >= the first one's is replaced, also beyond the last one's.
  std::vector<Entry> entries;
  // Known committed, for whoever reads the log after a crash; written along, never a reason to sync. <= the last index.
  LogIndex commit_index;
  [[nodiscard]] bool wanted() const { return ticket.value != 0; }
};

enum class ProposalStatus : std::uint8_t {
  kAccepted,       // in the log at `index`; says nothing about commitment
  kNotLeader,      // never in any log: a definite "not executed"
  kTransferring,   // leadership is being handed over; as above
  kTermStartDue,   // the term's first entry was not proposed yet; as above
  kBacklog,        // too many uncommitted bytes; as above, try when some have committed
  kTooLarge,       // beyond kPayloadSizeMax
  kNotPermitted,   // kConfiguration, a second kTermStart, or a change that raft::changed refuses
  kChangePending,  // a configuration change has to wait for another one, or for this term's first commit
};

struct Proposal {
  ProposalStatus status;
  LogIndex index;
  Term term;
};

// The read may run once the state machine has applied `index`. `by_lease`: nobody was asked; ask Raft::lease_holds
// again when the read has run (pitfall C4).
struct ReadState {
  ReadId id;
  LogIndex index;
  bool by_lease = false;
};

// Role, term and leader always change together (pitfall A10). leader 0: unknown.
struct LeaderStatus {
  Role role;
  Term term;
  NodeId leader;
  friend bool operator==(const LeaderStatus&, const LeaderStatus&) = default;
};

struct LogRead {
  NodeId node;  // for whom; repeated in the answer
  LogIndex first;
  LogIndex last;          // inclusive
  std::size_t bytes_max;  // payload bytes; one entry at least
};

struct SnapshotToSend {
  NodeId node;
  SnapshotMetadata snapshot;
};

struct SnapshotToReceive {
  NodeId from;
  SnapshotMetadata snapshot;
};

// What a step wants done. The caller owns it, clears it and gives it to the next step, so that capacity is kept.
struct Output {
  // Vouch for nothing on this disk: send at once (thesis 10.2.1).
  std::vector<Envelope> messages;
  DiskRequest disk;
  // Send only when `promises_after` is durable; that may be an earlier step's ticket.
  std::vector<Envelope> promises;
  Ticket promises_after;
  // Apply, in order and once each. May be ahead of what is durable here: a majority has it.
  std::vector<Entry> committed;
  std::vector<ReadState> reads;
  std::vector<ReadId> lost_reads;  // not answered and never will be: no leader, or it changed (pitfall C8)
  std::optional<Proposal> proposal;
  std::optional<LeaderStatus> leader_status;  // only when it changed
  bool became_leader = false;                 // propose kTermStart before anything else
  // Entries from here on that were in the log no longer are. They may still come back and commit (pitfall B10): only an
  // entry of another term in `committed` at the same index settles a proposal's fate.
  std::optional<LogIndex> truncated_from;
  bool configuration_changed = false;  // Raft::configuration() is another one: open and close links
  std::vector<LogRead> log_reads;
  std::vector<SnapshotToSend> snapshots_to_send;
  std::optional<SnapshotToReceive> snapshot_to_receive;
  std::optional<SnapshotMetadata>
      snapshot_installed;           // swap in the state received; nothing before it will be committed
  bool snapshot_discarded = false;  // the state just offered by SnapshotReceived is not wanted
  bool snapshot_wanted = false;     // a follower needs one and this node has none new enough
  // Restored::may_vote was false, and everything this node may have acknowledged before is on its disk again. To be
  // made durable; then VotingRestored. Said once.
  bool repaired = false;
  // Entries up to here are needed no more by this group's log (a snapshot and the catch-up tail cover it).
  std::optional<LogIndex> compacted_to;

  void clear();
};

}  // namespace redraft::raft
