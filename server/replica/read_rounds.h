#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "raft/types.h"

namespace redraft::replica {

class Session;

// Read barriers (ReadIndex, thesis 6.4): all reads that arrive while a round is under way share the next one. A round
// is passed when Raft has named its index and that index is applied here. Rounds pass in order.
class ReadRounds {
 public:
  // The session has one more read waiting; returns the round that it waits for.
  std::uint64_t join(Session* session);
  // The round to ask Raft for now, or 0: nobody waits, or one is under way.
  [[nodiscard]] std::uint64_t begin();
  // Raft answered: everything up to `index` must be applied first. `by_lease`: without asking anybody.
  void confirmed(std::uint64_t round, raft::LogIndex index, bool by_lease);

  struct Round {
    std::uint64_t number = 0;
    bool confirmed = false;
    bool by_lease = false;
    raft::LogIndex index;
    std::vector<Session*> sessions;
  };
  // Takes the oldest round if it is passed at `applied`.
  [[nodiscard]] bool take_passed(raft::LogIndex applied, Round& round);
  // Takes everything, confirmed or not, when leadership is lost.
  [[nodiscard]] std::vector<Round> take_all();
  void recycle(Round round);

  [[nodiscard]] std::uint64_t passed() const { return passed_; }
  // Reads of this round and those before it rest on the word of a quorum, later ones that passed on a lease.
  [[nodiscard]] std::uint64_t passed_by_quorum() const { return passed_by_quorum_; }
  [[nodiscard]] bool waiting() const { return !gathering_.empty() || !under_way_.empty(); }

 private:
  std::vector<Session*> gathering_;
  std::deque<Round> under_way_;  // at most one unconfirmed
  std::vector<std::vector<Session*>> spare_;
  std::uint64_t next_ = 1;
  std::uint64_t passed_ = 0;
  std::uint64_t passed_by_quorum_ = 0;
};

}  // namespace redraft::replica
