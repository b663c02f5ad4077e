#pragma once

#include <cstdint>
#include <variant>
#include <vector>

#include "raft/membership.h"
#include "raft/message.h"

namespace redraft::raft {

// One unit of time has passed. Timers count ticks, not time, so a process that was stopped does not believe its timers
// when it wakes (pitfalls A11, C4); `now_us`, a monotonic clock that counts suspended time, serves leases only.
struct Tick {
  std::uint64_t now_us = 0;
};

// Answered in Output::proposal of the same step. After Output::became_leader the only proposal accepted is kTermStart,
// once. kConfiguration is proposed by ChangeMembers instead.
struct Propose {
  EntryType type = EntryType::kCommand;
  std::uint32_t payload_crc = 0;
  SharedBytes payload;
};

// Thesis 4, answered like a Propose. One change at a time: refused as kChangePending until the last one and an entry of
// this leader's term are committed (pitfall D2; the single-server bug of 2015). Several changes of voters at once go
// through a joint configuration, which the leader leaves by itself. In force as soon as it is in the log; the caller
// hears of it by Output::configuration_changed, and of its commitment by the commit index.
struct ChangeMembers {
  std::vector<MemberChange> changes;
};

struct Receive {
  Envelope envelope;
};

// Every disk request up to and including this ticket is durable. May skip tickets, never goes back.
struct Persisted {
  Ticket ticket;
};

// The disk has no room and tries again by itself: what waits for it is late, not stuck (storage-faults row 7).
struct DiskFull {};

// The state machine holds all entries up to here. Entries at or below may leave memory.
struct Applied {
  LogIndex index;
};

// A linearizable read asks at which index it may run. Every id comes back in exactly one of Output::reads and
// Output::lost_reads. `hold`: a Propose or Flush follows in this turn of the caller, and the round may ride on it.
// `now_us`: the clock of Tick, read after the last request that this barrier is for came; a leader whose lease holds
// then answers at once (thesis 6.4.1). 0: no lease is believed, a quorum is asked.
struct ReadIndex {
  ReadId id;
  bool hold = false;
  std::uint64_t now_us = 0;
};

// End of the caller's turn: a held read round goes out now, alone if nothing else did.
struct Flush {};

// Members that a quorum does not need get what was held back from them (Config::held_back_bytes_max), now or with one
// of the next. Due every moment from when Raft::held_back_from says that something is; how long a moment is the caller
// knows better, since ticks are too coarse.
struct Spread {};

// Thesis 3.10. Ignored unless this node leads and `to` is another voter. Given up after one election timeout.
struct TransferLeadership {
  NodeId to;
};

// Starts an election now, through the pre-vote as usual. For operators and tests.
struct Campaign {};

// Messages to the node may have been lost: its pipeline starts again with a probe (pitfall B11).
struct PeerUnreachable {
  NodeId node;
};

// The link broke and a new one was refused: the process is gone, not only the network. See RequestVote::early_election.
struct LinkRefused {
  NodeId node;
};

struct LinkRestored {
  NodeId node;
};

// This node's own snapshot is durable. The log may be cut behind it, but for the catch-up tail.
struct SnapshotTaken {
  SnapshotMetadata snapshot;
};

// All chunks of a snapshot asked for in Output::snapshots_to_send were handed over; the receiver's reply decides.
struct SnapshotSent {
  NodeId node;
};

struct SnapshotFailed {
  NodeId node;
};

// A snapshot announced by Output::snapshot_to_receive is complete, durable and loaded beside the live state. If the
// core takes it, Output::snapshot_installed says so and the caller swaps it in; otherwise it is discarded (pitfall E4).
// For each snapshot_to_receive the caller owes this or SnapshotReceiveFailed.
struct SnapshotReceived {
  SnapshotMetadata snapshot;
};

struct SnapshotReceiveFailed {
  LogIndex index;
};

// Answers one of Output::log_reads: consecutive entries from its `first`, at least one, maybe fewer than asked.
struct LogLoaded {
  NodeId node;
  std::vector<Entry> entries;
};

// Those entries cannot be read; the node will be sent a snapshot instead (storage-faults row 8).
struct LogUnavailable {
  NodeId node;
};

// The first configuration of a new group, given to exactly one node, whose log and term are empty. It becomes entry 1.
struct Bootstrap {
  Configuration configuration;
};

// Ends Restored::may_vote == false.
struct VotingRestored {};

using Input = std::variant<Tick, Propose, ChangeMembers, Receive, Persisted, DiskFull, Applied, ReadIndex, Flush,
                           Spread, TransferLeadership, Campaign, PeerUnreachable, LinkRefused, LinkRestored,
                           SnapshotTaken, SnapshotSent, SnapshotFailed, SnapshotReceived, SnapshotReceiveFailed,
                           LogLoaded, LogUnavailable, Bootstrap, VotingRestored>;

}  // namespace redraft::raft
