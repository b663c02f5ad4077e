#include "tests/sim/node.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "raft/raft.h"

namespace redraft::sim {
namespace {

constexpr std::uint64_t kTurnCost_us = 8;
constexpr std::uint64_t kItemCost_us = 2;
constexpr std::size_t kLogLinesKept = 40;
constexpr std::size_t kReadMax = 65536;
constexpr std::uint64_t kWallAtStart_ms = 1'700'000'000'000;

}  // namespace

std::optional<Bug> bug_by_name(std::string_view name) {
  for (const Bug bug : {Bug::kNone, Bug::kAckBeforeSync, Bug::kFollowerAckBeforeSync, Bug::kVoteBeforeSync,
                        Bug::kNoDirectorySync, Bug::kNoDataSync}) {
    if (name_of(bug) == name) return bug;
  }
  return std::nullopt;
}

std::string_view name_of(Bug bug) {
  switch (bug) {
    case Bug::kAckBeforeSync:
      return "ack-before-sync";
    case Bug::kFollowerAckBeforeSync:
      return "follower-ack-before-sync";
    case Bug::kVoteBeforeSync:
      return "vote-before-sync";
    case Bug::kNoDirectorySync:
      return "no-directory-sync";
    case Bug::kNoDataSync:
      return "no-data-sync";
    case Bug::kNone:
      break;
  }
  return "none";
}

Node::Node(std::uint64_t id, std::uint64_t seed, Bug bug, replica::Settings settings, Schedule& schedule,
           Network& network, Trace& trace, Watcher& watcher)
    : id_(id),
      random_(seed),
      bug_(bug),
      settings_(std::move(settings)),
      schedule_(schedule),
      network_(network),
      trace_(trace),
      watcher_(watcher) {
  monotonic_base_us_ = random_.between(1'000'000, 100'000'000);
}

Node::~Node() {
  // As at a kill -9: no destructor may touch the disk any more.
  files_.kill();
}

bool Node::leads() const {
  return replica_ != nullptr && replica_->raft() != nullptr && replica_->raft()->is_leader();
}

std::uint64_t Node::member() const {
  return replica_ == nullptr || replica_->raft() == nullptr ? 0 : replica_->raft()->id().value;
}

// ---- Clocks

replica::Time Node::read_clocks() const {
  const std::uint64_t elapsed = schedule_.now_us() - machine_started_us_;
  const auto drift = static_cast<std::int64_t>(elapsed) * drift_ppm / 1'000'000;
  replica::Time time;
  time.monotonic_us = monotonic_base_us_ + elapsed + static_cast<std::uint64_t>(drift);
  time.wall_ms = static_cast<std::uint64_t>(static_cast<std::int64_t>(kWallAtStart_ms + schedule_.now_us() / 1000) +
                                            wall_offset_ms_);
  return time;
}

std::uint64_t Node::to_schedule_us(std::uint64_t monotonic_us) const {
  const std::uint64_t elapsed = monotonic_us - std::min(monotonic_us, monotonic_base_us_);
  const auto drift = static_cast<std::int64_t>(elapsed) * drift_ppm / 1'000'000;
  // One more than exact, so that the clock certainly shows the time that was asked for.
  return machine_started_us_ + static_cast<std::uint64_t>(static_cast<std::int64_t>(elapsed) - drift) + 1;
}

// ---- Life

Node::Action Node::while_alive(Action action) {
  return [this, life = life_, action = std::move(action)] {
    if (life == life_ && replica_ != nullptr) action();
  };
}

void Node::start() {
  ensure(replica_ == nullptr, "a node has one process");
  ++life_;
  trace_.note(schedule_.now_us(), "start", id_, life_);
  if (bug_ == Bug::kNoDirectorySync) files_.set_lying_syncs(testing::Operation::kSyncDirectory, true);
  if (bug_ == Bug::kNoDataSync) files_.set_lying_syncs(testing::Operation::kSyncData, true);
  const replica::Storage::Options options{.node = settings_.values().node_id,
                                          .joins = !settings_.values().join.empty(),
                                          .segment_size = settings_.values().log_segment_size,
                                          .seed = random_.next(),
                                          .databases = settings_.values().databases,
                                          .lease_us = settings_.values().lease_us()};
  Result<std::unique_ptr<replica::Storage>> storage = replica::Storage::open(files_, "/node", options);
  if (!storage) {
    watcher_.cannot_start(*this, storage.error());
    return;
  }
  storage_ = std::move(*storage);
  snapshot_files_ = std::make_unique<replica::SnapshotFiles>(files_, storage_->snapshot_directory());
  paused_ = in_turn_ = turn_planned_ = disk_busy_ = bulk_busy_ = false;
  upkeep_done_ = true;
  busy_until_us_ = schedule_.now_us();
  armed_us_ = 0;
  stopping_.reset();
  boot_ = told_member_ = 0;
  replica_ = std::make_unique<replica::Replica>(settings_, *this, random_.next(), read_clocks());
  network_.process_up(id_, *this);
  schedule_.after(random_.between(200, 20'000), while_alive([this] {
                    inbox_.push_back([this] {
                      auto recovered = storage_->recover([](std::uint64_t, std::uint64_t) {});
                      if (!recovered) {
                        const Error error = recovered.error();
                        watcher_.cannot_start(*this, error);
                        return;
                      }
                      watcher_.started(*this, **recovered);
                      boot_ = (*recovered)->identity.boot;
                      log_bytes_ = (*recovered)->log_bytes;
                      replica_->start(std::move(*recovered));
                    });
                    wake();
                  }));
  wake();
}

void Node::kill() {
  if (up()) end_process(false);
}

void Node::cut_power() {
  const bool was_up = up();
  if (was_up) {
    end_process(true);
  } else {
    network_.process_gone(id_, true);
    files_.crash(random_.next());
  }
  machine_started_us_ = schedule_.now_us();
  monotonic_base_us_ = random_.between(1'000'000, 100'000'000);
}

void Node::wipe() {
  ensure(!up(), "a directory is emptied when nobody uses it");
  for (const std::string& path : files_.paths()) files_.remove_silently(path);
}

// What the disk threads had begun is done in part: up to a random operation, as the moment falls.
void Node::finish_half_done_work() {
  if (disk_busy_ && !disk_executing_.empty() && random_.chance(3, 4)) {
    files_.stop_at_change(random_.between(1, 6));
    static_cast<void>(storage_->execute(std::exchange(disk_executing_, {})));
  } else if (bulk_busy_ && !bulk_queue_.empty() && random_.chance(3, 4)) {
    files_.stop_at_change(random_.between(1, 6));
    static_cast<void>(snapshot_files_->execute(std::move(bulk_queue_.front())));
  }
}

void Node::end_process(bool power) {
  trace_.note(schedule_.now_us(), power ? "power cut" : "killed", id_, life_);
  watcher_.lost_process(*this);
  finish_half_done_work();
  if (power) {
    files_.crash(random_.next());
  } else {
    files_.kill();
    files_.clear_faults();
  }
  network_.process_gone(id_, power);
  std::map<std::uint64_t, Connection> connections = std::exchange(connections_, {});
  for (auto& [number, connection] : connections) {
    schedule_.after(random_.between(client_delay_low_us, power ? 500'000 : client_delay_high_us),
                    [end = connection.end, token = connection.token] { end->on_closed(token); });
  }
  by_session_.clear();
  to_flush_.clear();
  gone_.clear();
  inbox_.clear();
  turn_actions_.clear();
  disk_queue_.clear();
  disk_executing_.clear();
  reported_early_.clear();
  bulk_queue_.clear();
  replica_.reset();
  snapshot_files_.reset();
  storage_.reset();
}

void Node::pause() {
  paused_ = true;
}

void Node::resume() {
  paused_ = false;
  if (up()) wake();
}

void Node::stop(int exit_status) {
  if (!stopping_) stopping_ = exit_status;
}

// ---- Turns

void Node::wake() {
  if (turn_planned_ || paused_ || in_turn_) return;
  turn_planned_ = true;
  schedule_.at(busy_until_us_, [this, life = life_] {
    if (life != life_ || replica_ == nullptr) return;
    turn_planned_ = false;
    if (!paused_) turn();
  });
}

void Node::turn() {
  in_turn_ = true;
  ++turns;
  const std::uint64_t life = life_;
  const std::size_t items = inbox_.size() + connections_.size() / 4;
  const std::uint64_t applied = replica_->raft() == nullptr ? 0 : replica_->raft()->applied_index().value;
  serve_peers_and_disk();
  if (replica_ == nullptr || life != life_) return;  // it could not start
  replica_->advance(read_clocks());
  for (replica::Session* session : std::exchange(gone_, {})) replica_->client_closed(*session);
  for (Action& action : std::exchange(turn_actions_, {})) action();
  serve_clients();
  replica_->end_turn();
  flush_clients();
  busy_until_us_ = schedule_.now_us() + kTurnCost_us + items * kItemCost_us + cost_of_commands_us(applied);
  in_turn_ = false;
  watcher_.turn_over(*this);
  if (replica_ == nullptr || life != life_) return;
  if (stopping_) {
    end_process(false);
    watcher_.ended(*this, "stopped");
    return;
  }
  if (!inbox_.empty() || !gone_.empty()) wake();
  arm_timer();
}

// What commands did in this turn took time: the next one begins later.
std::uint64_t Node::cost_of_commands_us(std::uint64_t applied_before) {
  const std::uint64_t reads = std::exchange(reads_ran_, 0);
  if (limits.command_cost_us == 0 || replica_->raft() == nullptr) return 0;
  const std::uint64_t applied = replica_->raft()->applied_index().value;
  // A snapshot that was installed is no work of the loop.
  const std::uint64_t entries = applied - std::min(applied, applied_before);
  return std::min<std::uint64_t>(reads + entries, 50) * random_.below(limits.command_cost_us + 1);
}

void Node::arm_timer() {
  const std::uint64_t at = std::max(to_schedule_us(wake_us_), busy_until_us_);
  if (at == armed_us_) return;
  armed_us_ = at;
  const std::uint64_t epoch = ++timer_epoch_;
  schedule_.at(at, [this, epoch, life = life_] {
    if (epoch != timer_epoch_ || life != life_ || replica_ == nullptr) return;
    armed_us_ = 0;
    wake();
  });
}

void Node::serve_peers_and_disk() {
  // What is delivered may pump, which delivers the rest in its own turn.
  while (!inbox_.empty()) {
    Action action = std::move(inbox_.front());
    inbox_.pop_front();
    action();
    if (replica_ == nullptr) return;
  }
}

void Node::pump() {
  if (pumping_ || !in_turn_ || !random_.chance(1, 8)) return;
  pumping_ = true;
  serve_peers_and_disk();
  replica_->advance(read_clocks());
  pumping_ = false;
}

void Node::at_turn(Action action) {
  turn_actions_.push_back(std::move(action));
  if (up()) wake();
}

// ---- Peers

void Node::set_peers(std::span<const replica::PeerAddress> peers) {
  network_.set_peers(id_, peers);
}

bool Node::send(replica::LinkId link, replica::Frame frame) {
  watcher_.frame_sent(*this, frame);
  return network_.send(id_, link, std::move(frame));
}

void Node::on_link_up(replica::LinkId link, std::uint64_t dialled_node, replica::Lane lane) {
  inbox_.push_back([this, link, dialled_node, lane] { replica_->link_up(link, dialled_node, lane); });
  wake();
}

void Node::on_frame(replica::LinkId link, SharedBytes frame) {
  inbox_.push_back([this, link, frame = std::move(frame)] { replica_->link_input(link, frame); });
  wake();
}

void Node::on_link_down(replica::LinkId link) {
  inbox_.push_back([this, link] { replica_->link_down(link, false); });
  wake();
}

void Node::on_dial_failed(std::uint64_t node, replica::Lane lane, bool refused) {
  inbox_.push_back([this, node, lane, refused] { replica_->dial_failed(node, lane, refused); });
  wake();
}

// ---- The rest of Host

void Node::read_ran(const replica::Session& session, std::uint64_t number, const replica::ReadPlace& place) {
  ++reads_ran_;
  const auto found = by_session_.find(&session);
  if (found != by_session_.end()) watcher_.read_ran(*this, found->second, number, place);
}

void Node::random_bytes(std::span<char> into) {
  for (char& byte : into) byte = static_cast<char>(random_.below(256));
}

void Node::log(replica::LogLevel level, const std::string& line) {
  trace_.note(schedule_.now_us(), "log", id_, static_cast<std::uint64_t>(level), line);
  if (log_lines.size() == kLogLinesKept) log_lines.erase(log_lines.begin());
  log_lines.push_back(line);
}

Status Node::write_config_file(const std::string& path, const std::string& text) {
  files_.set_content(path, text);
  return Done{};
}

std::optional<std::string> Node::read_config_file(const std::string& path) {
  if (!files_.exists(path)) return std::nullopt;
  return files_.content(path);
}

// ---- Clients

std::uint64_t Node::client_connects(ClientEnd& end, std::uint64_t token) {
  if (!up()) return 0;
  const std::uint64_t number = next_connection_++;
  Connection& connection = connections_[number];
  connection.number = number;
  connection.end = &end;
  connection.token = token;
  wake();
  return number;
}

void Node::client_sends(std::uint64_t number, std::string bytes) {
  const auto found = connections_.find(number);
  if (found == connections_.end()) return;
  found->second.arrived += bytes;
  wake();
}

void Node::client_closes(std::uint64_t number) {
  const auto found = connections_.find(number);
  if (found == connections_.end()) return;
  found->second.hung_up = true;
  wake();
}

replica::Session* Node::session_of(std::uint64_t number) {
  const auto found = connections_.find(number);
  return found == connections_.end() ? nullptr : found->second.session;
}

void Node::serve_clients() {
  tell_log_names();
  std::vector<std::uint64_t> numbers;
  for (const auto& [number, connection] : connections_) {
    const bool work = connection.session == nullptr || connection.hung_up ||
                      (connection.reading && !connection.closing && !connection.arrived.empty());
    if (work) numbers.push_back(number);
  }
  for (const std::uint64_t number : numbers) {
    Connection& connection = connections_.at(number);
    if (connection.session == nullptr) {
      replica::ClientAddress address;
      address.peer = "10.0.0.1:" + std::to_string(10'000 + number);
      address.local = "10.0.1." + std::to_string(id_) + ":7000";
      address.fd = static_cast<int>(number);
      address.loopback = true;
      connection.session = &replica_->client_connected(std::move(address));
      by_session_[connection.session] = number;
      tell_log_name(connection);
    }
    std::size_t read = 0;
    while (connection.reading && !connection.closing && !connection.arrived.empty() && read < 4 * kReadMax) {
      const std::span<char> space = replica_->input_space(*connection.session, kReadMax);
      const std::size_t size = std::min(space.size(), connection.arrived.size());
      std::memcpy(space.data(), connection.arrived.data(), size);
      connection.arrived.erase(0, size);
      replica_->client_input(*connection.session, size);
      read += size;
    }
    if (!connection.arrived.empty() && connection.reading) wake();
    if (connection.hung_up) drop(connection, false);
  }
}

void Node::tell_log_names() {
  if (boot_ == 0 || told_member_ == member()) return;
  told_member_ = member();
  for (const auto& [number, connection] : connections_) tell_log_name(connection);
}

// The name has the boot number, which is not known while the node loads.
void Node::tell_log_name(const Connection& connection) {
  if (told_member_ == 0 || connection.session == nullptr) return;
  watcher_.client_known(*this, connection.number, boot_ << 32 | connection.session->id());
}

void Node::output_ready(replica::Session& session) {
  const auto found = by_session_.find(&session);
  if (found != by_session_.end()) to_flush_.push_back(found->second);
}

void Node::close_client(replica::Session& session) {
  const auto found = by_session_.find(&session);
  if (found == by_session_.end()) return;
  connections_.at(found->second).closing = true;
  to_flush_.push_back(found->second);
}

void Node::pause_reading(replica::Session& session) {
  const auto found = by_session_.find(&session);
  if (found != by_session_.end()) connections_.at(found->second).reading = false;
}

void Node::resume_reading(replica::Session& session) {
  const auto found = by_session_.find(&session);
  if (found == by_session_.end()) return;
  connections_.at(found->second).reading = true;
  at_turn([] {});
}

void Node::flush_clients() {
  for (const std::uint64_t number : std::exchange(to_flush_, {})) {
    const auto found = connections_.find(number);
    if (found == connections_.end()) continue;
    Connection& connection = found->second;
    replica::Session& session = *connection.session;
    session.output_reported = false;
    std::string output = session.output().substr(session.output_sent);
    session.output().clear();
    session.output_sent = 0;
    if (!output.empty()) to_client(connection, std::move(output));
    if (connection.closing) drop(connection, true);
  }
}

void Node::to_client(Connection& connection, std::string bytes) {
  trace_.note(schedule_.now_us(), "reply", id_, connection.number, bytes);
  connection.last_arrival_us = std::max(
      connection.last_arrival_us, schedule_.now_us() + random_.between(client_delay_low_us, client_delay_high_us));
  schedule_.at(connection.last_arrival_us, [end = connection.end, token = connection.token, bytes = std::move(bytes)] {
    end->on_bytes(token, bytes);
  });
}

void Node::drop(Connection& connection, bool tell) {
  if (tell) {
    const std::uint64_t at = std::max(connection.last_arrival_us, schedule_.now_us() + client_delay_low_us);
    schedule_.at(at, [end = connection.end, token = connection.token] { end->on_closed(token); });
  }
  gone_.push_back(connection.session);
  by_session_.erase(connection.session);
  connections_.erase(connection.number);
  if (!in_turn_) wake();
}

}  // namespace redraft::sim
