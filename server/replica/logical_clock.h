#pragma once

#include <cstdint>
#include <map>

#include "server/replica/host.h"

namespace redraft::replica {

// The clock that decides expiry: the leader's, stamped into every entry (architecture, section 6; compare ClusterClock
// in logcabin/logcabin:Server/RaftConsensus.h). It starts at the last clock in the log, advances with suspend-counting
// monotonic time, is slewed towards wall time by at most the permitted drift, and never goes back or stands still. Only
// when a majority's wall clocks agree that it is far behind (all nodes were down) does it step, and only forward.
class LogicalClock {
 public:
  explicit LogicalClock(std::uint32_t drift_max_ppm) : drift_max_ppm_(drift_max_ppm) {}

  // This node leads from now on; `last_ms` is the newest clock in its log. 0, an empty log, takes this node's wall
  // clock. `last_at_us` is the monotonic time at which this process learned it, so that the time without a leader
  // counts for every deadline; 0: it was on disk at start, and then only wall clocks on which a majority agrees can
  // tell. Left out, that time would add up to a step in the middle of a term, which takes it from keys set just before.
  void lead(std::uint64_t last_ms, std::uint64_t last_at_us, Time now, std::size_t voters);
  // What a peer's wall clock showed; `now` is when it arrived.
  void peer_wall(std::uint64_t node, std::uint64_t wall_ms, Time now);
  void forget_peer(std::uint64_t node) { peer_offsets_ms_.erase(node); }

  // The leader's clock in milliseconds. Only after `lead`; monotone over calls.
  [[nodiscard]] std::uint64_t read_ms(Time now, std::size_t voters);

 private:
  // The earliest of the wall clocks on which a majority agrees with this node's; 0 if there is no such majority.
  [[nodiscard]] std::uint64_t agreed_wall_ms(Time now, std::size_t voters) const;

  std::uint32_t drift_max_ppm_;
  std::uint64_t clock_us_ = 0;
  std::uint64_t monotonic_us_ = 0;  // when clock_us_ was right
  // Wall clock minus monotonic clock of each peer as seen here, in milliseconds: comparable without being fresh.
  std::map<std::uint64_t, std::int64_t> peer_offsets_ms_;
};

}  // namespace redraft::replica
