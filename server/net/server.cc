#include "server/net/server.h"

#include <signal.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>

#include "raft/raft.h"
#include "raft/wire.h"
#include "server/net/clock.h"
#include "server/net/config_file.h"
#include "server/net/disk_threads.h"
#include "server/net/entropy.h"
#include "server/net/exit_status.h"
#include "server/net/log.h"
#include "server/net/process.h"
#include "server/net/process_view.h"

namespace redraft::net {
namespace {

// The largest message with all its headers; a peer that announces more is no peer (architecture, section 1).
constexpr std::size_t kFrameMax = raft::kPayloadSizeMax + raft::kHeaderSizeMax + 4096;
// Long work calls `pump` as often as it likes; peers need it about every millisecond.
constexpr std::uint64_t kPumpInterval_us = 500;
// What the loop's thread may write itself: more would hold up frames for longer than a hand-over costs. A leader's
// clients wait too.
constexpr std::size_t kOwnSyncBytesMax = 64 * 1024;
constexpr std::size_t kLeadersSyncBytesMax = 12 * 1024;
constexpr std::chrono::microseconds kLeadersSyncMax{500};
constexpr std::uint64_t kSecond_us = 1'000'000;
constexpr std::uint64_t kStopBound_us = 1'000'000;
// A node that has handed leadership over still answers requests that were on their way to it: closed unread, they would
// leave their clients in doubt.
constexpr std::uint64_t kFarewell_us = 50'000;

}  // namespace

Server::Server(replica::Settings& settings, FileSystem& files, replica::Storage& storage)
    : settings_(settings),
      files_(files),
      storage_(storage),
      peers_(peer_loop_.get(), kFrameMax, [](std::span<char> into) { net::random_bytes(into); }),
      log_work_(storage),
      snapshot_files_(files, storage.snapshot_directory()),
      log_thread_(peer_loop_.get(), "log",
                  [this](std::vector<replica::DiskRequest>&& requests, Log::Results& results) {
                    return log_work_.run(std::move(requests),
                                         [&](std::vector<replica::DiskDone>&& done) { results.post(std::move(done)); });
                  }),
      bulk_thread_(peer_loop_.get(), "snapshot",
                   [this](std::vector<replica::BulkRequest>&& requests, Bulk::Results& results) {
                     for (replica::BulkRequest& request : requests) {
                       std::vector<replica::BulkDone> done;
                       done.push_back(snapshot_files_.execute(std::move(request)));
                       results.post(std::move(done));
                     }
                     return Bulk::Again{};
                   }),
      relay_([this] { return turn(); }),
      clients_(*this, settings.values()),
      calls_(main_loop_.get(),
             [this](replica::ServerCallDone done) {
               begin_turn();
               replica_->call_done(std::move(done));
             }),
      timer_(main_loop_.get(), [this] { begin_turn(); }),
      now_(read_clocks()),
      next_second_us_(now_.monotonic_us + kSecond_us) {
  peer_poll_ = make_handle<uv_poll_t>(
      this, [this](uv_poll_t* poll) { return uv_poll_init(main_loop_.get(), poll, uv_backend_fd(peer_loop_.get())); });
  uv_poll_start(peer_poll_.get(), UV_READABLE, [](uv_poll_t* poll, int, int) {
    if (auto* self = static_cast<Server*>(poll->data)) self->peers_ready();
  });
  turn_end_ =
      make_handle<uv_check_t>(this, [this](uv_check_t* check) { return uv_check_init(main_loop_.get(), check); });
  uv_check_start(turn_end_.get(), [](uv_check_t* check) {
    if (auto* self = static_cast<Server*>(check->data)) self->end_turn();
  });
  late_signal_ = make_handle<uv_async_t>(this, [this](uv_async_t* async) {
    return uv_async_init(peer_loop_.get(), async, [](uv_async_t*) {});  // the wake-up is all: `deliver` looks
  });
  again_ = make_handle<uv_idle_t>(this, [this](uv_idle_t* idle) { return uv_idle_init(main_loop_.get(), idle); });
  watch_signal(SIGTERM);
  watch_signal(SIGINT);
  replica_ = std::make_unique<replica::Replica>(settings_, *this, random_seed(), now_);
}

Server::~Server() = default;

// ---- Doors

Status Server::listen() {
  const replica::Values& values = settings_.values();
  if (values.port != 0) {
    for (const std::string& word : values.bind) {
      const Result<ListenAddress> address = parse_listen_address(word, values.port);
      if (!address.ok()) return address.error();
      auto listener = Listener::tcp(main_loop_.get(), *address, values.tcp_backlog,
                                    [this](UniqueStream socket) { clients_.accept(std::move(socket), {}); });
      if (!listener.ok()) {
        spdlog::warn("Warning: Could not create server TCP listening socket {}", listener.error().message);
        if (address->optional && listener.error().code == ErrorCode::kNotFound) continue;
        return Error{ErrorCode::kInUse, "Failed listening on port " + std::to_string(values.port) + " (" +
                                            listener.error().message + "), aborting."};
      }
      listeners_.push_back(std::move(listener).value());
    }
  }
  if (!values.unix_socket.empty()) {
    auto listener = Listener::unix_socket(
        main_loop_.get(), values.unix_socket, values.unix_socket_perm, values.tcp_backlog,
        [this](UniqueStream socket) { clients_.accept(std::move(socket), settings_.values().unix_socket); });
    if (!listener.ok()) {
      return Error{ErrorCode::kInUse, "Failed opening Unix socket: " + listener.error().message};
    }
    listeners_.push_back(std::move(listener).value());
  }
  if (values.initial_cluster.size() > 1 || !values.join.empty()) return listen_to_peers();
  return expect_newcomers();
}

// A node that is alone listens for nodes that want to join, if it can: most single nodes never have a peer, so that the
// port is in use or the secret is missing is no reason not to serve.
Status Server::expect_newcomers() {
  const replica::Values& values = settings_.values();
  const unsigned port = values.peer_port != 0 ? values.peer_port : values.port + 10000U;
  if (values.port == 0 || port > std::numeric_limits<std::uint16_t>::max()) return Done{};
  if (const Status listening = listen_to_peers(); !listening.ok()) {
    spdlog::info("No other node can join this one: {}", listening.error().message);
  }
  return Done{};
}

Status Server::listen_to_peers() {
  if (peers_.listening()) return Done{};
  const replica::Values& values = settings_.values();
  // Asked again here, since a directory may know of peers that no setting names (redis-semantics, "Doors").
  if (values.cluster_secret.empty() && !settings_.loopback_only()) {
    return Error{ErrorCode::kInvalid,
                 "cluster-secret must be set on all nodes, since the peer port is not bound to loopback only"};
  }
  const unsigned port = values.peer_port != 0 ? values.peer_port : values.port + 10000U;
  if (port > std::numeric_limits<std::uint16_t>::max()) {
    return Error{ErrorCode::kInvalid, "The peer port (port + 10000) exceeds 65535: choose another port or --peer-port"};
  }
  for (const std::string& word : values.bind) {
    const Result<ListenAddress> address = parse_listen_address(word, static_cast<std::uint16_t>(port));
    if (!address.ok()) return address.error();
    const Status listening = peers_.listen(*address, values.tcp_backlog);
    if (listening.ok()) continue;
    if (address->optional && listening.error().code == ErrorCode::kNotFound) continue;
    return Error{ErrorCode::kInUse, "Failed listening on peer port " + std::to_string(port) + " (" +
                                        listening.error().message + "), aborting."};
  }
  return Done{};
}

void Server::set_peers(std::span<const replica::PeerAddress> peers) {
  if (!peers.empty()) {
    if (const Status listening = listen_to_peers(); !listening.ok()) {
      spdlog::critical("{}", listening.error().message);
      stop(static_cast<int>(ExitStatus::kConfiguration));
      return;
    }
  }
  peers_.set_peers(peers);
}

// ---- Life

int Server::run() {
  loader_.emplace(peer_loop_.get(), "load", [this](std::vector<Load>&&, Loader::Results& results) {
    Result<Loaded> loaded = storage_.recover([&results](std::uint64_t bytes_read, std::uint64_t bytes_total) {
      std::vector<LoadResult> progress;
      progress.emplace_back(Progress{bytes_read, bytes_total});
      results.post(std::move(progress));
    });
    if (!loaded.ok()) die_of_storage(loaded.error(), status_of_start(loaded.error()));
    std::vector<LoadResult> done;
    done.emplace_back(std::move(loaded).value());
    results.post(std::move(done));
    return Loader::Again{};
  });
  std::vector<Load> load(1);
  loader_->post(load);
  begin_turn();
  end_turn();
  relay_.run();
  clients_.close_all();
  return stopping_.value_or(static_cast<int>(ExitStatus::kClean));
}

void Server::watch_signal(int signal_number) {
  signals_.push_back(
      make_handle<uv_signal_t>(this, [this](uv_signal_t* handle) { return uv_signal_init(main_loop_.get(), handle); }));
  uv_signal_start(
      signals_.back().get(),
      [](uv_signal_t* handle, int number) {
        if (auto* self = static_cast<Server*>(handle->data)) self->signalled(number);
      },
      signal_number);
}

void Server::signalled(int signal_number) {
  begin_turn();
  if (terminating_) {
    // As in Redis: who asks twice does not want to wait.
    spdlog::warn("You insist... exiting now.");
    stop(static_cast<int>(ExitStatus::kClean));
    stop_deadline_us_ = now_.monotonic_us;
    farewell_us_ = 0;
    return;
  }
  terminating_ = true;
  spdlog::warn("Received {} scheduling shutdown...", signal_number == SIGINT ? "SIGINT" : "SIGTERM");
  replica_->terminate(static_cast<int>(ExitStatus::kClean));
}

void Server::stop(int exit_status) {
  if (stopping_) return;
  stopping_ = exit_status;
  stop_deadline_us_ = now_.monotonic_us + kStopBound_us;
  if (exit_status == static_cast<int>(ExitStatus::kClean)) farewell_us_ = now_.monotonic_us + kFarewell_us;
}

// ---- Turns

void Server::begin_turn() {
  if (!in_turn_) open_turn(false);
}

void Server::peers_ready() {
  if (!in_turn_) {
    open_turn(true);
  } else if (polled_us_ < now_.monotonic_us) {  // else this turn has begun with it
    poll_peers();
  }
}

void Server::open_turn(bool peers_ready) {
  in_turn_ = true;
  now_ = read_clocks();
  if (peers_ready || now_.monotonic_us >= next_deadline_us()) {
    poll_peers();
  } else {
    deliver();
  }
  replica_->advance(now_);
  clients_.report_closed();
}

// Peer frames and disk completions first: a timer is believed only after them (pitfall A11).
void Server::poll_peers() {
  polled_us_ = now_.monotonic_us;
  peers_.advance(now_.monotonic_us);
  uv_run(peer_loop_.get(), UV_RUN_NOWAIT);
  deliver();
}

void Server::deliver() {
  if (log_thread_.ready()) {
    for (replica::DiskDone& done : log_thread_.take()) {
      if (!done.no_space && !done.unasked) --disk_outstanding_;
      disk_done_.push_back(std::move(done));
    }
  }
  if (own_sync_ == OwnSync::kUnderWay) {
    const std::lock_guard lock(late_mutex_);
    if (!late_.empty()) own_sync_done(std::exchange(late_, {}));
  }
  if (bulk_thread_.ready()) std::ranges::move(bulk_thread_.take(), std::back_inserter(bulk_done_));
  // What is delivered may pump, which delivers the rest in its own turn: everything is taken off before it is handed
  // on.
  while (peers_.has_events()) deliver(peers_.take_event());
  while (!disk_done_.empty()) {
    replica::DiskDone done = std::move(disk_done_.front());
    disk_done_.pop_front();
    replica_->disk_done(std::move(done));
  }
  while (!bulk_done_.empty()) {
    replica::BulkDone done = std::move(bulk_done_.front());
    bulk_done_.pop_front();
    replica_->bulk_done(std::move(done));
  }
  if (!loader_ || !loader_->ready()) return;
  for (LoadResult& result : loader_->take()) {
    if (const auto* progress = std::get_if<Progress>(&result)) {
      replica_->loading_progress(progress->bytes_read, progress->bytes_total);
      continue;
    }
    Loaded loaded = std::move(std::get<Loaded>(result));
    replica_->start(std::move(loaded));
    loader_.reset();
    spdlog::info("Ready to accept connections");
    return;
  }
}

void Server::deliver(PeerEvent event) {
  if (auto* input = std::get_if<LinkInput>(&event)) {
    replica_->link_input(input->link, std::move(input->frame));
  } else if (const auto* up = std::get_if<LinkUp>(&event)) {
    replica_->link_up(up->link, up->dialled_node, up->lane);
  } else if (const auto* down = std::get_if<LinkDown>(&event)) {
    replica_->link_down(down->link, down->garbled);
  } else if (const auto* failed = std::get_if<DialFailed>(&event)) {
    replica_->dial_failed(failed->node, failed->lane, failed->refused);
  }
}

void Server::send_out() {
  peers_.flush();
  if (!disk_requests_.empty() && own_sync_ == OwnSync::kNone) {
    if (syncs_itself()) {
      own_sync_ = OwnSync::kWanted;
    } else {
      post_disk_requests();
    }
  }
  if (!bulk_requests_.empty()) bulk_thread_.post(bulk_requests_);
}

void Server::post_disk_requests() {
  disk_outstanding_ += disk_requests_.size();
  log_thread_.post(disk_requests_);
}

// ---- The loop's own syncs

LoopRelay::Turn Server::turn() {
  if (own_sync_ == OwnSync::kWanted) return sync_itself();
  if (put_off_) {  // the sync is another thread's
    begin_turn();
    end_turn();
  } else {
    uv_run(main_loop_.get(), UV_RUN_ONCE);
  }
  return finished_ ? LoopRelay::Turn::kDone : LoopRelay::Turn::kGoOn;
}

// A leader has clients to read while its disk works, unless that takes no longer than the way to the log's thread and
// back. Candidates have nothing to gain, and a stopping node neither.
bool Server::syncs_itself() const {
  if (pumping_ || stopping_ || disk_outstanding_ > 0) return false;
  const raft::Raft* raft = replica_->raft();
  if (raft == nullptr) return false;
  const bool leads = raft->role() == raft::Role::kLeader;
  if (leads ? log_work_.usual_time() > kLeadersSyncMax : raft->role() != raft::Role::kFollower) return false;
  std::size_t bytes = 0;
  for (const replica::DiskRequest& request : disk_requests_) {
    if (request.bootstrap || request.load || request.release_below) return false;
    for (const raft::Entry& entry : request.raft.entries) bytes += entry.payload.size();
  }
  return bytes <= (leads ? kLeadersSyncBytesMax : kOwnSyncBytesMax);
}

LoopRelay::Turn Server::sync_itself() {
  std::unique_lock exclusive = log_work_.try_enter();
  if (!exclusive.owns_lock()) {  // the log's thread is at its upkeep
    own_sync_ = OwnSync::kNone;
    post_disk_requests();
    return LoopRelay::Turn::kGoOn;
  }
  own_sync_ = OwnSync::kUnderWay;
  own_requests_ = disk_requests_.size();
  std::vector<replica::DiskRequest> requests = std::exchange(disk_requests_, {});
  std::vector<replica::DiskDone> done;
  const bool kept = relay_.away([&] { done = log_work_.execute(std::move(requests)); });
  exclusive.unlock();
  if (!kept) {
    {
      const std::lock_guard lock(late_mutex_);
      late_ = std::move(done);
    }
    uv_async_send(late_signal_.get());
    return LoopRelay::Turn::kLost;
  }
  own_sync_done(std::move(done));
  open_turn(false);
  peers_.flush();  // what this node has promised now, before it applies anything
  end_turn();
  return finished_ ? LoopRelay::Turn::kDone : LoopRelay::Turn::kGoOn;
}

void Server::own_sync_done(std::vector<replica::DiskDone> done) {
  own_sync_ = OwnSync::kNone;
  disk_outstanding_ += own_requests_;
  for (replica::DiskDone& one : done) {
    if (!one.no_space) --disk_outstanding_;  // what waits for room is tried again by the log's thread
    disk_done_.push_back(std::move(one));
  }
  if (log_work_.wants_run()) log_thread_.poke();
}

void Server::end_turn() {
  if (!in_turn_) return;
  if (now_.monotonic_us >= next_second_us_) each_second();
  send_out();
  // A follower's leader waits for this sync, nobody for what is applied: that comes after it.
  put_off_ = own_sync_ == OwnSync::kWanted;
  if (!put_off_) {
    replica_->end_turn();
    send_out();
  }
  clients_.flush(now_.monotonic_us);
  // Sockets are only watched after their loop has run once.
  if (peers_.take_needs_run()) uv_run(peer_loop_.get(), UV_RUN_NOWAIT);
  const bool more = peers_.has_events() || log_thread_.ready() || bulk_thread_.ready() || clients_.has_closed();
  if (more) {
    uv_idle_start(again_.get(), [](uv_idle_t* idle) {
      auto* self = static_cast<Server*>(idle->data);
      if (self == nullptr) return;
      uv_idle_stop(idle);
      self->peers_ready();
    });
  }
  const bool left_in_peace = now_.monotonic_us >= farewell_us_ && clients_.all_written();
  finished_ = stopping_ && (left_in_peace || now_.monotonic_us >= stop_deadline_us_);
  timer_.arm(next_deadline_us());
  in_turn_ = false;
}

std::uint64_t Server::next_deadline_us() const {
  const std::uint64_t deadline = std::min({wake_us_, next_second_us_, peers_.deadline_us()});
  if (!stopping_) return deadline;
  return std::min(deadline, now_.monotonic_us < farewell_us_ ? farewell_us_ : stop_deadline_us_);
}

void Server::pump() {
  if (pumping_) return;
  const replica::Time now = read_clocks();
  if (now.monotonic_us < polled_us_ + kPumpInterval_us) return;
  pumping_ = true;
  now_ = now;
  poll_peers();
  replica_->advance(now_);
  send_out();
  if (peers_.take_needs_run()) uv_run(peer_loop_.get(), UV_RUN_NOWAIT);
  pumping_ = false;
}

void Server::serve_busy_clients() {
  busy_clients_.serve(now_.monotonic_us);
  if (!stopping_) return;
  // SHUTDOWN NOSAVE: half of a command is done in memory, so nothing may be done with that any more. To the log this is
  // a crash, after which the command's entry is applied from its beginning.
  spdlog::warn("Leaving in the middle of a script, as SHUTDOWN NOSAVE demands. Bye bye...");
  spdlog::default_logger_raw()->flush();
  _exit(*stopping_);
}

void Server::each_second() {
  next_second_us_ = now_.monotonic_us + kSecond_us;
  clients_.sweep(now_.monotonic_us);
  const raft::Raft* raft = replica_->raft();
  if (raft == nullptr) {
    set_log_role(LogRole::kStarting);
  } else {
    set_log_role(raft->role() == raft::Role::kLeader ? LogRole::kLeader : LogRole::kFollower);
  }
}

bool Server::call(replica::ServerCall call) {
  calls_.call(std::move(call));
  return true;
}

void Server::random_bytes(std::span<char> into) {
  net::random_bytes(into);
}

void Server::log(replica::LogLevel level, const std::string& line) {
  switch (level) {
    case replica::LogLevel::kDebug:
      spdlog::trace("{}", line);
      break;
    case replica::LogLevel::kVerbose:
      spdlog::debug("{}", line);
      break;
    case replica::LogLevel::kNotice:
      spdlog::info("{}", line);
      break;
    case replica::LogLevel::kWarning:
      spdlog::warn("{}", line);
      break;
  }
}

replica::local::ProcessView Server::process() const {
  replica::local::ProcessView view = read_process_view();
  view.kept_sockets = calls_.kept();
  return view;
}

Status Server::write_config_file(const std::string& path, const std::string& text) {
  return net::write_config_file(files_, path, text);
}

std::optional<std::string> Server::read_config_file(const std::string& path) {
  return net::read_config_file(files_, path);
}

// The other directives are looked at when they are needed.
void Server::setting_changed(std::string_view name) {
  if (name == "loglevel") set_log_level(settings_.values().log_level);
  if (name != "maxclients") return;
  const Result<std::uint32_t> fits = raise_descriptor_limit(settings_.values().maxclients);
  if (fits.ok() && *fits == settings_.values().maxclients) return;
  const std::uint32_t kept = fits.ok() ? *fits : static_cast<std::uint32_t>(clients_.count());
  if (const Status set = settings_.set("maxclients", std::to_string(kept)); !set.ok()) {
    spdlog::warn("maxclients stays: {}", set.error().message);
  }
}

// ---- ClientSink

replica::Session& Server::client_connected(replica::ClientAddress address) {
  return replica_->client_connected(std::move(address));
}

std::span<char> Server::input_space(replica::Session& session, std::size_t suggested) {
  return replica_->input_space(session, suggested);
}

void Server::client_input(replica::Session& session, std::size_t size) {
  replica_->client_input(session, size);
}

void Server::client_closed(replica::Session& session) {
  replica_->client_closed(session);
}

bool Server::admit_admin(const replica::ClientAddress& address) const {
  return replica_->admit_admin(address);
}

void Server::count_written(std::size_t bytes) {
  replica_->statistics().bytes_out.total += bytes;
}

void Server::count_rejected() {
  ++replica_->statistics().connections_rejected;
}

void Server::count_output_limit() {
  ++replica_->statistics().output_limit_disconnections;
}

void Server::count_evicted() {
  ++replica_->statistics().evicted_clients;
}

}  // namespace redraft::net
