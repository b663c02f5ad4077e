#include <algorithm>

#include "server/replica/engine.h"

// What node-local commands ask of this node (local/actions.h).

namespace redraft::replica {

using local::NodeView;

NodeView Engine::view() const {
  NodeView view;
  view.cluster_id = std::string(reinterpret_cast<const char*>(cluster_.data()), cluster_.size());
  view.node = node_;
  view.boot = boot_;
  view.cluster_enabled = cluster_enabled();
  view.wall_us = now_.wall_ms * 1000;
  view.monotonic_ms = now_.monotonic_us / 1000;
  view.started_monotonic_ms = started_.monotonic_us / 1000;
  view.loading = phase_ == Phase::kLoading;
  view.stopping = phase_ == Phase::kStopping;
  view.joining = membership_.joining();
  view.removed = removed_;
  view.loading_started_s = started_.wall_ms / 1000;
  view.loading_bytes_total = loading_bytes_total_;
  view.loading_bytes_read = loading_bytes_read_;
  view.process = host_.process();
  if (raft_ != nullptr) view_raft(view);
  if (store_ != nullptr) view_data(view);
  view.audit = view_audit();
  return view;
}

void Engine::view_raft(NodeView& view) const {
  switch (raft_->role()) {
    case raft::Role::kLeader:
      view.role = local::NodeRole::kLeader;
      break;
    case raft::Role::kCandidate:
      view.role = local::NodeRole::kCandidate;
      break;
    case raft::Role::kPreCandidate:
      view.role = local::NodeRole::kPreCandidate;
      break;
    case raft::Role::kFollower:
      break;
  }
  view.term = raft_->term().value;
  view.leader = raft_->leader().value;
  view.last_leader = view.leader != 0 ? view.leader : last_leader_;
  view.commit_index = raft_->commit_index().value;
  view.applied_index = applied_.value;
  view.last_index = raft_->last_index().value;
  view.snapshot_index = snapshots_.index().value;
  view.log_bytes = snapshots_.log_bytes;
  for (const raft::Member& member : raft_->configuration().members()) {
    const std::optional<MemberAddress> address = parse_member_address(member.address);
    local::MemberView& shown = view.members.emplace_back();
    shown.node = member.id.value;
    if (address) {
      shown.host = address->host;
      shown.port = address->port;
      shown.peer_port = address->peer_port;
    }
    shown.self = member.id.value == node_;
    shown.voter = member.voter;
    shown.hostname = member.hostname;
    if (const auto progress = membership_.progress(member.id.value)) {
      shown.catch_up_round = progress->round;
      shown.missing = progress->missing;
    }
    if (shown.self) {
      shown.match_index = view.last_index;
      continue;
    }
    const Peers::View link = peers_.view(member.id.value);
    shown.link_up = link.up;
    shown.link_since_ms = link.since_ms;
    shown.unsent_bytes = link.unsent_bytes;
    for (const raft::Progress& peer : raft_->progress()) {
      if (peer.node != member.id) continue;
      shown.match_index = peer.match_index.value;
      shown.receiving_snapshot = peer.state == raft::ProgressState::kSnapshot;
    }
  }
}

void Engine::view_data(NodeView& view) const {
  for (std::uint32_t db = 0; db < store_->database_count(); ++db) {
    const store::DatabaseCounts counts = store_->counts(db);
    if (counts.keys == 0) continue;
    view.databases.push_back({db, counts.keys, counts.expires, 0});
  }
  view.dataset_memory = store_->used_memory();
  view.pending_free_objects = store_->garbage();
  view.clients_memory = 0;
  sessions_.for_each([&](const Session& session) { view.clients_memory += session.memory(); });
  view.log_memory = raft_ == nullptr ? 0 : raft_->log().cached_bytes();
  view.used_memory = view.dataset_memory + view.clients_memory + view.log_memory;
  view.waiting_keys = store_->waiters().key_count();
}

std::optional<std::string> Engine::cluster_setting(std::string_view name) const {
  if (store_ == nullptr) return std::nullopt;
  return store_->setting(name);
}

void Engine::each_session(const std::function<void(Session&)>& visit) {
  sessions_.for_each(visit);
}

// What is in its output still goes out; what it waits for is withdrawn when the host has closed it.
void Engine::kill(Session& session) {
  session.closing = true;
  withdraw_wait(session);
  host_.close_client(session);
}

bool Engine::unblock(Session& session, bool with_error) {
  if (read_waits_.contains(session.id())) {
    finish_read_wait(session, with_error);
    return true;
  }
  // A blocking command whose entry is on its way will wait by the time this one's is applied, or have its element.
  if (session.pending.empty() || !leading()) return false;
  const Pending& last = session.pending.back();
  if (last.kind != Pending::Kind::kWrite || last.command == nullptr || !last.command->is(commands::kBlocking)) {
    return false;
  }
  propose_unblock(session, with_error ? commands::UnblockReason::kError : commands::UnblockReason::kUnblocked);
  return true;
}

void Engine::pause(local::PauseMode mode, std::uint64_t until_monotonic_ms) {
  // The stronger of two pauses counts, and the later end (redis.io/commands/client-pause).
  pause_mode_ = std::max(pause_mode_, mode);
  pause_until_ms_ = std::max(pause_until_ms_, until_monotonic_ms);
}

void Engine::unpause() {
  pause_mode_ = local::PauseMode::kNone;
  pause_until_ms_ = 0;
  sessions_.for_each([&](Session& session) {
    if (session.held(Hold::kPaused)) resume(session, Hold::kPaused);
  });
}

void Engine::end_pause() {
  if (pause_mode_ != local::PauseMode::kNone && now_.monotonic_us / 1000 >= pause_until_ms_) unpause();
}

void Engine::forget_connection_state(Session& session) {
  forget_transaction(session);
  session.monitor = false;
  monitors_.erase(session.id());
  pubsub_.forget(session);
  tracking_.disable(session);
  log_out(session);
}

void Engine::set_cluster_settings(Session& session, std::span<const std::pair<std::string, std::string>> settings) {
  const std::string node = std::to_string(node_);
  std::vector<std::string_view> arguments{node};
  for (const auto& [name, value] : settings) {
    arguments.push_back(name);
    arguments.push_back(value);
  }
  static constexpr commands::Command kConfigSet{
      .name = "config|set", .id = commands::CommandId::kSetSetting, .flags = commands::kWrite};
  if (!leading()) {
    forward(session, commands::CommandId::kSetSetting, arguments);
    return;
  }
  propose_for(session, commands::CommandId::kSetSetting, kConfigSet, arguments);
}

// By the leader's log; answered when the entry is applied here, or in doubt when that takes too long.
void Engine::forward(Session& session, commands::CommandId id, Arguments arguments) {
  CommandHeader header{.id = id, .connection = connection_of(session), .number = session.command_number};
  std::string encoded;
  append_command(encoded, header, arguments);
  if (raft_ == nullptr || !peers_.forward(raft_->leader().value, encoded)) {
    session.writer().error("CLUSTERDOWN The cluster is down");
    report_output(session);
    return;
  }
  session.hold(Hold::kBlocked);
  forwarded_.push_back({session.id(), header.number, now_.monotonic_us + kDoubtAfter_us});
}

void Engine::answer_forwarded(std::uint64_t session_id, std::uint64_t number, std::string_view reply) {
  const auto found = std::ranges::find_if(
      forwarded_, [&](const Forwarded& one) { return one.session == session_id && one.number == number; });
  if (found == forwarded_.end()) return;
  forwarded_.erase(found);
  Session* session = sessions_.find(session_id);
  if (session == nullptr) return;
  session->writer().raw(reply);
  report_output(*session);
  resume(*session, Hold::kBlocked);
}

void Engine::doubt_forwarded() {
  while (!forwarded_.empty() && now_.monotonic_us >= forwarded_.front().until_us) {
    answer_forwarded(forwarded_.front().session, forwarded_.front().number,
                     "-INDOUBT outcome unknown: the leader has not answered\r\n");
  }
}

// A follower's client sets cluster-wide settings: proposed here, answered there.
void Engine::settings_forwarded(SharedBytes command) {
  if (!leading()) return;
  CommandReader reader(command.view());
  CommandHeader header;
  std::vector<std::string_view> arguments;
  if (!reader.next(header, arguments)) return;
  if (header.id != commands::CommandId::kSetSetting && header.id != commands::CommandId::kChangeUsers) return;
  if (pipeline_.full(command.size())) close_batch();
  pipeline_.add(nullptr, header, arguments);
}

// ---- WAIT and WAITAOF: how many nodes have the connection's writes durable

std::uint64_t Engine::durable_replicas(const Session& session) const {
  if (!raft_leads()) return 0;
  std::uint64_t count = 0;
  for (const raft::Progress& peer : raft_->progress()) {
    if (peer.match_index.value >= session.last_write_index) ++count;
  }
  return count;
}

bool Engine::durable_here(const Session& session) const {
  return raft_ != nullptr && raft_->durable_index().value >= session.last_write_index;
}

void Engine::wait(Session& session, const local::WaitRequest& request) {
  WaitingForCopies waiting{request, session.id()};
  if (request.timeout_ms != 0) waiting.until_us = now_.monotonic_us + request.timeout_ms * 1000;
  session.hold(Hold::kBlocked);
  waiting_for_copies_.push_back(waiting);
  check_waiting_for_copies();
}

void Engine::check_waiting_for_copies() {
  std::erase_if(waiting_for_copies_, [&](const WaitingForCopies& waiting) {
    Session* session = sessions_.find(waiting.session);
    if (session == nullptr) return true;
    const std::uint64_t replicas = durable_replicas(*session);
    const bool local = durable_here(*session);
    const bool enough = replicas >= waiting.request.replicas && (waiting.request.local == 0 || local);
    const bool over = waiting.until_us != 0 && now_.monotonic_us >= waiting.until_us;
    if (!enough && !over) return false;
    if (waiting.request.aof) {
      session->writer().array(2);
      session->writer().integer(local ? 1 : 0);
    }
    session->writer().integer(static_cast<std::int64_t>(replicas));
    report_output(*session);
    resume(*session, Hold::kBlocked);
    return true;
  });
}

// ---- Members

void Engine::meet(Session& session, const std::string& host, std::uint16_t port, std::uint16_t peer_port) {
  session.hold(Hold::kBlocked);
  membership_.meet(session.id(), {host, port, peer_port});
}

void Engine::change_members(Session& session, local::MemberChange change, std::span<const std::uint64_t> nodes,
                            bool force) {
  ChangeRequest request;
  request.kind = change == local::MemberChange::kForget    ? raft::MemberChangeKind::kRemove
                 : change == local::MemberChange::kPromote ? raft::MemberChangeKind::kPromote
                                                           : raft::MemberChangeKind::kDemote;
  request.force = force;
  request.nodes.assign(nodes.begin(), nodes.end());
  session.hold(Hold::kBlocked);
  membership_.change(session.id(), std::move(request));
}

// ---- The node

void Engine::snapshot_and_answer(Session& session) {
  if (!snapshots_.taking()) {
    if (Status started = start_snapshot(); !started) {
      session.writer().error(started.error().message);
      report_output(session);
      return;
    }
  }
  session.hold(Hold::kBlocked);
  waiting_for_snapshot_.push_back(session.id());
}

Status Engine::start_snapshot() {
  if (raft_ == nullptr) return Error{ErrorCode::kInvalid, "ERR the cluster is not formed yet"};
  Status begun = snapshots_.begin(now_);
  if (begun) statistics_.save_in_progress = true;
  return begun;
}

void Engine::sleep(Session& session, std::uint64_t microseconds) {
  // The way of a long command: nothing is applied, but peers, timers and the disk are served.
  const std::uint64_t until = now_.monotonic_us + microseconds;
  applying_ = true;
  while (now_.monotonic_us < until) host_.pump();
  applying_ = false;
  session.writer().ok();
}

Status Engine::transfer_leadership(std::uint64_t to_node) {
  if (!raft_leads()) {
    return peers_.ask_transfer(raft_ == nullptr ? 0 : raft_->leader().value, to_node)
               ? Status(Done{})
               : Status(Error{ErrorCode::kInvalid, "ERR no leader is known that could hand leadership over"});
  }
  if (to_node == node_) return Done{};
  feed(raft::TransferLeadership{raft::NodeId{to_node}});
  return Done{};
}

Status Engine::shutdown(Session&, const local::ShutdownOptions& options) {
  if (busy_) {
    if (options.save != local::ShutdownOptions::Save::kNoSave) {
      return Error{ErrorCode::kInvalid, std::string(script_host_.running()->busy_error())};
    }
    // The script has to be left in its middle. What it did is in memory only; the log has its entry.
    host_.stop(0);
    return Done{};
  }
  terminate(0);
  return Done{};
}

bool Engine::abort_shutdown() {
  return false;
}

Status Engine::write_config_file(const std::string& path, const std::string& text) {
  return host_.write_config_file(path, text);
}

std::optional<std::string> Engine::read_config_file(const std::string& path) {
  return host_.read_config_file(path);
}

void Engine::setting_changed(std::string_view name) {
  if (store_ != nullptr) adopt_memory_settings();
  if (name == "notify-keyspace-events") observe_keys();
  host_.setting_changed(name);
}

// ---- Data that node-local commands show

std::uint64_t Engine::count_keys_in_slot(std::uint32_t slot) {
  return store_->count_keys_in_slot(0, slot);
}

std::vector<std::string> Engine::keys_in_slot(std::uint32_t slot, std::uint64_t count) {
  return store_->keys_in_slot(0, slot, count);
}

// DEBUG is allowed while the data is loaded, when there is none to look at yet.
std::string Engine::digest() {
  if (store_ == nullptr) return std::string(40, '0');
  return store_->digest(*this);
}

std::string Engine::value_digest(std::uint32_t db, std::string_view key) {
  if (store_ == nullptr) return std::string(40, '0');
  return store_->digest_of(db, key);
}

// redis.io/commands/debug: what test suites look for in it is the encoding.
std::optional<std::string> Engine::debug_object(std::uint32_t db, std::string_view name) {
  if (store_ == nullptr) return std::nullopt;
  store::AccessClock& clock = store_->access_clock();
  clock.set_touching(false);
  const store::Key* key = store_->find(db, name);
  clock.set_touching(true);
  if (key == nullptr) return std::nullopt;
  const std::size_t bytes = key->object() != nullptr ? key->object()->memory() : key->memory();
  return "Value at:0x0 refcount:1 encoding:" + std::string(key->encoding()) +
         " serializedlength:" + std::to_string(bytes) + " lru:" + std::to_string(key->access()) +
         " lru_seconds_idle:" + std::to_string(clock.counts_frequency() ? 0 : clock.idle_seconds(*key));
}

}  // namespace redraft::replica
