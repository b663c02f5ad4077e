#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "raft/membership.h"

namespace redraft::replica {

// How far a learner that is to be promoted has come: the rounds of thesis 4.2.1. A round sends it what the log had when
// the round began; when one takes less than an election timeout, the learner keeps up with what comes in.
class CatchUp {
 public:
  // True as soon as it has caught up. `end` is the leader's last index.
  bool advance(raft::LogIndex match, raft::LogIndex end, std::uint64_t now_us, std::uint64_t election_timeout_us);
  [[nodiscard]] raft::LogIndex target() const { return target_; }
  [[nodiscard]] std::uint32_t round() const { return round_; }

 private:
  raft::LogIndex target_;
  std::uint64_t began_us_ = 0;
  std::uint32_t round_ = 0;  // 0: none begun
};

// Why these changes may not be made now, as a sentence; nothing if they may. Beyond raft::changed: the voters that
// would be there and are heard of must be a majority, and who is promoted must have caught up. `heard` and `caught_up`
// say so of a node; `force` asks for neither.
struct Health {
  std::function<bool(raft::NodeId)> heard;
  std::function<bool(raft::NodeId)> caught_up;
};
[[nodiscard]] std::optional<std::string> objection_to(const raft::Configuration& now,
                                                      const std::vector<raft::MemberChange>& changes,
                                                      const Health& health, bool force);

}  // namespace redraft::replica
