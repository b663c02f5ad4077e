#include "raft/raft.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/crc32c.h"
#include "base/planted.h"
#include "raft/quorum.h"
#include "raft/stored.h"

namespace redraft::raft {

Raft::Raft(Config config, Restored restored, std::uint64_t seed)
    : config_(config),
      random_(seed ^ (config.id.value * 0x9e3779b97f4a7c15U) ^ config.incarnation.value),
      log_(config.log_limits) {
  ensure(config_.id.value != 0, "node 0 is nobody");
  ensure(config_.heartbeat_ticks > 0 && config_.heartbeat_ticks < config_.election_timeout_ticks,
         "heartbeats are more frequent than elections (paper 5.6)");
  ensure(config_.lease_us <= config_.lease_longest_us || config_.lease_us == 0,
         "no leader asks for a longer lease than voters wait for at their start");
  restore(std::move(restored));
  // A starting voter may have promised the longest permitted lease just before it went down; one without a term never
  // heard a leader.
  const bool may_have_promised = hard_state_.term.value != 0 && !planted::is(planted::Bug::kRestartedVoterVotesAtOnce);
  if (may_have_promised) lease_promise_us_ = config_.lease_longest_us;
  reset_election_timer();
  next_forwarded_id_ = config_.boot << 32U;  // an answer to an earlier life is nobody's (pitfall C2)
}

void Raft::restore(Restored restored) {
  snapshot_ = std::move(restored.snapshot);
  restart_log_ = restored.restart_log;
  configurations_.reset(snapshot_.index, snapshot_.configuration);
  log_.reset(snapshot_.index, snapshot_.term);
  ensure(!restart_log_ || restored.entries.empty(), "a log that is started anew has nothing behind its snapshot");
  for (Entry& entry : restored.entries) {
    if (entry.type == EntryType::kConfiguration) {
      // The newest in the log wins over the snapshot's (pitfall D6).
      Result<Configuration> configuration = decode_configuration(entry.payload.view());
      ensure(configuration.ok(), "a configuration entry in our own log can be read");
      configurations_.append(entry.index, std::move(configuration).value());
    }
    log_.append(std::move(entry));
  }

  durable_index_ = log_.last_index();
  applied_index_ = std::max(restored.applied_index, snapshot_.index);
  commit_index_ = std::max(restored.commit_index, applied_index_);
  emitted_index_ = applied_index_;
  verified_index_ = commit_index_;
  ensure(commit_index_ <= log_.last_index(), "what is known committed is in the log (storage-faults row 2)");
  hard_state_ = restored.hard_state;
  durable_hard_state_ = restored.hard_state;
  if (log_.last_term() > hard_state_.term) {
    set_hard_state({log_.last_term(), NodeId{}});  // a term never goes back (pitfall A4)
  }
  may_vote_ = restored.may_vote;
  reported_status_ = leader_status();
}

void Raft::step(Input input, Output& output) {
  out_ = &output;
  round_held_ = false;
  std::visit([this](auto& concrete) { on(concrete); }, input);
  finish_step();
  out_ = nullptr;
}

void Raft::finish_step() {
  if (is_leader()) settle_configuration();
  if (round_waits_ && !round_held_) flush_round();
  if (restart_log_) {
    restart_log_ = false;
    out_->disk.restart_after = snapshot_;
    disk_dirty_ = true;
  }
  if (disk_dirty_) {
    disk_dirty_ = false;
    last_ticket_.value += 1;
    out_->disk.ticket = last_ticket_;
    out_->disk.commit_index = commit_index_;
    if (hard_state_dirty_) out_->disk.hard_state = hard_state_;
    hard_state_dirty_ = false;
    pending_disk_.push_back({last_ticket_, log_.last_index(), hard_state_, now_ticks_});
  }
  if (!out_->promises.empty()) {
    if (persisted_ticket_ == last_ticket_) {
      for (Envelope& promise : out_->promises) out_->messages.push_back(std::move(promise));
      out_->promises.clear();
    } else {
      out_->promises_after = last_ticket_;
    }
  }
  emit_committed();
  if (!may_vote_ && repair_index_.value != 0 && std::min(commit_index_, durable_index_) >= repair_index_) {
    repair_index_ = LogIndex{};
    out_->repaired = true;
  }
  if (const LeaderStatus status = leader_status(); !(status == reported_status_)) {
    reported_status_ = status;
    out_->leader_status = status;
  }
}

void Raft::emit_committed() {
  const bool early = planted::is(planted::Bug::kApplyBeforeCommit) && is_leader();
  while (emitted_index_ < (early ? log_.last_index() : commit_index_)) {
    ++emitted_index_;
    const Entry* entry = log_.find(emitted_index_);
    ensure(entry != nullptr, "an entry stays in memory until it is applied");
    out_->committed.push_back(*entry);
  }
}

// --- what the disk and the messages are told ---

void Raft::set_hard_state(HardState hard_state) {
  ensure(hard_state.term >= hard_state_.term, "a term never goes back (pitfall A4)");
  ensure(hard_state.term > hard_state_.term || hard_state_.voted_for.value == 0 || hard_state == hard_state_,
         "one vote for each term, never taken back (pitfall A1)");
  if (hard_state == hard_state_) return;
  hard_state_ = hard_state;
  hard_state_dirty_ = true;
  disk_dirty_ = true;
}

void Raft::send(NodeId to, Message message) {
  out_->messages.push_back({config_.id, to, config_.group, config_.incarnation, std::move(message)});
}

void Raft::send_when_durable(NodeId to, Message message) {
  out_->promises.push_back({config_.id, to, config_.group, config_.incarnation, std::move(message)});
}

// For what promises nothing but "my term has come to this": were the term forgotten in a crash, the same question could
// be answered again as if it had never been asked.
void Raft::send_when_term_is_durable(NodeId to, Message message) {
  if (is_term_durable()) {
    send(to, std::move(message));
  } else {
    send_when_durable(to, std::move(message));
  }
}

bool Raft::is_disk_stalled(std::uint32_t ticks) const {
  return !pending_disk_.empty() && now_ticks_ - pending_disk_.front().asked_at_tick > ticks;
}

void Raft::append_to_log(Entry entry) {
  if (entry.type == EntryType::kConfiguration) {
    Result<Configuration> configuration = decode_configuration(entry.payload.view());
    ensure(configuration.ok(), "configurations are checked where they enter the process");
    configurations_.append(entry.index, std::move(configuration).value());
    configuration_changed();
  }
  out_->disk.entries.push_back(entry);
  disk_dirty_ = true;
  log_.append(std::move(entry));
}

void Raft::truncate_log(LogIndex from) {
  ensure(from > commit_index_, "a committed entry never conflicts with a leader's log (paper 5.4.3, pitfall B6)");
  log_.truncate_from(from);
  // What an earlier request will make durable no longer is our log (pitfall B9: completion of overwritten entries).
  for (PendingDisk& pending : pending_disk_) pending.last_index = std::min(pending.last_index, from - 1);
  durable_index_ = std::min(durable_index_, from - 1);
  out_->truncated_from = from;
  if (configurations_.truncate_from(from)) configuration_changed();  // pitfall D5
}

void Raft::configuration_changed() {
  out_->configuration_changed = true;
  if (is_leader()) {
    update_progress_members();
    if (transfer_target_.value != 0 && !configuration().is_voter(transfer_target_)) {
      transfer_target_ = NodeId{};  // pitfall D9
    }
  }
}

void Raft::set_commit_index(LogIndex index) {
  ensure(index <= log_.last_index(), "only what is in the log is committed (pitfall B5)");
  if (index <= commit_index_) return;
  if (is_leader()) {
    for (LogIndex i = commit_index_ + 1; i <= index; ++i) uncommitted_bytes_ -= log_.find(i)->payload.size();
  }
  commit_index_ = index;
}

// --- roles and terms ---

// Also by the configuration that is known committed, while a newer one that leaves us out is not: the entry that holds
// it may be in too few logs, and ours too new for those who stay to win without us (thesis 4.2.2, figure 4.6). Our own
// vote then counts nowhere.
bool Raft::is_self_voter() const {
  const auto votes_in = [this](const Configuration& configuration) {
    return configuration.is_voter(config_.id) && configuration.is_recorded(config_.id, config_.incarnation);
  };
  return votes_in(configuration()) || votes_in(committed_configuration());
}

void Raft::become_follower(Term term, NodeId leader) {
  const bool was_leader = is_leader();
  if (was_leader || term > hard_state_.term || leader != leader_) lose_reads();
  if (was_leader) forget_leadership();
  if (term > hard_state_.term) set_hard_state({term, NodeId{}});
  if (role_ != Role::kFollower || leader_ != leader) {
    verified_index_ = commit_index_;  // whatever leader comes, it has these (paper 5.4.3)
    receipted_round_ = 0;
  }
  // A term learnt from a vote request that is then refused must not put off our own election (paper 5.2), so the timer
  // starts again only when something ended.
  if (role_ != Role::kFollower || leader_.value != 0) reset_election_timer();
  role_ = Role::kFollower;
  leader_ = leader;
  votes_.clear();
  self_vote_ticket_ = Ticket{};
  early_ = false;
  transfer_ = false;
}

void Raft::forget_leadership() {
  progress_.clear();
  term_start_index_ = LogIndex{};
  uncommitted_bytes_ = 0;
  transfer_target_ = NodeId{};
  timeout_now_sent_ = false;
  round_ = 0;
  round_waits_ = false;
  reads_round_ = 0;
}

bool Raft::has_committed_in_term() const {
  return is_leader() && term_start_index_.value != 0 && commit_index_ >= term_start_index_;
}

// --- inputs ---

void Raft::on(Tick& tick) {
  ++now_ticks_;
  now_us_ = std::max(now_us_, tick.now_us);
  if (lease_promise_us_ != 0) {
    lease_promised_until_us_ = std::max(lease_promised_until_us_, now_us_ + lease_promise_us_);
    lease_promise_us_ = 0;
  }
  if (is_leader()) {
    tick_leader();
  } else {
    tick_follower();
  }
}

void Raft::tick_follower() {
  if (forwarded_id_.value != 0 && ++forwarded_elapsed_ >= 2 * config_.heartbeat_ticks) {
    // The request or its answer was lost. A new id, so that an answer to the old one is not taken for the new one's;
    // the reads of both may share it, since it is asked after all of them arrived (pitfall C2).
    round_reads_.insert(round_reads_.end(), waiting_reads_.begin(), waiting_reads_.end());
    waiting_reads_.swap(round_reads_);
    round_reads_.clear();
    forwarded_id_ = ReadId{};
    forward_reads();
  }
  if (forwarded_id_.value == 0) forward_reads();
  ++election_elapsed_;
  if (early_election_in_ != 0 && --early_election_in_ == 0) {
    // Voters that have not noticed yet ignore this, so it is repeated until they have or a leader speaks.
    early_election_in_ = 1 + random_.below(config_.early_election_ticks);
    if (role_ != Role::kCandidate) campaign(true, false, true);
  }
  if (election_elapsed_ >= election_timeout_) {
    const bool early = early_;
    reset_election_timer();
    // Also who may not campaign hears no leader any more, and votes for others.
    if (leader_.value != 0) become_follower(hard_state_.term, NodeId{});
    campaign(true, false, early);
  }
}

// The followers' disks still commit what this leader proposes, so there is time to hand over in an orderly way before
// it gives up (storage-faults row 18).
void Raft::leave_stalled_disk() {
  if (transfer_target_.value != 0 || term_start_index_.value == 0) return;
  for (const Progress& progress : progress_) {
    const bool caught_up = progress.vouches && progress.match_index == log_.last_index();
    if (!caught_up || !progress.recently_active || !configuration().is_voter(progress.node)) continue;
    transfer_target_ = progress.node;
    transfer_elapsed_ = 0;
    check_transfer();
    return;
  }
}

void Raft::tick_leader() {
  if (is_disk_stalled(config_.disk_stall_ticks_max / 2)) leave_stalled_disk();
  if (is_disk_stalled(config_.disk_stall_ticks_max)) {
    // Alive on the network and dead on disk: somebody else can do better (storage-faults row 18).
    become_follower(hard_state_.term, NodeId{});
    return;
  }
  if (++quorum_check_elapsed_ >= config_.election_timeout_ticks) {
    quorum_check_elapsed_ = 0;
    check_quorum();
    if (!is_leader()) return;
  }
  if (transfer_target_.value != 0 && ++transfer_elapsed_ >= config_.election_timeout_ticks) {
    transfer_target_ = NodeId{};  // thesis 3.10: given up, proposals are taken again
    if (is_leaving()) {
      become_follower(hard_state_.term, NodeId{});
      return;
    }
  }
  if (++heartbeat_elapsed_ >= config_.heartbeat_ticks) {
    heartbeat_elapsed_ = 0;
    broadcast_heartbeat();
    return;
  }
  hurry_late_round();
  // The commit index usually rides on the next append. When none follows, one tick later is soon enough.
  for (Progress& progress : progress_) {
    if (progress.state == ProgressState::kReplicate &&
        progress.commit_sent < std::min(commit_index_, progress.next_index - 1)) {
      send_empty_append(progress);
    }
  }
}

void Raft::on(Propose& propose) {
  const auto answer = [this](ProposalStatus status, LogIndex index = {}) {
    out_->proposal = Proposal{status, index, hard_state_.term};
  };
  const std::size_t size = propose.payload.size();
  if (size > kPayloadSizeMax) return answer(ProposalStatus::kTooLarge);
  if (!is_leader()) return answer(ProposalStatus::kNotLeader);
  if (propose.type == EntryType::kTermStart) {
    if (term_start_index_.value != 0) return answer(ProposalStatus::kNotPermitted);
    term_start_index_ = log_.last_index() + 1;
  } else {
    if (propose.type != EntryType::kCommand) return answer(ProposalStatus::kNotPermitted);
    if (term_start_index_.value == 0) return answer(ProposalStatus::kTermStartDue);
    if (transfer_target_.value != 0) return answer(ProposalStatus::kTransferring);
    // The first is admitted whatever its size, or it never would be (pitfall B8).
    if (uncommitted_bytes_ != 0 && uncommitted_bytes_ + size > config_.uncommitted_bytes_max) {
      return answer(ProposalStatus::kBacklog);
    }
  }
  answer(ProposalStatus::kAccepted, log_.last_index() + 1);
  append_proposal(propose.type, propose.payload_crc, std::move(propose.payload));
}

void Raft::append_proposal(EntryType type, std::uint32_t payload_crc, SharedBytes payload) {
  Entry entry;
  entry.index = log_.last_index() + 1;
  entry.term = hard_state_.term;
  entry.type = type;
  entry.payload_crc = payload_crc;
  entry.payload = std::move(payload);
  const std::size_t bytes = entry.payload.size();
  uncommitted_bytes_ += bytes;
  append_to_log(std::move(entry));
  count_held_back(bytes);
  for (Progress& progress : progress_) replicate(progress);
}

namespace {

// A granted pre-vote names the term that its candidate would start, which nobody has begun yet.
bool is_prospective(const Message& message) {
  const auto* request = std::get_if<RequestVote>(&message);
  if (request != nullptr) return true;  // and a RequestVote's term is adopted only if it is listened to (thesis 4.2.3)
  const auto* reply = std::get_if<RequestVoteReply>(&message);
  return reply != nullptr && reply->pre_vote && reply->granted;
}

}  // namespace

// Whose word counts. Replies count only from recorded incarnations, and so do candidacies of recorded nodes. A node
// that our configuration does not list at all may be one that an entry we lack has added: it is answered, as the thesis
// asks (4.1, end), and whether it may speak in this cluster was settled by the handshake. A leader is one by a quorum's
// vote, so its appends are taken whatever our own configuration says.
bool Raft::admit(const Envelope& envelope) {
  if (envelope.to != config_.id || envelope.group != config_.group || envelope.from == config_.id) {
    return false;  // pitfall B13
  }
  const Member* member = configuration().find(envelope.from);
  const bool recorded = member != nullptr && (member->incarnation == envelope.incarnation ||
                                              planted::is(planted::Bug::kIncarnationUnchecked));
  const Message& message = envelope.message;
  if (std::holds_alternative<AppendEntriesReply>(message) || std::holds_alternative<RoundReply>(message) ||
      std::holds_alternative<RequestVoteReply>(message) || std::holds_alternative<InstallSnapshotReply>(message)) {
    return recorded;
  }
  if (std::holds_alternative<RequestVote>(message)) return member == nullptr || recorded;
  return true;
}

void Raft::on(Receive& receive_input) {
  Envelope& envelope = receive_input.envelope;
  if (!admit(envelope)) return;
  const Term term = std::visit([](const auto& message) { return message.term; }, envelope.message);
  if (!is_prospective(envelope.message)) {
    // Paper figure 2, all servers: a newer term turns everybody into a follower.
    if (term > hard_state_.term) become_follower(term, NodeId{});
    if (term < hard_state_.term) {
      if (std::holds_alternative<AppendEntries>(envelope.message) ||
          std::holds_alternative<InstallSnapshot>(envelope.message)) {
        reject_stale_leader(envelope.from);
      } else if (const auto* request = std::get_if<ReadIndexRequest>(&envelope.message)) {
        send_when_term_is_durable(envelope.from, ReadIndexReply{hard_state_.term, request->id, false, LogIndex{}});
      }
      return;
    }
  }
  std::visit([this, &envelope](auto& message) { receive(envelope, message); }, envelope.message);
}

void Raft::on(Persisted& persisted) {
  ensure(persisted.ticket <= last_ticket_, "only what was asked for can be durable");
  if (persisted.ticket <= persisted_ticket_) return;
  while (!pending_disk_.empty() && pending_disk_.front().ticket <= persisted.ticket) {
    durable_index_ = pending_disk_.front().last_index;
    durable_hard_state_ = pending_disk_.front().hard_state;
    pending_disk_.pop_front();
  }
  persisted_ticket_ = persisted.ticket;
  if (role_ == Role::kCandidate && self_vote_ticket_.value != 0 && self_vote_ticket_ <= persisted_ticket_) {
    self_vote_ticket_ = Ticket{};
    votes_.push_back({config_.id, true});
    count_votes();
  }
  if (is_leader()) {
    advance_commit();
    check_round();
  }
}

void Raft::on(DiskFull&) {
  for (PendingDisk& pending : pending_disk_) pending.asked_at_tick = now_ticks_;
}

void Raft::on(Applied& applied) {
  ensure(applied.index <= emitted_index_, "only what was committed is applied");
  applied_index_ = std::max(applied_index_, applied.index);
  const LogIndex ours = std::min(applied_index_, durable_index_);
  LogIndex known = ours;
  if (is_leader()) {
    for (const Progress& progress : progress_) known = std::min(known, progress.match_index);
  }
  log_.shrink_cache(ours, known);
}

void Raft::on(Flush& /*flush*/) {
  if (!is_leader() && forwarded_id_.value == 0) forward_reads();
  // and finish_step sends a leader's round
}

void Raft::on(TransferLeadership& transfer) {
  if (!is_leader() || term_start_index_.value == 0 || transfer.to == config_.id) return;
  if (find_progress(transfer.to) == nullptr || !configuration().is_voter(transfer.to)) return;
  transfer_target_ = transfer.to;
  transfer_elapsed_ = 0;
  check_transfer();
}

void Raft::on(Campaign& /*campaign*/) {
  if (!is_leader()) campaign(true, false, false);
}

void Raft::on(PeerUnreachable& peer) {
  Progress* progress = find_progress(peer.node);
  if (progress == nullptr) return;
  // What was in flight may be lost; an announced snapshot is announced again, and its transfer may resume.
  if (progress->state != ProgressState::kProbe) progress->become_probe(progress->match_index + 1);
  progress->probe_sent = true;  // until the link is back or a heartbeat is due
  progress->recently_active = false;
  if (progress->needed) ask_everybody();
}

void Raft::on(LinkRefused& peer) {
  if (!is_refused(peer.node)) refused_.push_back(peer.node);
  if (role_ == Role::kFollower && leader_ == peer.node && early_election_in_ == 0) {
    early_election_in_ = 1 + random_.below(config_.early_election_ticks);
  }
}

void Raft::on(LinkRestored& peer) {
  std::erase(refused_, peer.node);
  if (Progress* progress = find_progress(peer.node); progress != nullptr) {
    progress->probe_sent = false;
    replicate(*progress);
  }
  // A candidate's questions may have been lost with the link. A vote is asked for again only when our own is durable.
  if (role_ == Role::kPreCandidate || (role_ == Role::kCandidate && self_vote_ticket_.value == 0)) send_vote_requests();
}

void Raft::on(Bootstrap& bootstrap) {
  ensure(log_.last_index().value == 0, "a group is made from nothing, once");
  // A founding that failed may have left a term, never a vote for somebody else.
  if (hard_state_.term.value == 0) set_hard_state({Term{1}, NodeId{}});
  Entry entry;
  entry.index = LogIndex{1};
  entry.term = Term{1};
  entry.type = EntryType::kConfiguration;
  entry.payload = SharedBytes::copy_of(encode_configuration(bootstrap.configuration));
  entry.payload_crc = crc32c(entry.payload.view());
  append_to_log(std::move(entry));
  campaign(true, false, false);
}

void Raft::on(VotingRestored& /*restored*/) {
  may_vote_ = true;
}

}  // namespace redraft::raft
