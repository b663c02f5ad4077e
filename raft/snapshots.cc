// Snapshots by reference: paper 7, thesis 5. The bytes travel outside the core.
#include <algorithm>
#include <utility>

#include "base/check.h"
#include "raft/raft.h"

namespace redraft::raft {

// --- leader ---

// False if it makes no sense now: the member is not heard of, or our snapshot is not new enough to help.
bool Raft::send_snapshot(Progress& progress) {
  if (!progress.recently_active) return false;
  if (snapshot_.index < progress.next_index || snapshot_.index + 1 < log_.first_index()) {
    out_->snapshot_wanted = true;
    return false;
  }
  progress.become_snapshot(snapshot_);
  send(progress.node, InstallSnapshot{hard_state_.term, snapshot_});
  out_->snapshots_to_send.push_back({progress.node, snapshot_});
  return true;
}

void Raft::on(SnapshotSent& /*sent*/) {
  // Handing over the last chunk proves nothing; the receiver's reply does (pitfall E5).
}

void Raft::on(SnapshotFailed& failed) {
  Progress* progress = find_progress(failed.node);
  if (progress == nullptr || progress->state != ProgressState::kSnapshot) return;
  progress->become_probe(progress->match_index + 1);
  progress->probe_sent = true;  // again with the next heartbeat
}

void Raft::receive(const Envelope& envelope, InstallSnapshotReply& reply) {
  Progress* progress = heard_from(envelope);
  if (progress == nullptr) return;
  note_vouching(*progress, reply.vouches);
  if (reply.rejected) {
    if (progress->state == ProgressState::kSnapshot && progress->pending_snapshot.index == reply.snapshot_index) {
      progress->become_probe(progress->match_index + 1);
      progress->probe_sent = true;
    }
    return;
  }
  if (reply.match_index > log_.last_index()) return;
  const bool advanced = progress->acknowledge(reply.match_index);
  if (progress->state == ProgressState::kSnapshot && log_.term_of(progress->match_index).has_value()) {
    progress->become_probe(progress->match_index + 1);
  }
  if (advanced) advance_commit();
  replicate(*progress);  // at once, or an idle group would leave it probing (pitfall B12)
  check_transfer();
}

// --- everybody ---

void Raft::on(SnapshotTaken& taken) {
  if (taken.snapshot.index <= snapshot_.index) return;
  ensure(taken.snapshot.index <= emitted_index_, "a snapshot holds committed entries only");
  ensure(log_.matches(taken.snapshot.index, taken.snapshot.term), "a snapshot is of our own log");
  snapshot_ = std::move(taken.snapshot);
  compact();
}

// A tail stays so that a short absence needs no snapshot; who is catching up holds more, but not without bound: a sick
// follower must not fill our disk (pitfall E11).
void Raft::compact() {
  const std::uint64_t index = snapshot_.index.value;
  std::uint64_t to = index - std::min<std::uint64_t>(index, config_.catch_up_tail_entries);
  const std::uint64_t pin_floor = index - std::min<std::uint64_t>(index, config_.catch_up_pin_entries_max);
  for (const Progress& progress : progress_) {
    if (!progress.recently_active) continue;
    const LogIndex needed =
        progress.state == ProgressState::kSnapshot ? progress.pending_snapshot.index : progress.match_index;
    to = std::min(to, std::max(needed.value, pin_floor));
  }
  to = std::min({to, durable_index_.value, applied_index_.value});
  if (LogIndex{to} < log_.first_index()) return;
  log_.compact_to(LogIndex{to});
  configurations_.compact_to(LogIndex{to});
  out_->compacted_to = LogIndex{to};
}

// --- follower ---

void Raft::reply_to_snapshot(NodeId to, LogIndex snapshot_index, bool rejected) {
  InstallSnapshotReply reply;
  reply.term = hard_state_.term;
  reply.rejected = rejected;
  reply.vouches = may_vote_;
  reply.snapshot_index = snapshot_index;
  reply.match_index = commit_index_;
  send_when_durable(to, reply);
}

void Raft::receive(const Envelope& envelope, InstallSnapshot& request) {
  follow(envelope, request.term);
  const SnapshotMetadata& offered = request.snapshot;
  if (offered.index > commit_index_ && log_.matches(offered.index, offered.term)) {
    // Figure 13 of the paper, rule 6: we have the entries, and now know that they are committed.
    verified_index_ = std::max(verified_index_, offered.index);
    set_commit_index(offered.index);
  }
  if (offered.index <= commit_index_) {
    reply_to_snapshot(envelope.from, offered.index, false);  // never back (pitfall E4)
    return;
  }
  const bool same = receiving_.has_value() && receiving_->index == offered.index && receiving_->term == offered.term &&
                    receiving_from_ == envelope.from;
  receiving_ = offered;
  receiving_from_ = envelope.from;
  if (!same) out_->snapshot_to_receive = SnapshotToReceive{envelope.from, offered};
}

void Raft::on(SnapshotReceiveFailed& failed) {
  if (!receiving_.has_value() || receiving_->index != failed.index) return;
  receiving_.reset();
  // Also if it has gone silent: it may be back.
  if (leader_ == receiving_from_ || leader_.value == 0) reply_to_snapshot(receiving_from_, failed.index, true);
}

void Raft::on(SnapshotReceived& received) {
  SnapshotMetadata& snapshot = received.snapshot;
  const LogIndex index = snapshot.index;
  if (receiving_.has_value() && receiving_->index == snapshot.index) receiving_.reset();
  if (is_leader() || snapshot.index <= commit_index_) {
    out_->snapshot_discarded = true;
  } else {
    if (role_ != Role::kFollower) become_follower(hard_state_.term, NodeId{});
    // Paper figure 13, rules 6 and 7: entries behind a snapshot that our log agrees with are kept, any other log goes
    // as a whole; a conflicting entry left standing would be offered a snapshot for ever (pitfall E3).
    const bool keep = log_.matches(snapshot.index, snapshot.term);
    if (log_.last_index() > commit_index_ && !keep) out_->truncated_from = commit_index_ + 1;
    if (keep) {
      log_.compact_to(snapshot.index);
      configurations_.compact_to(snapshot.index);
    } else {
      log_.reset(snapshot.index, snapshot.term);
      for (PendingDisk& pending : pending_disk_) pending.last_index = std::min(pending.last_index, snapshot.index);
      durable_index_ = std::min(durable_index_, snapshot.index);
      configurations_.reset(snapshot.index, snapshot.configuration);
      configuration_changed();
    }
    if (snapshot.term > hard_state_.term) set_hard_state({snapshot.term, NodeId{}});  // pitfall A4
    commit_index_ = snapshot.index;
    emitted_index_ = snapshot.index;
    applied_index_ = snapshot.index;
    verified_index_ = std::max(verified_index_, snapshot.index);
    snapshot_ = snapshot;
    out_->disk.restart_after = snapshot;
    out_->disk.keep_entries_after_snapshot = keep;
    disk_dirty_ = true;
    out_->snapshot_installed = std::move(snapshot);
  }
  if (!is_leader() && leader_.value != 0) reply_to_snapshot(leader_, index, false);
}

}  // namespace redraft::raft
