#pragma once

#include <cstdint>
#include <vector>

#include "raft/message.h"

namespace redraft::raft {

// The AppendEntries with entries that a follower has not acknowledged, oldest first, and their bytes. All counts follow
// from the queue, so none can leak (pitfall B8).
class Inflight {
 public:
  void add(LogIndex last_index, std::uint64_t bytes);
  void free_to(LogIndex index);
  void clear();
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }
  [[nodiscard]] std::size_t count() const { return sends_.size() - head_; }

 private:
  struct Send {
    LogIndex last_index;
    std::uint64_t bytes;
  };
  std::vector<Send> sends_;
  std::size_t head_ = 0;  // sends_[0, head_) are acknowledged
  std::uint64_t bytes_ = 0;
};

// Probe: where the logs agree is unknown; one append at a time. Replicate: known; appends are pipelined. Snapshot: the
// follower needs entries that are gone; it gets none until it answers for the snapshot.
enum class ProgressState : std::uint8_t { kProbe, kReplicate, kSnapshot };

// What a leader knows of one other member (thesis 10.2.1). Always match_index < next_index.
struct Progress {
  NodeId node;
  ProgressState state = ProgressState::kProbe;
  LogIndex match_index;                // highest index known durable there in agreement with our log
  LogIndex next_index;                 // next entry to send; everything in (match_index, next_index) is in flight
  bool vouches = true;                 // its match_index may count (AppendEntriesReply::vouches)
  bool probe_sent = false;             // kProbe: wait for the answer or the next heartbeat
  bool recently_active = false;        // was heard of since the last quorum check
  std::uint32_t heard_at_tick = 0;     // and one; 0: not yet in this leadership
  bool needed = true;                  // gets everything at once; see thrift.cc
  bool loading = false;                // entries for it are being read from disk
  LogIndex commit_sent;                // commit index in the last append sent
  std::uint64_t acked_round = 0;       // newest round it acknowledged in this term
  std::uint64_t round_sent = 0;        // newest round sent to it
  std::uint64_t lease_sent_at_us = 0;  // newest lease it promised, by the time of our sending
  SnapshotMetadata pending_snapshot;   // kSnapshot: which one, even if there are newer ones by now
  Inflight inflight;                   // kReplicate

  void become_probe(LogIndex next);
  void become_replicate();
  void become_snapshot(SnapshotMetadata snapshot);
  // True if anything new was learnt. Never moves backwards (pitfall B3).
  bool acknowledge(LogIndex match);
};

}  // namespace redraft::raft
