#include "server/replica/node_actions.h"

#include <algorithm>

#include "server/replica/engine.h"

namespace redraft::replica {

using commands::Command;
using commands::CommandId;

Settings& NodeActions::settings() {
  return engine_.settings_;
}

Statistics& NodeActions::statistics() {
  return engine_.statistics_;
}

local::SlowLog& NodeActions::slow_log() {
  return engine_.timings_.slow_log();
}

local::LatencyMonitor& NodeActions::latency() {
  return engine_.timings_.latency();
}

std::optional<std::string> NodeActions::cluster_setting(std::string_view name) const {
  if (engine_.store_ == nullptr) return std::nullopt;
  return engine_.store_->setting(name);
}

void NodeActions::each_session(const std::function<void(Session&)>& visit) {
  engine_.sessions_.for_each(visit);
}

Session* NodeActions::find_session(std::uint64_t id) {
  return engine_.sessions_.find(id);
}

// What is in its output still goes out; what it waits for is withdrawn when the host has closed it.
void NodeActions::kill(Session& session) {
  session.closing = true;
  engine_.blocked_.withdraw(session);
  engine_.host_.close_client(session);
}

bool NodeActions::unblock(Session& session, bool with_error) {
  if (engine_.read_waits_.contains(session.id())) {
    engine_.finish_read_wait(session, with_error);
    return true;
  }
  // A blocking command whose entry is on its way will wait by the time this one's is applied, or have its element.
  if (session.pending.empty() || !engine_.leading()) return false;
  const Pending& last = session.pending.back();
  if (last.kind != Pending::Kind::kWrite || last.command == nullptr || !last.command->is(commands::kBlocking)) {
    return false;
  }
  engine_.blocked_.unblock(session, with_error ? commands::UnblockReason::kError : commands::UnblockReason::kUnblocked);
  return true;
}

void NodeActions::pause(local::PauseMode mode, std::uint64_t until_monotonic_ms) {
  // The stronger of two pauses counts, and the later end (redis.io/commands/client-pause).
  pause_mode_ = std::max(pause_mode_, mode);
  pause_until_ms_ = std::max(pause_until_ms_, until_monotonic_ms);
}

void NodeActions::unpause() {
  pause_mode_ = local::PauseMode::kNone;
  pause_until_ms_ = 0;
  engine_.sessions_.for_each([&](Session& session) {
    if (session.held(Hold::kPaused)) engine_.resume(session, Hold::kPaused);
  });
}

void NodeActions::end_pause() {
  if (pause_mode_ != local::PauseMode::kNone && engine_.now_.monotonic_us / 1000 >= pause_until_ms_) unpause();
}

bool NodeActions::paused(const Session& session, const Command& command) const {
  if (pause_mode_ == local::PauseMode::kNone || command.id == CommandId::kClientUnpause) return false;
  if (pause_mode_ == local::PauseMode::kAll) return true;
  return command.is(commands::kWrite) || command.is(commands::kMayReplicate) ||
         (command.id == CommandId::kExec && session.transaction.writes);
}

void NodeActions::forget_connection_state(Session& session) {
  engine_.forget_transaction(session);
  engine_.monitors_.remove(session);
  engine_.pubsub_.forget(session);
  engine_.tracking_.disable(session);
  engine_.users_.log_out(session);
}

// ---- What clients are told unasked

PubSub& NodeActions::pubsub() {
  return engine_.pubsub_;
}

Tracking& NodeActions::tracking() {
  return engine_.tracking_;
}

std::uint64_t NodeActions::publish(std::string_view channel, std::string_view message, bool sharded) {
  return engine_.events_.publish(channel, message, sharded);
}

void NodeActions::start_monitor(Session& session) {
  engine_.monitors_.add(session);
}

// ---- Users

const commands::AclUsers& NodeActions::users() const {
  return engine_.users_.all();
}

local::AclLog& NodeActions::acl_log() {
  return engine_.users_.log();
}

void NodeActions::log_in(Session& session, std::string_view user) {
  engine_.users_.log_in(session, user);
}

void NodeActions::random_bytes(std::span<char> into) {
  engine_.host_.random_bytes(into);
}

// ---- What changes all nodes

void NodeActions::change_users(Session& session, std::span<const std::string_view> change) {
  static constexpr Command kAclChange{.name = "acl|setuser", .id = CommandId::kChangeUsers, .flags = commands::kWrite};
  const std::string node = std::to_string(engine_.node_);
  std::vector<std::string_view> arguments{node};
  arguments.insert(arguments.end(), change.begin(), change.end());
  propose_or_forward(session, kAclChange, arguments);
}

void NodeActions::set_cluster_settings(Session& session,
                                       std::span<const std::pair<std::string, std::string>> settings) {
  static constexpr Command kConfigSet{.name = "config|set", .id = CommandId::kSetSetting, .flags = commands::kWrite};
  const std::string node = std::to_string(engine_.node_);
  std::vector<std::string_view> arguments{node};
  for (const auto& [name, value] : settings) {
    arguments.push_back(name);
    arguments.push_back(value);
  }
  propose_or_forward(session, kConfigSet, arguments);
}

// By the leader's log; answered when the entry is applied here, or in doubt when that takes too long.
void NodeActions::propose_or_forward(Session& session, const Command& command,
                                     std::span<const std::string_view> arguments) {
  if (engine_.leading()) return engine_.propose_for(session, command.id, command, arguments);
  const CommandHeader header{
      .id = command.id, .connection = engine_.connection_of(session), .number = session.command_number};
  std::string encoded;
  append_command(encoded, header, arguments);
  if (engine_.raft_ == nullptr || !engine_.peers_.forward(engine_.raft_->leader().value, encoded)) {
    session.writer().error("CLUSTERDOWN The cluster is down");
    engine_.report_output(session);
    return;
  }
  session.hold(Hold::kBlocked);
  forwarded_.push_back({session.id(), header.number, engine_.now_.monotonic_us + Engine::kDoubtAfter_us});
}

void NodeActions::answer_forwarded(std::uint64_t session_id, std::uint64_t number, std::string_view reply) {
  const auto found = std::ranges::find_if(
      forwarded_, [&](const Forwarded& one) { return one.session == session_id && one.number == number; });
  if (found == forwarded_.end()) return;
  forwarded_.erase(found);
  Session* session = engine_.sessions_.find(session_id);
  if (session == nullptr) return;
  session->writer().raw(reply);
  engine_.report_output(*session);
  engine_.resume(*session, Hold::kBlocked);
}

void NodeActions::doubt_forwarded() {
  while (!forwarded_.empty() && engine_.now_.monotonic_us >= forwarded_.front().until_us) {
    answer_forwarded(forwarded_.front().session, forwarded_.front().number,
                     "-INDOUBT outcome unknown: the leader has not answered\r\n");
  }
}

// ---- WAIT and WAITAOF: how many nodes have the connection's writes durable

std::uint64_t NodeActions::durable_replicas(const Session& session) const {
  if (!engine_.raft_leads()) return 0;
  std::uint64_t count = 0;
  for (const raft::Progress& peer : engine_.raft_->progress()) {
    if (peer.match_index.value >= session.last_write_index) ++count;
  }
  return count;
}

bool NodeActions::durable_here(const Session& session) const {
  return engine_.raft_ != nullptr && engine_.raft_->durable_index().value >= session.last_write_index;
}

void NodeActions::wait(Session& session, const local::WaitRequest& request) {
  WaitingForCopies waiting{request, session.id()};
  if (request.timeout_ms != 0) waiting.until_us = engine_.now_.monotonic_us + request.timeout_ms * 1000;
  session.hold(Hold::kBlocked);
  waiting_for_copies_.push_back(waiting);
  check_copies();
}

void NodeActions::check_copies() {
  std::erase_if(waiting_for_copies_, [&](const WaitingForCopies& waiting) {
    Session* session = engine_.sessions_.find(waiting.session);
    if (session == nullptr) return true;
    const std::uint64_t replicas = durable_replicas(*session);
    const bool local = durable_here(*session);
    const bool enough = replicas >= waiting.request.replicas && (waiting.request.local == 0 || local);
    const bool over = waiting.until_us != 0 && engine_.now_.monotonic_us >= waiting.until_us;
    if (!enough && !over) return false;
    if (waiting.request.aof) {
      session->writer().array(2);
      session->writer().integer(local ? 1 : 0);
    }
    session->writer().integer(static_cast<std::int64_t>(replicas));
    engine_.report_output(*session);
    engine_.resume(*session, Hold::kBlocked);
    return true;
  });
}

// ---- Members

void NodeActions::meet(Session& session, const std::string& host, std::uint16_t port, std::uint16_t peer_port) {
  session.hold(Hold::kBlocked);
  engine_.membership_.meet(session.id(), {host, port, peer_port});
}

void NodeActions::change_members(Session& session, local::MemberChange change, std::span<const std::uint64_t> nodes,
                                 bool force) {
  ChangeRequest request;
  request.kind = change == local::MemberChange::kForget    ? raft::MemberChangeKind::kRemove
                 : change == local::MemberChange::kPromote ? raft::MemberChangeKind::kPromote
                                                           : raft::MemberChangeKind::kDemote;
  request.force = force;
  request.nodes.assign(nodes.begin(), nodes.end());
  session.hold(Hold::kBlocked);
  engine_.membership_.change(session.id(), std::move(request));
}

// ---- The node

void NodeActions::snapshot_and_answer(Session& session) {
  if (!engine_.snapshots_.taking()) {
    if (Status started = start_snapshot(); !started) {
      session.writer().error(started.error().message);
      engine_.report_output(session);
      return;
    }
  }
  session.hold(Hold::kBlocked);
  waiting_for_snapshot_.push_back(session.id());
}

Status NodeActions::start_snapshot() {
  if (engine_.raft_ == nullptr) return Error{ErrorCode::kInvalid, "ERR the cluster is not formed yet"};
  Status begun = engine_.snapshots_.begin(engine_.now_);
  if (begun) engine_.statistics_.save_in_progress = true;
  return begun;
}

void NodeActions::snapshot_over(const std::optional<Error>& error) {
  for (const std::uint64_t id : std::exchange(waiting_for_snapshot_, {})) {
    Session* session = engine_.sessions_.find(id);
    if (session == nullptr) continue;
    error ? session->writer().error("ERR " + error->message) : session->writer().ok();
    engine_.report_output(*session);
    engine_.resume(*session, Hold::kBlocked);
  }
}

Status NodeActions::start_audit() {
  if (!engine_.leading()) {
    return Error{ErrorCode::kInvalid, "ERR This node does not lead: send CLUSTER AUDIT to the leader"};
  }
  if (engine_.raft_->configuration().members().size() < 2) {
    return Error{ErrorCode::kInvalid, "ERR A single node has no other to be compared with"};
  }
  engine_.audit_.want_pass();
  return Done{};
}

void NodeActions::sleep(Session& session, std::uint64_t microseconds) {
  // The way of a long command: nothing is applied, but peers, timers and the disk are served.
  const std::uint64_t until = engine_.now_.monotonic_us + microseconds;
  engine_.applying_ = true;
  while (engine_.now_.monotonic_us < until) engine_.host_.pump();
  engine_.applying_ = false;
  session.writer().ok();
}

Status NodeActions::transfer_leadership(std::uint64_t to_node) {
  if (!engine_.raft_leads()) {
    return engine_.peers_.ask_transfer(engine_.raft_ == nullptr ? 0 : engine_.raft_->leader().value, to_node)
               ? Status(Done{})
               : Status(Error{ErrorCode::kInvalid, "ERR no leader is known that could hand leadership over"});
  }
  if (to_node == engine_.node_) return Done{};
  engine_.feed(raft::TransferLeadership{raft::NodeId{to_node}});
  return Done{};
}

Status NodeActions::shutdown(Session&, const local::ShutdownOptions& options) {
  if (engine_.busy_) {
    if (options.save != local::ShutdownOptions::Save::kNoSave) {
      return Error{ErrorCode::kInvalid, std::string(engine_.script_host_.running()->busy_error())};
    }
    // The script has to be left in its middle. What it did is in memory only; the log has its entry.
    engine_.host_.stop(0);
    return Done{};
  }
  engine_.terminate(0);
  return Done{};
}

bool NodeActions::abort_shutdown() {
  return false;
}

Status NodeActions::write_config_file(const std::string& path, const std::string& text) {
  return engine_.host_.write_config_file(path, text);
}

std::optional<std::string> NodeActions::read_config_file(const std::string& path) {
  return engine_.host_.read_config_file(path);
}

void NodeActions::setting_changed(std::string_view name) {
  if (engine_.store_ != nullptr) engine_.adopt_memory_settings();
  if (name == "notify-keyspace-events") engine_.events_.observe_keys();
  engine_.host_.setting_changed(name);
}

// ---- Data that node-local commands show

std::uint64_t NodeActions::count_keys_in_slot(std::uint32_t slot) {
  return engine_.store_->count_keys_in_slot(0, slot);
}

std::vector<std::string> NodeActions::keys_in_slot(std::uint32_t slot, std::uint64_t count) {
  return engine_.store_->keys_in_slot(0, slot, count);
}

// DEBUG is allowed while the data is loaded, when there is none to look at yet.
std::string NodeActions::digest() {
  if (engine_.store_ == nullptr) return std::string(40, '0');
  return engine_.store_->digest(engine_);
}

std::string NodeActions::value_digest(std::uint32_t db, std::string_view key) {
  if (engine_.store_ == nullptr) return std::string(40, '0');
  return engine_.store_->digest_of(db, key);
}

// redis.io/commands/debug: what test suites look for in it is the encoding.
std::optional<std::string> NodeActions::debug_object(std::uint32_t db, std::string_view name) {
  if (engine_.store_ == nullptr) return std::nullopt;
  store::AccessClock& clock = engine_.store_->access_clock();
  clock.set_touching(false);
  const store::Key* key = engine_.store_->find(db, name);
  clock.set_touching(true);
  if (key == nullptr) return std::nullopt;
  const std::size_t bytes = key->object() != nullptr ? key->object()->memory() : key->memory();
  return "Value at:0x0 refcount:1 encoding:" + std::string(key->encoding()) +
         " serializedlength:" + std::to_string(bytes) + " lru:" + std::to_string(key->access()) +
         " lru_seconds_idle:" + std::to_string(clock.counts_frequency() ? 0 : clock.idle_seconds(*key));
}

void NodeActions::set_active_expire(bool on) {
  engine_.active_expire_ = on;
}

commands::ScriptHost* NodeActions::script_host() {
  return &engine_.script_host_;
}

local::Actions::LibraryCounts NodeActions::library_counts() const {
  if (engine_.store_ == nullptr) return {};
  const store::Scripts& scripts = engine_.store_->scripts();
  return {scripts.libraries().size(), scripts.function_count()};
}

}  // namespace redraft::replica
