// Linearizable reads without log entries: thesis 6.4 and 6.4.1.
#include <algorithm>
#include <limits>

#include "base/check.h"
#include "base/planted.h"
#include "raft/quorum.h"
#include "raft/raft.h"

namespace redraft::raft {

void Raft::on(ReadIndex& read) {
  if (is_leader() && read.now_us != 0 && lease_holds(read.now_us)) {
    // Nobody else has led up to that moment, so nobody has committed more than we know of.
    out_->reads.push_back({read.id, commit_index_, true});
  } else if (is_leader()) {
    waiting_reads_.push_back({NodeId{}, read.id});
    start_round();
    round_held_ = read.hold;
  } else if (leader_.value != 0) {
    waiting_reads_.push_back({NodeId{}, read.id});
    if (forwarded_id_.value == 0 && !read.hold) forward_reads();
  } else {
    out_->lost_reads.push_back(read.id);
  }
}

// At most one round for reads is in flight; those that come meanwhile share the next. The index is the commit index
// when the round starts, which is not before any of its reads arrived and not before an entry of this term is
// committed: before that, the leader does not know what its predecessors committed (pitfalls C1, C6).
void Raft::start_round() {
  if (!round_reads_.empty() || waiting_reads_.empty() || !has_committed_in_term()) return;
  round_reads_.swap(waiting_reads_);
  reads_index_ = commit_index_;
  reads_round_ = planted::is(planted::Bug::kReadRoundReused) ? round_ : ++round_;
  round_waits_ = true;
  check_round();  // the only voter needs nobody's answer
}

// Those who got the newest round with an append in this turn need no message of their own.
void Raft::flush_round() {
  round_waits_ = false;
  for (Progress& progress : progress_) {
    if (progress.needed && progress.round_sent < round_ && configuration().is_voter(progress.node)) {
      send_empty_append(progress);
    }
  }
}

// Rounds are counted within a term and a reply of another term was refused before it came here, so only voters' answers
// to this very leadership count, and only for this round or a later one (pitfall C3).
void Raft::check_round() {
  if (!is_leader() || round_reads_.empty()) return;
  const std::uint64_t reached = quorum_value(configuration(), [this](NodeId id) {
    if (id == config_.id) return round_;
    const Progress* progress = find_progress(id);
    return progress == nullptr ? std::uint64_t{0} : progress->acked_round;
  });
  if (reached < reads_round_ && !planted::is(planted::Bug::kReadWithoutQuorum)) return;
  for (const WaitingRead& read : round_reads_) finish_read(read, reads_index_);
  round_reads_.clear();
  start_round();
}

void Raft::finish_read(const WaitingRead& read, LogIndex index) {
  if (read.from.value == 0) {
    out_->reads.push_back({read.id, index, false});
  } else {
    send(read.from, ReadIndexReply{hard_state_.term, read.id, true, index});
  }
}

// Called before role, term or leader change. Nobody waits for an answer that will not come (pitfall C8).
void Raft::lose_reads() {
  for (const auto* reads : {&round_reads_, &waiting_reads_}) {
    for (const WaitingRead& read : *reads) {
      if (read.from.value == 0) {
        out_->lost_reads.push_back(read.id);
      } else {
        send(read.from, ReadIndexReply{hard_state_.term, read.id, false, LogIndex{}});
      }
    }
  }
  round_reads_.clear();
  waiting_reads_.clear();
  forwarded_id_ = ReadId{};
  round_waits_ = false;
}

// A follower asks the leader once for all reads that wait, and once more for those that came meanwhile.
void Raft::forward_reads() {
  if (waiting_reads_.empty() || leader_.value == 0) return;
  round_reads_.swap(waiting_reads_);
  forwarded_id_ = ReadId{++next_forwarded_id_};
  forwarded_elapsed_ = 0;
  send(leader_, ReadIndexRequest{hard_state_.term, forwarded_id_});
}

void Raft::receive(const Envelope& envelope, ReadIndexRequest& request) {
  if (!is_leader()) {
    send_when_term_is_durable(envelope.from, ReadIndexReply{hard_state_.term, request.id, false, LogIndex{}});
    return;
  }
  waiting_reads_.push_back({envelope.from, request.id});
  // Its log is wanted fresh: the reads there wait for their index.
  if (Progress* progress = find_progress(envelope.from); progress != nullptr && !progress->needed) {
    progress->needed = true;
    replicate(*progress);
  }
  start_round();
}

void Raft::receive(const Envelope& envelope, ReadIndexReply& reply) {
  if (is_leader() || envelope.from != leader_ || forwarded_id_.value == 0 || reply.id != forwarded_id_) return;
  forwarded_id_ = ReadId{};
  for (const WaitingRead& read : round_reads_) {
    if (reply.ok) {
      out_->reads.push_back({read.id, reply.index, false});
    } else {
      out_->lost_reads.push_back(read.id);
    }
  }
  round_reads_.clear();
  // The leader has committed up to there, and what we have of its log we have from itself.
  if (reply.ok) set_commit_index(std::min(reply.index, verified_index_));
  forward_reads();
}

// A leader whose place in the configuration is about to change counts on nobody's promise, so that the only voter need
// not keep one towards itself (is_lease_promised).
bool Raft::lease_holds(std::uint64_t now_us) const {
  if (config_.lease_us <= config_.lease_drift_us || !has_committed_in_term()) return false;
  if (timeout_now_sent_ && !planted::is(planted::Bug::kLeaseAfterTimeoutNow)) return false;
  if (configurations_.newest_index() > commit_index_ || !configuration().is_voter(config_.id)) return false;
  constexpr std::uint64_t kOurselves = std::numeric_limits<std::uint64_t>::max() - 1;
  const std::uint64_t promised_at = quorum_value(configuration(), [this](NodeId id) {
    if (id == config_.id) return kOurselves;  // a leader votes for nobody else, and asks here whether it still is one
    for (const Progress& progress : progress_) {
      if (progress.node == id) return progress.lease_sent_at_us;
    }
    return std::uint64_t{0};
  });
  if (promised_at == kOurselves) return true;
  return promised_at != 0 && now_us < promised_at + (config_.lease_us - config_.lease_drift_us);
}

}  // namespace redraft::raft
