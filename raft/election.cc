// Paper 5.2, 5.4.1; thesis 3.10, 4.2.3, 6.4.1, 9.6.
#include <algorithm>

#include "base/check.h"
#include "raft/quorum.h"
#include "raft/raft.h"

namespace redraft::raft {

void Raft::reset_election_timer() {
  election_elapsed_ = 0;
  election_timeout_ = config_.election_timeout_ticks + random_.below(config_.election_timeout_ticks);
}

// The only voter has promised nothing to anybody else: a leader whose own vote is about to go has no lease.
bool Raft::is_lease_promised() const {
  if (lease_promise_us_ == 0 && now_us_ >= lease_promised_until_us_) return false;
  return !is_quorum(configuration(), [this](NodeId id) { return id == config_.id; });
}

bool Raft::is_refused(NodeId node) const {
  return std::find(refused_.begin(), refused_.end(), node) != refused_.end();
}

// A learner or a stranger never campaigns; neither does who may have forgotten a promise, whose state is about to be
// swapped for a snapshot (pitfall A8), or whose own disk does not answer (it could not vote for itself).
bool Raft::may_campaign() const {
  // Who was to send the snapshot may be gone while a later leader brought the entries themselves: then nobody may be
  // able to lead but this node, which must not wait until the transfer is given up.
  const bool needs_snapshot =
      receiving_.has_value() && receiving_->index > commit_index_ && !log_.matches(receiving_->index, receiving_->term);
  return may_vote_ && is_self_voter() && !needs_snapshot && !is_disk_stalled(config_.election_timeout_ticks);
}

void Raft::campaign(bool pre_vote, bool leader_transfer, bool early) {
  if (!may_campaign()) return;
  // A leader that gives itself up releases its voters from the lease (thesis 6.4.1); nothing else does.
  if (is_lease_promised() && !leader_transfer) return;
  if (leader_.value != 0 || role_ != Role::kFollower) become_follower(hard_state_.term, NodeId{});
  reset_election_timer();
  votes_.clear();
  early_ = early;
  transfer_ = leader_transfer;
  if (pre_vote) {
    role_ = Role::kPreCandidate;
    votes_.push_back({config_.id, true});
  } else {
    role_ = Role::kCandidate;
    // Also the only voter starts a term of its own (pitfall A3). The vote for ourselves counts like any other: once it
    // is durable.
    set_hard_state({Term{hard_state_.term.value + 1}, config_.id});
    self_vote_ticket_ = Ticket{last_ticket_.value + 1};
  }
  send_vote_requests();
  count_votes();
}

void Raft::send_vote_requests() {
  const bool pre_vote = role_ == Role::kPreCandidate;
  RequestVote request;
  request.term = pre_vote ? Term{hard_state_.term.value + 1} : hard_state_.term;
  request.last_log_index = log_.last_index();
  request.last_log_term = log_.last_term();
  request.pre_vote = pre_vote;
  request.leader_transfer = transfer_;
  request.early_election = early_;
  for (const Member& member : configuration().members()) {
    if (member.id == config_.id || !(member.voter || member.outgoing_voter)) continue;
    const auto answered =
        std::find_if(votes_.begin(), votes_.end(), [&member](const Vote& vote) { return vote.from == member.id; });
    if (answered != votes_.end()) continue;
    if (pre_vote) {
      send(member.id, request);  // changes nothing anywhere, so there is nothing to have durable
    } else {
      send_when_durable(member.id, request);  // it says that we voted for ourselves
    }
  }
}

void Raft::count_votes() {
  const auto said = [this](NodeId id, bool granted) {
    return std::any_of(votes_.begin(), votes_.end(),
                       [id, granted](const Vote& vote) { return vote.from == id && vote.granted == granted; });
  };
  if (is_quorum(configuration(), [&said](NodeId id) { return said(id, true); })) {
    if (role_ == Role::kPreCandidate) {
      campaign(false, false, early_);
    } else {
      become_leader();
    }
  } else if (!is_quorum(configuration(), [&said](NodeId id) { return !said(id, false); })) {
    become_follower(hard_state_.term, NodeId{});  // lost for this time
  }
}

void Raft::become_leader() {
  role_ = Role::kLeader;
  leader_ = config_.id;
  votes_.clear();
  early_election_in_ = 0;
  early_ = false;
  transfer_ = false;
  verified_index_ = log_.last_index();
  term_start_index_ = LogIndex{};
  round_ = 0;
  round_waits_ = false;
  heartbeat_elapsed_ = 0;
  quorum_check_elapsed_ = 0;
  timeout_now_sent_ = false;
  uncommitted_bytes_ = 0;
  for (LogIndex i = commit_index_ + 1; i <= log_.last_index(); ++i) uncommitted_bytes_ += log_.find(i)->payload.size();
  progress_.clear();
  update_progress_members();
  // The term's first entry follows at once and tells everybody (thesis 6.4; pitfall B1): it is the next proposal.
  out_->became_leader = true;
}

// Two that ask at the same time, as when both were refused by a dead leader, would grant each other the pre-vote and
// then split the vote. With equal logs the smaller id goes first; only just after asking ourselves, so that a node that
// is heard by nobody cannot stand in the way of others for long.
bool Raft::outranks(NodeId rival, const RequestVote& request) const {
  constexpr std::uint32_t kSameTimeTicks = 3;
  return role_ == Role::kPreCandidate && election_elapsed_ < kSameTimeTicks && config_.id < rival &&
         request.last_log_index == log_.last_index() && request.last_log_term == log_.last_term();
}

void Raft::receive(const Envelope& envelope, RequestVote& request) {
  // A voter that may have forgotten a promise is silent: a refusal would be as good as a vote for somebody else.
  if (!may_vote_) return;
  // Thesis 4.2.3: who hears a leader does not help to depose it and does not take over the term. Exceptions: the leader
  // asked for this election (pitfall A7), or our own link to the leader was refused as the candidate's was. A candidate
  // we do not listen to gets no answer; were it a lost voter of ours, the leader's next append brings it back.
  const bool hears_leader = leader_.value != 0 && (is_leader() || election_elapsed_ < config_.election_timeout_ticks);
  const bool early = request.early_election && !is_leader() && is_refused(leader_);
  if (hears_leader && !request.leader_transfer && !early) return;
  // A promised lease binds even when the process of the leader seems gone: a firewall refuses connections, too.
  if (is_lease_promised() && !request.leader_transfer) return;

  const bool up_to_date = log_.is_up_to_date(request.last_log_index, request.last_log_term);
  if (request.pre_vote) {
    // Thesis 9.6. A grant promises nothing and names the term asked for; a refusal names ours, so that a candidate that
    // is behind catches up instead of asking forever (pitfall A6).
    const bool granted = request.term > hard_state_.term && up_to_date && !outranks(envelope.from, request);
    RequestVoteReply reply{granted ? request.term : hard_state_.term, true, granted};
    if (granted) {
      send(envelope.from, reply);
    } else {
      send_when_term_is_durable(envelope.from, reply);
    }
    return;
  }
  if (request.term > hard_state_.term) become_follower(request.term, NodeId{});
  // Paper figure 2: voted for nobody else in this term, and the candidate's log holds all that ours does. Who already
  // knows the term's leader has no use for another vote.
  const bool free = hard_state_.voted_for == envelope.from || (hard_state_.voted_for.value == 0 && leader_.value == 0);
  const bool granted = request.term == hard_state_.term && free && up_to_date;
  const RequestVoteReply reply{hard_state_.term, false, granted};
  if (granted) {
    if (role_ == Role::kPreCandidate) become_follower(hard_state_.term, NodeId{});
    set_hard_state({hard_state_.term, envelope.from});
    reset_election_timer();
    send_when_durable(envelope.from, reply);  // pitfall A2
  } else {
    send_when_term_is_durable(envelope.from, reply);
  }
}

void Raft::receive(const Envelope& envelope, RequestVoteReply& reply) {
  const Role asked_as = reply.pre_vote ? Role::kPreCandidate : Role::kCandidate;
  if (role_ != asked_as) return;
  // Answers to an earlier candidacy do not count for this one (pitfall A6).
  const Term expected = reply.pre_vote && reply.granted ? Term{hard_state_.term.value + 1} : hard_state_.term;
  if (reply.term != expected) return;
  if (std::any_of(votes_.begin(), votes_.end(), [&](const Vote& vote) { return vote.from == envelope.from; })) return;
  votes_.push_back({envelope.from, reply.granted});
  count_votes();
}

void Raft::receive(const Envelope& envelope, TimeoutNow& /*request*/) {
  // Without pre-vote, which voters would refuse while the leader lives (pitfall A6: transfer with pre-vote).
  if (!is_leader() && leader_ == envelope.from) campaign(false, true, false);
}

}  // namespace redraft::raft
