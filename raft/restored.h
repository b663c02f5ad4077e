#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "raft/log.h"
#include "raft/message.h"

namespace redraft::raft {

// Durations in ticks; the caller decides how long a tick is.
struct Config {
  NodeId id;
  Incarnation incarnation;
  GroupId group;
  std::uint64_t boot = 0;                     // grows with each start of this incarnation
  std::uint32_t election_timeout_ticks = 10;  // drawn anew each time from [this, twice this)
  std::uint32_t heartbeat_ticks = 2;
  std::uint32_t early_election_ticks = 2;  // largest delay of an early election
  // A leader whose own disk has finished nothing for so long, work waiting, gives up (storage-faults row 18).
  std::uint32_t disk_stall_ticks_max = 40;
  std::size_t uncommitted_bytes_max = std::size_t{64} << 20;
  std::size_t inflight_entries_max = 4096;  // per follower
  std::size_t inflight_bytes_max = std::size_t{8} << 20;
  std::size_t message_bytes_max = kPayloadSizeMax;  // payload of one AppendEntries; one entry may always go
  std::size_t message_entries_max = 1024;
  std::size_t catch_up_tail_entries = 10000;       // kept in front of the newest snapshot
  std::size_t catch_up_pin_entries_max = 1000000;  // a follower that is catching up holds back at most so many
  Log::Limits log_limits;
  // So many bytes of entries may wait for a Spread, since they went to as many voters as a quorum needs (thrift.cc). 0:
  // everything goes to everybody at once.
  std::size_t held_back_bytes_max = 0;
  // And for at most so many of them: each finds out whether those chosen are late, the last one lets the entries go.
  std::uint32_t held_back_spreads_max = 1;
  // Thesis 6.4.1. 0: no leases. Microseconds of a clock that counts suspended time; the promise asked of voters, and
  // what the leader takes off for clocks that run at different speed (pitfall C5: at most the election timeout).
  std::uint64_t lease_us = 0;
  std::uint64_t lease_drift_us = 0;
  // The longest lease that this voter promises, or may have promised before its start: it waits this long before it
  // votes. 0: it promises none and never did.
  std::uint64_t lease_longest_us = 0;
};

// What the disk holds at start. A new node: all empty.
struct Restored {
  HardState hard_state;
  LogIndex commit_index;   // highest known; at least the snapshot's index
  LogIndex applied_index;  // what the caller has applied or is going to without being told; <= commit_index
  SnapshotMetadata snapshot;
  std::vector<Entry> entries;  // the log behind the snapshot
  // True: the log on disk says nothing of the snapshot, or another thing, so it is started anew behind it (pitfall E1);
  // `entries` is empty.
  bool restart_log = false;
  // False: this node may have forgotten what it promised, so it neither votes nor campaigns, and what it acknowledges
  // does not count, until VotingRestored.
  bool may_vote = true;
};

}  // namespace redraft::raft
