// Receiving the log: paper 5.3 and figure 2, AppendEntries.
#include <algorithm>
#include <utility>

#include "base/check.h"
#include "raft/raft.h"

namespace redraft::raft {

// The sender leads the current term.
void Raft::follow(const Envelope& envelope, Term term) {
  ensure(term == hard_state_.term, "a newer term was adopted before dispatch (paper 5.1)");
  ensure(!is_leader(), "one leader for each term (paper 5.2, election safety)");
  if (role_ != Role::kFollower || leader_ != envelope.from) {
    ensure(leader_.value == 0, "one leader for each term (paper 5.2, election safety)");
    become_follower(term, envelope.from);  // also a pre-candidate (pitfall A6)
  }
  reset_election_timer();
  early_election_in_ = 0;
  std::erase(refused_, envelope.from);  // it speaks, so it is there
}

// A deposed leader, or a member that a partition kept from a newer term: told the term, it steps down.
void Raft::reject_stale_leader(NodeId from) {
  AppendEntriesReply reply;
  reply.term = hard_state_.term;
  reply.rejected = true;
  reply.vouches = false;
  send_when_term_is_durable(from, reply);
}

// The promise begins to run now, but now is only known at the next tick: until then it holds without end.
std::uint64_t Raft::promise_lease(const AppendEntries& request) {
  if (request.lease_us == 0 || request.lease_us > config_.lease_longest_us || !may_vote_) return 0;
  lease_promise_us_ = std::max(lease_promise_us_, request.lease_us);
  return request.sent_at_us;
}

void Raft::receive(const Envelope& envelope, AppendEntries& request) {
  follow(envelope, request.term);

  AppendEntriesReply reply;
  reply.term = hard_state_.term;
  reply.round = may_vote_ ? request.round : 0;
  reply.lease_sent_at_us = promise_lease(request);
  reply.vouches = may_vote_;

  // The first word counts: whatever leader said it, its log up to there was committed without us.
  if (!may_vote_ && repair_index_.value == 0) repair_index_ = request.repair_index;

  const LogIndex last_new = request.prev_log_index + request.entries.size();
  // Everything up to our commit index is equal in both logs, whatever is still known of it (pitfall B5).
  const bool below_commit = request.prev_log_index < commit_index_;
  if (!below_commit && !log_.matches(request.prev_log_index, request.prev_log_term)) {
    // Paper 5.3, end: name the place from which on the leader should try, by the conflicting term.
    reply.rejected = true;
    reply.rejected_index = request.prev_log_index;
    reply.hint_index =
        std::max(commit_index_, log_.last_index_not_newer_than(request.prev_log_index, request.prev_log_term));
    reply.hint_term = log_.term_of(reply.hint_index).value_or(Term{});
    send_when_term_is_durable(envelope.from, reply);
    return;
  }

  bool conflict = false;
  for (Entry& entry : request.entries) {
    if (entry.index <= log_.last_index()) {
      const auto known = log_.term_of(entry.index);
      if (!known.has_value() || *known == entry.term) continue;  // compacted, hence committed; or had already
      // Paper figure 2, rule 3. A committed entry in conflict ends the process there (pitfall B6).
      ensure(!conflict, "after a conflict the log ends");
      conflict = true;
      truncate_log(entry.index);
    }
    append_to_log(std::move(entry));
  }

  // Rule 5: only up to what this message has shown to be the leader's (pitfall B6).
  const LogIndex verified = std::max(last_new, commit_index_);
  verified_index_ = std::max(verified_index_, verified);
  set_commit_index(std::min(request.commit_index, verified));
  reply.match_index = verified;
  if (!is_durable()) {
    // The acknowledgement has to wait for the disk; that the leader still leads can be said at once (thesis 6.4).
    if (may_vote_ && (request.entries.empty() || request.round > receipted_round_)) {
      send_when_term_is_durable(envelope.from, RoundReply{reply.term, reply.round, reply.lease_sent_at_us});
    }
  }
  receipted_round_ = std::max(receipted_round_, request.round);
  send_when_durable(envelope.from, reply);
}

}  // namespace redraft::raft
