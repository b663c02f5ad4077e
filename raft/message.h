#pragma once

#include <cstdint>
#include <variant>
#include <vector>

#include "raft/configuration.h"
#include "raft/types.h"

namespace redraft::raft {

// What a snapshot stands for. The bytes travel outside the core.
struct SnapshotMetadata {
  LogIndex index;  // 0: no snapshot
  Term term;
  Configuration configuration;
  friend bool operator==(const SnapshotMetadata&, const SnapshotMetadata&) = default;
};

// The RPCs of the paper and thesis as messages without matching of calls and returns: every handler copes with loss,
// repetition and reordering. `term` is the sender's term unless said otherwise.

// Paper 5.3. Without entries it is a heartbeat; with prev_log_index 0 and no entries it says only "I lead".
struct AppendEntries {
  Term term;
  LogIndex prev_log_index;
  Term prev_log_term;
  LogIndex commit_index;
  std::uint64_t round = 0;       // the newest round of the leader (thesis 6.4); grows within a term
  std::uint64_t sent_at_us = 0;  // leader's clock, echoed; 0 when leases are off
  std::uint64_t lease_us = 0;    // the promise asked for (thesis 6.4.1); 0: none
  // To a member that does not vouch, once that is known: all that can have been committed by its forgotten word lies at
  // or below (docs/decisions, "Repair from peers"). 0: not said.
  LogIndex repair_index;
  std::vector<Entry> entries;  // consecutive from prev_log_index + 1
};

// Goes out when everything it says is durable. `match_index` is what this very message verified, never the follower's
// own last index (pitfall B4).
struct AppendEntriesReply {
  Term term;
  std::uint64_t round = 0;             // echo; acknowledges leadership, also when rejected
  std::uint64_t lease_sent_at_us = 0;  // echo of sent_at_us if the lease was promised, else 0
  bool rejected = false;
  bool vouches = true;      // false: a repairing node, which may be fed but counted in no majority
  LogIndex match_index;     // if not rejected
  LogIndex rejected_index;  // if rejected: the prev_log_index that did not match
  LogIndex hint_index;      // if rejected: the largest index that can match, and its term (paper 5.3, end)
  Term hint_term;
};

// Sent on receipt, when the AppendEntriesReply has to wait for the disk: leadership is acknowledged (a durable term),
// nothing about the log.
struct RoundReply {
  Term term;
  std::uint64_t round = 0;
  std::uint64_t lease_sent_at_us = 0;
};

// Paper 5.2; thesis 9.6 for pre_vote, whose `term` is the one the sender would start.
struct RequestVote {
  Term term;
  LogIndex last_log_index;
  Term last_log_term;
  bool pre_vote = false;
  bool leader_transfer = false;  // the leader asked for this election (thesis 3.10, 4.2.3)
  bool early_election = false;   // the sender's link to the leader broke and was refused
};

struct RequestVoteReply {
  Term term;  // pre-vote granted: the term asked for; otherwise the sender's (pitfall A6)
  bool pre_vote = false;
  bool granted = false;
};

// Announces the snapshot whose chunks follow outside.
struct InstallSnapshot {
  Term term;
  SnapshotMetadata snapshot;
};

struct InstallSnapshotReply {
  Term term;
  bool rejected = false;  // could not be received or loaded: send again
  bool vouches = true;
  LogIndex snapshot_index;  // which snapshot this is about (pitfall E5)
  LogIndex match_index;     // known committed and durable here; >= snapshot_index unless rejected
};

// Thesis 3.10: start an election at once.
struct TimeoutNow {
  Term term;
};

// A follower asks for a read index on behalf of its own reads (thesis 6.4, end).
struct ReadIndexRequest {
  Term term;
  ReadId id;  // the asking core's own number, new for every request (pitfall C2)
};

struct ReadIndexReply {
  Term term;
  ReadId id;
  bool ok = false;  // false: not the leader (any more); ask again elsewhere (pitfall C8)
  LogIndex index;
};

using Message = std::variant<AppendEntries, AppendEntriesReply, RoundReply, RequestVote, RequestVoteReply,
                             InstallSnapshot, InstallSnapshotReply, TimeoutNow, ReadIndexRequest, ReadIndexReply>;

// A message on its way. The boot number is the link's matter (handshake.h): no rule here needs it, because a leader or
// candidate never keeps its role over a restart within a term.
struct Envelope {
  NodeId from;
  NodeId to;
  GroupId group;
  Incarnation incarnation;  // the sender's
  Message message;
};

}  // namespace redraft::raft
