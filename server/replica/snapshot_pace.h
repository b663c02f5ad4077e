#pragma once

#include <cstddef>
#include <cstdint>

namespace redraft::replica {

// How fast a node walks its state for a snapshot. Clients come first: while anybody is served the walk takes small
// slices at a bounded rate, so that neither the loop nor the disk nor the other threads feel much of it. It is in no
// hurry, but for two things: a node that serves nobody goes on at full speed, and the walk never lags behind the log.
// When as much log has been written since its begin as makes the next snapshot due, it is through: so the log is
// bounded whatever the rate.
//
// Arithmetic over what it is told; it reads no clock.
class SnapshotPace {
 public:
  struct Moment {
    std::uint64_t now_us = 0;
    std::uint64_t rate = 0;  // bytes per second while somebody is served; 0: no bound
    bool hurry = false;      // somebody waits for the end of it, or the node is stopping
    bool working = false;    // something was applied or asked since the last turn
    double log_share = 0;    // of the log that makes the next snapshot due, written since the begin
  };

  // `state_bytes`: about what there is to walk.
  void begin(std::uint64_t now_us, std::uint64_t state_bytes);
  // How many bytes the walk may take in this turn; 0: none yet.
  [[nodiscard]] std::size_t allowance(const Moment& moment);
  // So many it took, which may be more: what changed meanwhile was copied by those who changed it.
  void took(std::size_t bytes);

  // Of one turn at full speed, about a millisecond of work, and of one beside clients.
  static constexpr std::size_t kSlice = std::size_t{256} << 10;
  static constexpr std::size_t kSmallSlice = std::size_t{32} << 10;
  // A node that was not asked anything for so long is idle.
  static constexpr std::uint64_t kIdle_us = 10'000;

 private:
  std::uint64_t filled_us_ = 0;
  std::uint64_t worked_us_ = 0;
  double saved_ = 0;  // bytes; negative after a turn that took more
  double taken_ = 0;
  double state_bytes_ = 0;
};

}  // namespace redraft::replica
