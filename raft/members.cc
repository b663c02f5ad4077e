// Changes of the configuration: thesis 4, paper 6. The arithmetic is membership.h's.
#include <algorithm>

#include "base/check.h"
#include "base/crc32c.h"
#include "raft/membership.h"
#include "raft/raft.h"
#include "raft/stored.h"

namespace redraft::raft {

// Until an entry of the own term is committed, two leaders could each think theirs the only change in progress, and
// their configurations need not share a majority: the bug of the single-server method found in 2015, whose remedy this
// is (raft-dev, "bug in single-server membership changes"; pitfall D2).
bool Raft::may_change_members() const {
  return has_committed_in_term() && configurations_.newest_index() <= commit_index_ && !configuration().is_joint();
}

void Raft::on(ChangeMembers& change) {
  const auto answer = [this](ProposalStatus status, LogIndex index = {}) {
    out_->proposal = Proposal{status, index, hard_state_.term};
  };
  if (!is_leader()) return answer(ProposalStatus::kNotLeader);
  if (term_start_index_.value == 0) return answer(ProposalStatus::kTermStartDue);
  if (transfer_target_.value != 0) return answer(ProposalStatus::kTransferring);
  if (!may_change_members()) return answer(ProposalStatus::kChangePending);
  const Result<Configuration> to = changed(configuration(), change.changes);
  if (!to.ok()) return answer(ProposalStatus::kNotPermitted);
  answer(ProposalStatus::kAccepted, log_.last_index() + 1);
  append_configuration(first_step(configuration(), *to));
}

// In force from here on, so who was added is sent the entry that adds it, and who was removed gets nothing any more
// (thesis 4.1).
void Raft::append_configuration(const Configuration& configuration) {
  SharedBytes payload = SharedBytes::copy_of(encode_configuration(configuration));
  const std::uint32_t crc = crc32c(payload.view());
  append_proposal(EntryType::kConfiguration, crc, std::move(payload));
}

// Leading without a vote, and that is committed.
bool Raft::is_leaving() const {
  return is_leader() && !configuration().is_voter(config_.id) && configurations_.newest_index() <= commit_index_;
}

// What a leader does about its newest configuration once it is committed, whoever proposed it: a joint one is left,
// also by a leader that found it in its log (pitfalls B12, D12); a leader without a vote makes room (pitfall D3).
void Raft::settle_configuration() {
  if (configuration().is_joint()) {
    const bool committed = has_committed_in_term() && configurations_.newest_index() <= commit_index_;
    // The entry would keep a transfer from ever finding its target up to date; the next leader leaves just as well.
    if (committed && transfer_target_.value == 0) append_configuration(second_step(configuration()));
  } else if (is_leaving() && transfer_target_.value == 0) {
    hand_over_at_leaving();
  }
}

// Thesis 4.2.2 lets it step down and the others wait for an election timeout. It can also hand over first (3.10), to
// the voter whose log is the furthest; if nobody takes it, time ends it (tick_leader).
void Raft::hand_over_at_leaving() {
  const Progress* best = nullptr;
  for (const Progress& progress : progress_) {
    if (!configuration().is_voter(progress.node)) continue;
    const auto better = [this](const Progress& a, const Progress& b) {
      return hears(a.node) != hears(b.node) ? hears(a.node) : a.match_index > b.match_index;
    };
    if (best == nullptr || better(progress, *best)) best = &progress;
  }
  ensure(best != nullptr, "a configuration has a voter");
  transfer_target_ = best->node;
  transfer_elapsed_ = 0;
  check_transfer();
}

bool Raft::hears(NodeId node) const {
  if (node == config_.id) return true;
  for (const Progress& progress : progress_) {
    if (progress.node != node) continue;
    return progress.heard_at_tick != 0 && now_ticks_ + 1 - progress.heard_at_tick <= config_.election_timeout_ticks;
  }
  return false;
}

}  // namespace redraft::raft
