#pragma once

#include "raft/output.h"
#include "raft/raft.h"

namespace redraft::raft {

// What must hold of one core after every step, whatever happened. Runs in tests and simulation; a broken one ends the
// process with a sentence. Rules between several cores (election safety, log matching) need all of them and are the
// tests' own.
class RaftInvariants {
 public:
  // After construction and after every step, with that step's output.
  void check(const Raft& raft, const Output& output);

 private:
  void check_disk(const Raft& raft, const Output& output);
  void check_committed(const Raft& raft, const Output& output);

  bool seen_ = false;
  Term term_;
  NodeId voted_for_;
  Role role_ = Role::kFollower;
  NodeId leader_;
  LogIndex commit_index_;
  LogIndex emitted_index_;
  Ticket last_ticket_;
  LogIndex leader_last_index_;  // a leader never removes from its own log (paper 5.3, leader append-only)
};

}  // namespace redraft::raft
