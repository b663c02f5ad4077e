// Sending the log and deciding what is committed: paper 5.3, 5.4.2; thesis 3.10, 6.2, 10.2.1.
#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/planted.h"
#include "raft/quorum.h"
#include "raft/raft.h"

namespace redraft::raft {

Progress* Raft::find_progress(NodeId node) {
  for (Progress& progress : progress_) {
    if (progress.node == node) return &progress;
  }
  return nullptr;
}

// Null if the sender is no member we lead.
Progress* Raft::heard_from(const Envelope& envelope) {
  if (!is_leader()) return nullptr;
  Progress* progress = find_progress(envelope.from);
  if (progress == nullptr) return nullptr;
  progress->recently_active = true;
  progress->heard_at_tick = now_ticks_ + 1;
  return progress;
}

void Raft::note_vouching(Progress& progress, bool vouches) {
  if (!vouches && progress.vouches) {
    // It may have lost what it acknowledged: nothing it said before counts any more.
    progress.match_index = LogIndex{};
    if (progress.state != ProgressState::kSnapshot) {
      progress.become_probe(progress.next_index);
      progress.probe_sent = true;
    }
  }
  progress.vouches = vouches;
}

void Raft::update_progress_members() {
  std::vector<Progress> members;
  for (const Member& member : configuration().members()) {
    if (member.id == config_.id) continue;
    if (Progress* known = find_progress(member.id); known != nullptr) {
      members.push_back(std::move(*known));
    } else {
      Progress fresh;
      fresh.node = member.id;
      fresh.next_index = log_.last_index() + 1;  // paper figure 2, volatile state on leaders
      members.push_back(std::move(fresh));
    }
  }
  progress_ = std::move(members);
  need_everybody();
}

bool Raft::is_window_full(const Progress& progress) const {
  return progress.next_index - progress.match_index > config_.inflight_entries_max ||
         progress.inflight.bytes() >= config_.inflight_bytes_max;
}

void Raft::replicate(Progress& progress) {
  switch (progress.state) {
    case ProgressState::kSnapshot:
      return;
    case ProgressState::kProbe:
      if (!progress.probe_sent) send_probe(progress, true);
      return;
    case ProgressState::kReplicate:
      // One slow or dead member holds up nobody else (pitfall B2); what it may have in flight is bounded.
      while (progress.state == ProgressState::kReplicate && progress.next_index <= log_.last_index() &&
             !is_held_back(progress) && !is_window_full(progress)) {
        if (!send_next(progress)) return;
      }
      return;
  }
}

void Raft::send_entries(Progress& progress, LogIndex prev, Term prev_term, std::vector<Entry> entries) {
  AppendEntries append;
  append.term = hard_state_.term;
  append.prev_log_index = prev;
  append.prev_log_term = prev_term;
  append.commit_index = commit_index_;
  append.round = round_;
  if (config_.lease_us != 0 && !timeout_now_sent_) {
    append.lease_us = config_.lease_us;
    append.sent_at_us = now_us_;  // at most too early, which makes the lease shorter
  }
  // A leader with a committed entry of its own term has everything that was ever committed (paper 5.4.3), and since it
  // heard that this member forgets, it commits without it.
  if (!progress.vouches && has_committed_in_term()) append.repair_index = commit_index_;
  append.entries = std::move(entries);
  progress.round_sent = round_;
  progress.commit_sent = commit_index_;
  send(progress.node, std::move(append));
}

// "I lead", when there is no point of the log to speak of: it matches everywhere and claims nothing.
void Raft::send_leading(Progress& progress) {
  send_entries(progress, LogIndex{}, Term{}, {});
}

void Raft::send_empty_append(Progress& progress) {
  const auto prev_term = log_.term_of(progress.next_index - 1);
  if (progress.state != ProgressState::kReplicate || !prev_term.has_value()) {
    send_leading(progress);
  } else {
    send_entries(progress, progress.next_index - 1, *prev_term, {});
  }
}

// From next_index on, as far as they are in memory and one message may hold.
std::vector<Entry> Raft::next_entries(const Progress& progress, std::size_t& bytes) const {
  std::vector<Entry> entries;
  for (LogIndex index = progress.next_index; index <= log_.last_index(); ++index) {
    const Entry* entry = log_.find(index);
    if (entry == nullptr) break;
    if (!entries.empty() &&
        (entries.size() >= config_.message_entries_max || bytes + entry->payload.size() > config_.message_bytes_max)) {
      break;
    }
    bytes += entry->payload.size();
    entries.push_back(*entry);
  }
  return entries;
}

// Replicate: the next entries, as many as a message may hold. False if nothing could be sent now.
bool Raft::send_next(Progress& progress) {
  const LogIndex prev = progress.next_index - 1;
  const auto prev_term = log_.term_of(prev);
  if (!prev_term.has_value()) {
    progress.become_probe(progress.match_index + 1);
    send_probe(progress, true);
    return false;
  }
  if (log_.find(progress.next_index) == nullptr) {
    request_log_read(progress);
    return false;
  }
  std::size_t bytes = 0;
  std::vector<Entry> entries = next_entries(progress, bytes);
  progress.next_index = progress.next_index + entries.size();
  progress.inflight.add(progress.next_index - 1, bytes);
  send_entries(progress, prev, *prev_term, std::move(entries));
  return true;
}

// Probe: finds where the logs agree; the answer starts the pipeline there. The first one carries entries, as it is
// right more often than not and a new leader wants its term's first entry committed; one repeated with a heartbeat, to
// somebody who may be dead, does not.
void Raft::send_probe(Progress& progress, bool with_entries) {
  const LogIndex prev = progress.next_index - 1;
  const auto prev_term = log_.term_of(prev);
  progress.probe_sent = true;
  if (prev_term.has_value()) {
    std::size_t bytes = 0;
    send_entries(progress, prev, *prev_term, with_entries ? next_entries(progress, bytes) : std::vector<Entry>{});
  } else if (!send_snapshot(progress)) {
    send_leading(progress);
  }
}

void Raft::request_log_read(Progress& progress) {
  if (progress.loading) return;
  progress.loading = true;
  // What is read leaves in one message, and a thousand small entries are far from its bound in bytes.
  const LogIndex last =
      std::min(log_.first_cached_index() - 1, progress.next_index + (config_.message_entries_max - 1));
  out_->log_reads.push_back({progress.node, progress.next_index, last, config_.message_bytes_max});
}

void Raft::on(LogLoaded& loaded) {
  Progress* progress = find_progress(loaded.node);
  if (progress == nullptr || !progress->loading) return;
  progress->loading = false;
  const auto prev_term = log_.term_of(progress->next_index - 1);
  bool usable = progress->state == ProgressState::kReplicate && prev_term.has_value() && !loaded.entries.empty() &&
                loaded.entries.front().index == progress->next_index;
  std::size_t bytes = 0;
  for (std::size_t i = 0; usable && i < loaded.entries.size(); ++i) {
    const Entry& entry = loaded.entries[i];
    // Read while the log went on: only what still is our log may leave (pitfall F7).
    usable = entry.index == progress->next_index + i && log_.matches(entry.index, entry.term);
    bytes += entry.payload.size();
  }
  if (usable) {
    const LogIndex prev = progress->next_index - 1;
    progress->next_index = progress->next_index + loaded.entries.size();
    progress->inflight.add(progress->next_index - 1, bytes);
    send_entries(*progress, prev, *prev_term, std::move(loaded.entries));
  }
  replicate(*progress);
}

void Raft::on(LogUnavailable& unavailable) {
  Progress* progress = find_progress(unavailable.node);
  if (progress == nullptr || !progress->loading) return;
  progress->loading = false;
  static_cast<void>(send_snapshot(*progress));
}

// Every heartbeat begins a round, so that reads that wait for a lost message are helped by the next one.
void Raft::broadcast_heartbeat() {
  ++round_;
  round_waits_ = false;
  choose_needed();
  hold_back_no_more();
  for (Progress& progress : progress_) {
    if (planted::is(planted::Bug::kDeadPeerStopsBroadcast) && !progress.recently_active) break;
    if (progress.state == ProgressState::kReplicate && !log_.term_of(progress.next_index - 1).has_value()) {
      // What was in flight was lost, and compacted since: no append would ever be refused (pitfall B11).
      progress.become_probe(progress.match_index + 1);
    }
    if (progress.state == ProgressState::kProbe) {
      send_probe(progress, false);  // the answer to the last one may be lost (pitfall B12)
    } else {
      send_empty_append(progress);
      // The announcement or its answer may be lost as well; a receiver that is at it takes no notice.
      if (progress.state == ProgressState::kSnapshot) {
        send(progress.node, InstallSnapshot{hard_state_.term, progress.pending_snapshot});
      }
      replicate(progress);
    }
  }
}

void Raft::advance_commit() {
  const LogIndex reached{quorum_value(configuration(), [this](NodeId id) {
    if (id == config_.id) return durable_index_.value;  // our own disk is one vote (pitfall B9)
    const Progress* progress = find_progress(id);
    return progress != nullptr && progress->vouches ? progress->match_index.value : std::uint64_t{0};
  })};
  // Paper 5.4.2 and figure 8: by counting, only an entry of the own term; those before it come with it (pitfall B1).
  const bool own_term = log_.matches(reached, hard_state_.term) || planted::is(planted::Bug::kOldTermByCounting);
  if (reached <= commit_index_ || !own_term) return;
  set_commit_index(reached);
  if (choose_again_at_.value != 0 && reached >= choose_again_at_) choose_needed();
  start_round();  // reads that came before the term's first commit
}

void Raft::check_quorum() {
  // Thesis 6.2: a leader that hears no majority for an election timeout steps down, so that clients look elsewhere.
  const bool heard = is_quorum(configuration(), [this](NodeId id) {
    if (id == config_.id) return true;
    const Progress* progress = find_progress(id);
    return progress != nullptr && progress->recently_active;
  });
  for (Progress& progress : progress_) progress.recently_active = false;
  if (!heard) become_follower(hard_state_.term, NodeId{});
}

// Thesis 3.10: no new entries, the target caught up, then TimeoutNow.
void Raft::check_transfer() {
  if (transfer_target_.value == 0) return;
  const Progress* progress = find_progress(transfer_target_);
  if (progress == nullptr || progress->match_index != log_.last_index()) return;
  timeout_now_sent_ = true;  // from here on an election may happen inside a lease: none in this term any more
  send(transfer_target_, TimeoutNow{hard_state_.term});
}

void Raft::receive(const Envelope& envelope, RoundReply& reply) {
  Progress* progress = heard_from(envelope);
  if (progress == nullptr || reply.round > round_) return;
  progress->acked_round = std::max(progress->acked_round, reply.round);
  progress->lease_sent_at_us = std::max(progress->lease_sent_at_us, reply.lease_sent_at_us);
  check_round();
}

void Raft::receive(const Envelope& envelope, AppendEntriesReply& reply) {
  Progress* progress = heard_from(envelope);
  if (progress == nullptr || reply.round > round_) return;
  progress->acked_round = std::max(progress->acked_round, reply.round);
  progress->lease_sent_at_us = std::max(progress->lease_sent_at_us, reply.lease_sent_at_us);
  note_vouching(*progress, reply.vouches);

  // Once more it has lost what it said it had (an audit condemned it twice, or it stopped while it was fed): to go on
  // behind that would be rejected for ever.
  const bool forgot = reply.rejected && !reply.vouches && reply.rejected_index <= progress->match_index;
  if (forgot) progress->match_index = LogIndex{};
  if (reply.rejected) {
    // Answers come out of order and more than once (pitfall B3): only the one to the newest probe, or the first to a
    // pipelined append that is still in flight, says where to go on.
    const bool current = progress->state == ProgressState::kProbe ? reply.rejected_index == progress->next_index - 1
                                                                  : progress->state == ProgressState::kReplicate &&
                                                                        reply.rejected_index > progress->match_index;
    if (current) {
      const LogIndex agreed = log_.last_index_not_newer_than(reply.hint_index, reply.hint_term);
      progress->become_probe(std::min(reply.rejected_index, agreed + 1));
      replicate(*progress);
    }
  } else if (reply.match_index <= log_.last_index()) {  // nobody can have matched more
    const bool advanced = progress->acknowledge(reply.match_index);
    switch (progress->state) {
      case ProgressState::kProbe:
        progress->become_replicate();
        break;
      case ProgressState::kSnapshot:
        // It has the snapshot, whose reply is still to come, or came so far by itself that the log can go on.
        if (progress->match_index >= progress->pending_snapshot.index ||
            log_.find(progress->match_index + 1) != nullptr) {
          progress->become_replicate();
        }
        break;
      case ProgressState::kReplicate:
        break;
    }
    if (advanced) advance_commit();
    replicate(*progress);
    check_transfer();
  }
  check_round();
}

}  // namespace redraft::raft
