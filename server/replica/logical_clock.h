#pragma once

#include <cstdint>
#include <map>
#include <optional>

#include "server/replica/host.h"

namespace redraft::replica {

// The clock that decides expiry: the leader's, stamped into every entry (architecture, section 6; compare ClusterClock
// in logcabin/logcabin:Server/RaftConsensus.h). It starts at the last clock in the log, advances with suspend-counting
// monotonic time, is slewed towards wall time, and never goes back or stands still.
//
// Every node follows the leader's clock and knows its voters' wall clocks, so that the time without a leader counts for
// every deadline when a term begins, and no lag adds up: what is caught up later is taken from the lives of keys that
// were set before it. So within a term a lag is only slewed away (docs/decisions/0012-clock-lag.md).
class LogicalClock {
 public:
  explicit LogicalClock(std::uint32_t drift_max_ppm) : drift_max_ppm_(drift_max_ppm) {}

  // The leader's clock as an entry or a status has it that arrived now, or as this leader just read it. What is heard
  // late (catching up, a slow link) shows less than the clock is; the best word counts, less what two monotonic clocks
  // may have drifted apart since.
  void heard(std::uint64_t clock_ms, Time now);
  // What a peer's wall clock showed; `now` is when it arrived.
  void peer_wall(std::uint64_t node, std::uint64_t wall_ms, Time now);
  void forget_peer(std::uint64_t node) { peer_offsets_ms_.erase(node); }

  // This node leads from now on; `last_ms` is the newest clock in its log. 0, an empty log, takes this node's wall
  // clock. The time since then: by what was heard of the last leader or by wall clocks on which a majority agrees,
  // whichever tells of more. Who was away or has just started may have heard late or nothing.
  void lead(std::uint64_t last_ms, Time now, std::size_t voters);
  // The leader's clock in milliseconds. Only after `lead`; monotone over calls.
  [[nodiscard]] std::uint64_t read_ms(Time now, std::size_t voters);

 private:
  // Of the clock to this node's monotonic time, at that time.
  struct Heard {
    std::int64_t offset_us;
    std::uint64_t at_us;
  };
  [[nodiscard]] std::int64_t heard_offset_us(Time now) const;
  // The earliest of wall clocks on which a majority agrees; 0 if there is no such majority.
  [[nodiscard]] std::uint64_t agreed_wall_ms(Time now, std::size_t voters) const;

  std::uint32_t drift_max_ppm_;
  std::optional<Heard> heard_;
  std::uint64_t clock_us_ = 0;
  std::uint64_t monotonic_us_ = 0;  // when clock_us_ was right
  // Wall clock minus monotonic clock of each peer as seen here, in milliseconds: comparable without being fresh.
  std::map<std::uint64_t, std::int64_t> peer_offsets_ms_;
};

}  // namespace redraft::replica
