#include <algorithm>

#include "base/crc32c.h"
#include "server/replica/engine.h"

// The one place that turns what Raft wants into work, and the turns of the node's life: start, time, the end of a turn,
// the way out.

namespace redraft::replica {
namespace {

constexpr std::uint64_t kTick_us = 10'000;
constexpr std::uint64_t kSpreadInterval_us = 2'000;
constexpr std::size_t kHeldBackMax = std::size_t{64} << 10;
constexpr std::uint32_t kHeldBackSpreadsMax = 5;
constexpr std::uint64_t kStatusInterval_us = 1'000'000;
constexpr std::uint64_t kSampleInterval_us = 100'000;
constexpr std::uint64_t kExpiryEntryInterval_us = 50'000;
constexpr std::size_t kExpireSlice = 200;
constexpr std::size_t kFreeSlice = 2000;

}  // namespace

Engine::Engine(Settings& settings, Host& host, std::uint64_t seed, Time now)
    : settings_(settings),
      host_(host),
      random_(seed),
      now_(now),
      started_(now),
      timings_(settings),
      users_(settings, sessions_, [this](Session& session) { close_after_replies(session); }),
      pushes_(sessions_, [this](Session& session) { report_output(session); }),
      pubsub_(pushes_),
      tracking_(sessions_, pushes_, [this] { events_.observe_keys(); }),
      clock_(settings.values().max_clock_drift_ppm),
      peers_(host, settings, *this),
      membership_(host, settings, peers_, *this),
      snapshots_(host, settings, *this) {
  statistics_.per_command.resize(1024);
  statistics_.last_save_s = now.wall_ms / 1000;
  users_.adopt(store_.get());
  script_host_.set_watcher(this);
}

Engine::~Engine() = default;

void Engine::start(std::unique_ptr<Recovered> recovered) {
  ensure(phase_ == Phase::kLoading, "a replica starts once");
  node_ = recovered->identity.node_id;
  boot_ = recovered->identity.boot;
  cluster_ = recovered->identity.cluster_id;
  incarnation_ = raft::Incarnation{recovered->identity.incarnation};
  store_ = std::move(recovered->store);
  fragments_ = std::move(recovered->fragments);
  applied_ = recovered->restored.snapshot.index;
  applied_term_ = recovered->restored.snapshot.term;
  last_clock_ms_ = store_->clock_ms();
  for (const raft::Entry& entry : recovered->restored.entries) note_clock(entry);
  replay_end_ = applied_ + recovered->restored.entries.size();
  events_.attach_store();
  snapshots_.start(recovered->restored.snapshot.index, recovered->log_bytes);
  audit_.start(now_.monotonic_us);
  restored_ = std::move(recovered->restored);
  for (const std::string& warning : recovered->warnings) host_.log(LogLevel::kWarning, warning);
  if (recovered->repair == Repair::kVote) {
    host_.log(
        LogLevel::kWarning,
        "This node has forgotten whom it voted for: it follows, but never votes again under this identity. Remove "
        "it from the cluster (CLUSTER FORGET), empty its directory and let it join anew.");
  } else if (!restored_.may_vote) {
    host_.log(LogLevel::kWarning,
              "This node may have lost entries it had acknowledged: it neither votes nor counts until a leader has "
              "brought them back.");
  }
  if (founding_failed(recovered->identity.founded_alone)) {
    cluster_ = {};
    recovered->identity.cluster_id = {};
  }
  peers_.set_own_address(own_address(), own_host_is_guessed());
  peers_.set_identity(recovered->identity);
  identity_ = recovered->identity;
  adopt_cluster_settings();
  users_.adopt(store_.get());
  phase_ = Phase::kServing;
  if (cluster_ != ClusterId{}) {
    start_raft();
  } else {
    form_cluster();
  }
}

void Engine::start_raft() {
  const Values& values = settings_.values();
  raft::Config config;
  config.id = raft::NodeId{node_};
  config.incarnation = incarnation_;
  config.boot = boot_;
  const auto ticks = [](std::uint64_t ms) {
    return static_cast<std::uint32_t>(std::max<std::uint64_t>(1, ms * 1000 / kTick_us));
  };
  config.heartbeat_ticks = ticks(values.heartbeat_interval_ms);
  config.election_timeout_ticks = ticks(values.election_timeout_ms);
  config.early_election_ticks = std::max<std::uint32_t>(1, config.election_timeout_ticks / 10);
  config.disk_stall_ticks_max = 4 * config.election_timeout_ticks;
  config.uncommitted_bytes_max = values.client_memory_max + kPayloadMax;
  config.catch_up_tail_entries = values.snapshot_tail_entries;
  config.held_back_bytes_max = kHeldBackMax;
  config.held_back_spreads_max = kHeldBackSpreadsMax;
  config.lease_us = values.lease_us();
  config.lease_drift_us = config.lease_us * values.max_clock_drift_ppm / 1'000'000 + 1000;
  config.lease_longest_us = std::max(config.lease_us, identity_.promise_us);
  raft_ = std::make_unique<raft::Raft>(config, std::move(restored_), random_.next());
  last_tick_us_ = now_.monotonic_us;
  follow_configuration();
  // A single voter need not wait for an election timeout: nobody else can lead.
  if (raft_->configuration().members().size() == 1) feed(raft::Campaign{});
}

// ---- Raft's wishes

void Engine::feed(raft::Input input) {
  ensure(!feeding_, "a step of Raft does not lead to another one before its output is carried out");
  feeding_ = true;
  output_.clear();
  raft_->step(std::move(input), output_);
  carry_out(output_);
  feeding_ = false;
}

void Engine::carry_out(raft::Output& output) {
  for (const raft::Envelope& envelope : output.messages) send(envelope);
  if (!output.promises.empty()) {
    promises_.push_back({output.promises_after, std::move(output.promises)});
    output.promises = {};
  }
  if (output.disk.wanted()) {
    DiskRequest request;
    request.raft = std::move(output.disk);
    if (!request.raft.entries.empty()) syncing_.push_back({request.raft.ticket, now_.monotonic_us});
    output.disk = {};
    host_.submit(std::move(request));
  }
  if (output.repaired) {
    DiskRequest request;
    request.repaired = true;
    host_.submit(std::move(request));
  }
  send_durable_promises();
  for (raft::Entry& entry : output.committed) committed_.push_back(std::move(entry));
  if (!output.committed.empty()) {
    pipeline_.committed(raft_->commit_index(), now_.monotonic_us);
    commit_progress_us_ = now_.monotonic_us;
  }
  for (const raft::ReadState& read : output.reads) reads_.confirmed(read.id.value, read.index, read.by_lease);
  if (!output.lost_reads.empty()) reads_lost_ = true;
  if (output.leader_status) {
    role_change_due_ = true;
    log_leader(*output.leader_status);
    if (output.leader_status->leader.value != 0) last_leader_ = output.leader_status->leader.value;
  }
  if (output.became_leader) became_leader_ = true;
  if (output.configuration_changed) configuration_change_due_ = true;
  for (const raft::LogRead& read : output.log_reads) {
    DiskRequest request;
    request.load = read;
    host_.submit(std::move(request));
  }
  if (output.compacted_to) {
    DiskRequest request;
    request.release_below = *output.compacted_to + 1;
    host_.submit(std::move(request));
  }
  snapshots_.raft_wants(output);
  if (output.snapshot_installed) installing_ = true;
}

void Engine::log_leader(const raft::LeaderStatus& status) {
  std::string line = "Term " + std::to_string(status.term.value) + ": ";
  switch (status.role) {
    case raft::Role::kLeader:
      line += "this node leads";
      break;
    case raft::Role::kCandidate:
      line += "this node asks for votes";
      break;
    case raft::Role::kPreCandidate:
      line += "no leader is heard, this node asks whether others hear one";
      break;
    case raft::Role::kFollower:
      line +=
          status.leader.value == 0 ? "no leader is known" : "node " + std::to_string(status.leader.value) + " leads";
      break;
  }
  host_.log(LogLevel::kNotice, line);
}

void Engine::feed_later() {
  while (!later_.empty() && raft_ != nullptr) {
    std::vector<raft::Input> inputs = std::exchange(later_, {});
    for (raft::Input& input : inputs) feed(std::move(input));
  }
}

// Whoever wins by this vote begins its term with the wall clocks of a majority.
void Engine::send(const raft::Envelope& envelope) {
  const auto* vote = std::get_if<raft::RequestVoteReply>(&envelope.message);
  if (vote != nullptr && vote->granted && !vote->pre_vote) peers_.send_status_to(envelope.to.value, status());
  peers_.send(envelope);
}

void Engine::send_durable_promises() {
  while (!promises_.empty() && promises_.front().after <= durable_) {
    for (const raft::Envelope& envelope : promises_.front().envelopes) send(envelope);
    promises_.pop_front();
  }
}

// Writes are refused from the first sign of a full disk until there is room for the reserve again; what was proposed
// before goes on, on the reserve, and a snapshot shortens the log (storage-faults row 7).
void Engine::note_space(const DiskDone& done) {
  const bool full = done.no_space || done.low_space;
  if (full && !disk_full_) {
    host_.log(LogLevel::kWarning, "No space left on device: writes are refused until there is room");
    disk_full_since_us_ = now_.monotonic_us;
    snapshots_.want_soon();
  } else if (!full && disk_full_) {
    host_.log(LogLevel::kNotice, "There is room on the device again: writes go on");
  }
  disk_full_ = full;
}

void Engine::disk_done(DiskDone done) {
  note_space(done);
  if (done.load) {
    if (done.unreadable) {
      // Our own state has that entry applied: with a snapshot of it the damaged part of the log is needed no more.
      host_.log(LogLevel::kWarning, "The log cannot be read: " + *done.unreadable);
      snapshots_.want_soon();
    }
    if (done.loaded.empty()) {
      feed(raft::LogUnavailable{done.load->node});
    } else {
      feed(raft::LogLoaded{done.load->node, std::move(done.loaded)});
    }
    return;
  }
  if (done.no_space) {
    if (raft_ != nullptr) feed(raft::DiskFull{});
    return;
  }
  ++statistics_.syncs.total;
  snapshots_.log_bytes = done.log_bytes;
  if (done.bootstrapped) {
    identity_.cluster_id = cluster_;
    identity_.node_id = node_;
    peers_.set_identity(identity_);
    membership_.joined();
    start_raft();
    founding_ = !forming_.empty();
    if (founding_) feed(raft::Bootstrap{std::exchange(forming_, {})});
    return;
  }
  if (done.repaired) {
    host_.log(LogLevel::kNotice, "Everything this node had acknowledged is on its disk again: it votes and counts");
    feed(raft::VotingRestored{});
  }
  if (done.condemned) condemned_durably_ = true;
  if (done.ticket.value == 0) return;
  durable_ = std::max(durable_, done.ticket);
  while (!syncing_.empty() && syncing_.front().ticket <= durable_) {
    timings_.stage(local::LatencyMonitor::Stage::kSync, now_.monotonic_us - syncing_.front().since_us, now_.wall_ms);
    syncing_.pop_front();
  }
  send_durable_promises();
  feed(raft::Persisted{done.ticket});
}

// ---- Time and turns

void Engine::advance(Time now) {
  now_ = now;
  if (raft_ != nullptr && !removed_) {
    // Late ticks after a pause are one tick: a timer is believed only after the frames that wait (pitfall A11).
    if (now_.monotonic_us >= last_tick_us_ + kTick_us) {
      const std::uint64_t late = (now_.monotonic_us - last_tick_us_) / kTick_us;
      const std::uint64_t ticks = std::min<std::uint64_t>(late, 3);
      last_tick_us_ = late > ticks ? now_.monotonic_us : last_tick_us_ + ticks * kTick_us;
      if (late > ticks) commit_progress_us_ = now_.monotonic_us;  // this process was away, not the others' disks
      for (std::uint64_t i = 0; i < ticks; ++i) feed(raft::Tick{now_.monotonic_us});
    }
    if (spread_at_us_ != 0 && now_.monotonic_us >= spread_at_us_) {
      spread_at_us_ = 0;
      feed(raft::Spread{});
    }
  }
  if (applying_) return;
  sample_statistics();
  if (now_.monotonic_us < last_status_us_ + kStatusInterval_us) return;
  last_status_us_ = now_.monotonic_us;
  peers_.advance(now_);
  if (raft_ != nullptr) peers_.send_status(status());
}

PeerStatus Engine::status() {
  return {now_.wall_ms, applied_.value, leading() ? clock_.read_ms(now_, voters()) : 0};
}

void Engine::end_turn() {
  if (phase_ == Phase::kLoading || applying_) {
    ask_to_wake();
    return;
  }
  if (condemned_) {
    retire();
    ask_to_wake();
    return;
  }
  settle_role();
  apply_committed();
  if (raft_ != nullptr && applied_ > reported_applied_) {
    reported_applied_ = applied_;
    feed(raft::Applied{applied_});
  }
  release_parked(leading() || leader_known());
  doubt_old_batches();
  blocked_.doubt();
  actions_.doubt_forwarded();
  time_out_reads();
  blocked_.time_out();
  actions_.end_pause();
  process_resumed();
  if (store_ != nullptr) expire();
  propose_fragments();
  audit();
  // A read round rides on the append that leaves anyway, else it goes alone.
  const bool closing = may_close() && pipeline_.should_close(now_.monotonic_us);
  const bool round = begin_read_round(closing);
  if (closing) close_batch();
  if (closing && round) feed(raft::Flush{});
  settle_role();
  apply_committed();
  plan_spread();
  events_.notice_lost_touch();
  if (tracking_.any()) tracking_.broadcast();
  actions_.check_copies();
  membership_.turn(now_, cluster_);
  const bool hurry = actions_.awaits_snapshot() || disk_full_ || phase_ == Phase::kStopping;
  if (raft_ != nullptr) snapshots_.turn(now_, {.served = statistics_.commands.total, .hurry = hurry});
  feed_later();
  if (phase_ == Phase::kStopping) go_on_stopping();
  ask_to_wake();
}

// Long enough for a sync or two, short beside what an outage costs (raft/thrift.cc).
void Engine::plan_spread() {
  const raft::LogIndex from = raft_ != nullptr ? raft_->held_back_from() : raft::LogIndex{};
  if (from == held_back_from_ && (from.value == 0 || spread_at_us_ != 0)) return;
  held_back_from_ = from;
  spread_at_us_ = from.value != 0 ? now_.monotonic_us + kSpreadInterval_us : 0;
}

void Engine::close_batch() {
  PayloadHeader header;
  header.clock_ms = leading() ? clock_.read_ms(now_, voters()) : last_clock_ms_;
  header.seed = next_seed();
  header.node = node_;
  const std::uint32_t commands = pipeline_.open_count();
  Batch batch = pipeline_.close(header, now_.monotonic_us);
  const std::uint32_t crc = crc32c(batch.payload.view());
  feed(raft::Propose{raft::EntryType::kCommand, crc, batch.payload});
  ensure(output_.proposal.has_value(), "a proposal is answered in its own step");
  if (output_.proposal->status != raft::ProposalStatus::kAccepted) {
    // Never in any log: a definite answer.
    lose_batch(std::move(batch), Outcome::kNotExecuted);
    return;
  }
  ++statistics_.batches.total;
  statistics_.batched_commands.total += commands;
  note_clock(header.clock_ms);
  batch.index = output_.proposal->index;
  batch.term = output_.proposal->term;
  // What this node proposed in an earlier term, and another leader's log cut off again since: this batch takes its
  // place here, but another node may still have it and lead with it.
  while (!pipeline_.in_flight().empty() && pipeline_.in_flight().back().index >= batch.index) {
    lose_batch(pipeline_.take_newest(), Outcome::kUnknown);
  }
  pipeline_.proposed(std::move(batch));
}

void Engine::note_clock(std::uint64_t clock_ms) {
  if (phase_ != Phase::kLoading) clock_.heard(clock_ms, now_);
  last_clock_ms_ = std::max(last_clock_ms_, clock_ms);
}

// The newest clock in the log, whether applied or not: a new leader goes on from there.
void Engine::note_clock(const raft::Entry& entry) {
  if (entry.type == raft::EntryType::kConfiguration) return;
  Result<Payload> payload = read_payload(entry.payload.view());
  if (payload) note_clock(payload->header.clock_ms);
}

// Memory of keys whose deadline an applied clock has passed, and of detached values: in slices, on every node by
// itself. The leader proposes an entry for its clock when keys are due and nothing else carries it.
void Engine::expire() {
  more_is_due_ = active_expire_ && store_->expire_due(kExpireSlice) == kExpireSlice;
  if (expiry_is_quiet_ && !replaying() && !more_is_due_) expiry_is_quiet_ = false;
  store_->free_some(kFreeSlice);
  make_room();
  if (!leading() || !active_expire_ || !pipeline_.open_empty()) return;
  const std::uint64_t next = store_->next_deadline();
  if (next == 0 || now_.monotonic_us < last_expiry_entry_us_ + kExpiryEntryInterval_us) return;
  if (next > store_->clock_ms() && next <= clock_.read_ms(now_, voters())) {
    last_expiry_entry_us_ = now_.monotonic_us;
    pipeline_.want_entry(nullptr);
  }
}

void Engine::sample_statistics() {
  const std::uint64_t elapsed = now_.monotonic_us - last_sample_us_;
  if (elapsed < kSampleInterval_us) return;
  last_sample_us_ = now_.monotonic_us;
  for (Statistics::Rate* rate :
       {&statistics_.commands, &statistics_.bytes_in, &statistics_.bytes_out, &statistics_.batches,
        &statistics_.batched_commands, &statistics_.read_rounds, &statistics_.syncs}) {
    rate->sample(elapsed);
  }
  if (store_ != nullptr) statistics_.peak_memory = std::max(statistics_.peak_memory, store_->used_memory());
}

void Engine::ask_to_wake() {
  std::uint64_t at = now_.monotonic_us + kSampleInterval_us;
  if (raft_ != nullptr) at = std::min(at, last_tick_us_ + kTick_us);
  if (leading() && !pipeline_.open_empty()) at = std::min(at, pipeline_.close_at_us());
  if (spread_at_us_ != 0) at = std::min(at, spread_at_us_);
  for (const Parked& parked : parked_) at = std::min(at, parked.until_us);
  const bool busy = more_is_due_ || !resumed_.empty() || snapshots_.busy();
  if (busy || (store_ != nullptr && store_->garbage())) at = now_.monotonic_us + 1000;
  host_.wake_at(at);
}

// ---- The way out

void Engine::terminate(int exit_status) {
  if (phase_ == Phase::kStopping) return;
  exit_status_ = exit_status;
  if (phase_ == Phase::kLoading || raft_ == nullptr) {
    phase_ = Phase::kStopping;
    host_.stop(exit_status);
    return;
  }
  phase_ = Phase::kStopping;
  stopping_since_us_ = now_.monotonic_us;
  if (!raft_leads()) return;
  // To the follower whose log is the furthest (thesis 3.10).
  const raft::Progress* best = nullptr;
  for (const raft::Progress& peer : raft_->progress()) {
    const bool voter = raft_->configuration().is_voter(peer.node);
    if (voter && peer.recently_active && (best == nullptr || peer.match_index > best->match_index)) best = &peer;
  }
  if (best != nullptr) feed(raft::TransferLeadership{best->node});
}

void Engine::go_on_stopping() {
  const bool over = now_.monotonic_us >= stopping_since_us_ + kStopBound_us;
  const bool alone = raft_->configuration().members().size() <= 1;
  const bool settled = pipeline_.in_flight().empty() && pipeline_.open_empty() && committed_.empty();
  if (!over && !(settled && (alone || (!raft_leads() && raft_->leader().value != 0)))) return;
  host_.stop(exit_status_);
}

bool Engine::cluster_enabled() const {
  const std::string& setting = settings_.values().cluster_enabled;
  if (setting != "auto") return setting == "yes";
  const std::size_t members =
      raft_ != nullptr ? raft_->configuration().members().size() : settings_.values().initial_cluster.size();
  return members > 1;
}

}  // namespace redraft::replica
