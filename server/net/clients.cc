#include "server/net/clients.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <string>
#include <utility>

#include "server/net/listen_address.h"
#include "server/net/listener.h"

namespace redraft::net {
namespace {

// Unparsed bytes of a client whose next request is held; a partial request that is not held may be of any length.
constexpr std::size_t kHeldInputMax = std::size_t{1} << 20;

// Past the bound over all clients: who has less is read on, so that short requests come through, and whose turn it is
// must bring so much in a second, or leaves when that has not happened for a while.
constexpr std::size_t kCrowdInputMin = 1024;
constexpr std::size_t kCrowdPace = 16384;
constexpr std::uint32_t kCrowdPatience_s = 5;

// Emptied output buffers that are kept for up to a second: one, and all together.
constexpr std::size_t kKeptOutputMax = std::size_t{1} << 20;
constexpr std::size_t kKeptOutputsMax = std::size_t{32} << 20;

constexpr std::string_view kTooManyClients = "-ERR max number of clients reached\r\n";
// Redis's text, word for word: tools and people recognise it.
constexpr std::string_view kProtected =
    "-DENIED Redis is running in protected mode because protected mode is enabled and no password is set for the "
    "default user. In this mode connections are only accepted from the loopback interface. If you want to connect from "
    "external computers to Redis you may adopt one of the following solutions: 1) Just disable protected mode sending "
    "the command 'CONFIG SET protected-mode no' from the loopback interface by connecting to Redis from the same host "
    "the server is running, however MAKE SURE Redis is not publicly accessible from internet if you do so. Use CONFIG "
    "REWRITE to make this change permanent. 2) Alternatively you can just disable the protected mode by editing the "
    "Redis configuration file, and setting the protected mode option to 'no', and then restarting the server. 3) If "
    "you "
    "started the server manually just for testing, restart it with the '--protected-mode no' option. 4) Set up an "
    "authentication password for the default user. NOTE: You only need to do one of the above things in order for the "
    "server to start accepting connections from the outside.\r\n";

}  // namespace

replica::ClientAddress Clients::address_of(const UniqueStream& socket, const std::string& unix_path) const {
  replica::ClientAddress address;
  uv_os_fd_t fd = -1;
  if (uv_fileno(&socket->handle, &fd) == 0) address.fd = fd;
  if (!unix_path.empty()) {
    address.peer = unix_path + ":0";
    address.local = address.peer;
    address.unix_socket = true;
    address.loopback = true;
    return address;
  }
  sockaddr_storage name{};
  int size = sizeof(name);
  if (uv_tcp_getpeername(&socket->tcp, reinterpret_cast<sockaddr*>(&name), &size) == 0) {
    address.peer = format_address(name);
    address.loopback = is_loopback(name);
  } else {
    address.peer = "?:0";  // closed again already
  }
  size = sizeof(name);
  if (uv_tcp_getsockname(&socket->tcp, reinterpret_cast<sockaddr*>(&name), &size) == 0) {
    address.local = format_address(name);
  }
  return address;
}

void Clients::accept(UniqueStream socket, const std::string& unix_path) {
  sink_.begin_turn();
  replica::ClientAddress address = address_of(socket, unix_path);
  if (address.fd < 0) return;
  bool admin = false;
  if (by_number_.size() >= settings_.maxclients) {
    admin = sink_.admit_admin(address);
    if (!admin) {
      refuse(std::move(socket), kTooManyClients);
      return;
    }
  }
  const int fd = address.fd;
  const bool local = address.loopback;
  if (unix_path.empty()) tune_tcp(fd, settings_.tcp_keepalive_s);
  replica::Session& session = sink_.client_connected(std::move(address));
  session.admin = admin;
  // A session that is authenticated from the start needs no password: the one that counts is in the log, not in the
  // settings.
  if (settings_.protected_mode && !local && session.authenticated) {
    sink_.client_closed(session);
    refuse(std::move(socket), kProtected);
    return;
  }
  const std::uint64_t number = next_number_++;
  auto client = std::make_unique<Client>(*this, std::move(socket), session, number);
  if (by_fd_.size() <= static_cast<std::size_t>(fd)) by_fd_.resize(static_cast<std::size_t>(fd) + 1);
  by_fd_[static_cast<std::size_t>(fd)] = client.get();
  by_number_.emplace(number, std::move(client));
}

void Clients::refuse(UniqueStream socket, std::string_view reason) {
  // A new socket has room for one line; whether it arrives is not worth waiting for.
  const uv_buf_t line = uv_buf_init(const_cast<char*>(reason.data()), static_cast<unsigned>(reason.size()));
  static_cast<void>(uv_try_write(&socket->stream, &line, 1));
  sink_.count_rejected();
}

Client* Clients::find(const replica::Session& session) {
  const int fd = session.address().fd;
  if (fd < 0 || by_fd_.size() <= static_cast<std::size_t>(fd)) return nullptr;
  Client* client = by_fd_[static_cast<std::size_t>(fd)];
  // The descriptor may have been given to the next connection while the replica still knows the last.
  return client != nullptr && &client->session() == &session ? client : nullptr;
}

void Clients::output_ready(replica::Session& session) {
  if (Client* client = find(session)) output_ready(*client);
}

void Clients::output_ready(Client& client) {
  if (client.queued_for_flush) return;
  client.queued_for_flush = true;
  to_flush_.push_back(&client);
}

void Clients::close_client(replica::Session& session) {
  Client* client = find(session);
  if (client == nullptr) return;
  client->close_after_output();
  output_ready(*client);
}

void Clients::pause_reading(replica::Session& session) {
  if (Client* client = find(session)) client->pause(Client::Pause::kReplica);
}

void Clients::resume_reading(replica::Session& session) {
  if (Client* client = find(session)) client->resume(Client::Pause::kReplica);
}

void Clients::watch_end(Client& client) {
  output_ready(client);
}

void Clients::check_input(Client& client) {
  const replica::Session& session = client.session();
  const std::uint64_t unparsed = client.unparsed_bytes();
  if (client.closed()) return;
  count_input(client);
  if (settings_.maxmemory_clients != 0) eviction_.count(client);
  const bool crowded = unparsed_bytes_ > settings_.client_memory_max && unparsed > kCrowdInputMin;
  if (session.held() && (crowded || unparsed > kHeldInputMax)) {
    client.pause(Client::Pause::kFull);
    full_.push_back(&client);
  } else if (crowded) {
    hold_back(client);
  }
  if (unparsed <= settings_.client_query_buffer_limit) return;
  spdlog::warn("Closing client that reached max query buffer length: id={} addr={} ({} bytes)", session.id(),
               session.address().peer, unparsed);
  drop(client);
}

void Clients::resume_full() {
  std::erase_if(full_, [](Client* client) {
    if (client->session().held()) return false;
    client->resume(Client::Pause::kFull);
    return true;
  });
}

void Clients::count_input(Client& client) {
  const std::size_t now = client.unparsed_bytes();
  unparsed_bytes_ += now - client.counted_bytes;
  client.counted_bytes = now;
}

// In the order in which they came: the first is read to its request's end, however long that is (pitfall B8).
void Clients::hold_back(Client& client) {
  if (std::ranges::find(crowd_, &client) != crowd_.end()) return;
  crowd_.push_back(&client);
  if (crowd_.size() > 1) client.pause(Client::Pause::kCrowd);
}

void Clients::relieve_crowd() {
  count_input(*crowd_.front());
  if (unparsed_bytes_ <= settings_.client_memory_max) return resume_crowd();
  if (crowd_.front()->counted_bytes > kCrowdInputMin && !crowd_.front()->session().held()) return;
  crowd_.pop_front();
  first_bytes_ = first_idle_s_ = 0;
  if (!crowd_.empty()) crowd_.front()->resume(Client::Pause::kCrowd);
}

void Clients::resume_crowd() {
  for (Client* client : std::exchange(crowd_, {})) client->resume(Client::Pause::kCrowd);
}

// Once a second. Requests that were complete and had to wait may have been taken since they were counted.
void Clients::watch_crowd() {
  for (const auto& [number, client] : by_number_) count_input(*client);
  Client& first = *crowd_.front();
  const bool moves = first.counted_bytes >= first_bytes_ + kCrowdPace;
  first_idle_s_ = moves || crowd_.size() == 1 ? 0 : first_idle_s_ + 1;
  first_bytes_ = first.counted_bytes;
  if (first_idle_s_ < kCrowdPatience_s) return;
  spdlog::warn("Evicting client: id={} addr={} ({} bytes of a request that does not go on, while others wait)",
               first.session().id(), first.session().address().peer, first.counted_bytes);
  drop(first);
}

// Subscribers have a class of their own: they cannot be held back, since they do not ask for what they get.
void Clients::check_output(Client& client, std::uint64_t now_us) {
  const replica::OutputLimit& limit = client.session().subscribed() ? settings_.output_pubsub : settings_.output_normal;
  if (client.closed() || !client.over_limit(limit, now_us)) return;
  spdlog::warn("Client id={} addr={} scheduled to be closed ASAP for overcoming of output buffer limits.",
               client.session().id(), client.session().address().peer);
  sink_.count_output_limit();
  drop(client);
}

void Clients::drop(Client& client) {
  if (client.closed()) return;
  client.close();
  eviction_.forget(client);
  std::erase(full_, &client);
  unparsed_bytes_ -= client.counted_bytes;
  if (!crowd_.empty() && crowd_.front() == &client) {
    first_bytes_ = first_idle_s_ = 0;
    if (crowd_.size() > 1) crowd_[1]->resume(Client::Pause::kCrowd);
  }
  std::erase(crowd_, &client);
  by_fd_[static_cast<std::size_t>(client.session().address().fd)] = nullptr;
  const auto found = by_number_.find(client.number());
  ensure(found != by_number_.end(), "a client is dropped once");
  gone_.push_back(std::move(found->second));
  by_number_.erase(found);
}

void Clients::flush(std::uint64_t now_us) {
  // Nothing below reports new output, so the list does not grow.
  for (Client* client : to_flush_) {
    client->queued_for_flush = false;
    client->session().output_reported = false;
    client->flush();
    if (client->closed()) continue;
    if (settings_.maxmemory_clients != 0) eviction_.count(*client);
    if (client->finished()) {
      drop(*client);
    } else if (client->unsent_bytes() > 0) {
      check_output(*client, now_us);
    }
  }
  to_flush_.clear();
  if (!full_.empty()) resume_full();
  if (!crowd_.empty()) relieve_crowd();
  if (settings_.maxmemory_clients != 0) keep_memory_bound();
}

void Clients::keep_memory_bound() {
  const std::uint64_t max = sink_.clients_memory_max();
  if (max == 0) return;
  if (eviction_.idle()) recount_memory();
  if (eviction_.bytes() < max) return;
  std::vector<Client*> all;
  for (const auto& [number, client] : by_number_) all.push_back(client.get());
  for (Client* client : eviction_.choose(std::move(all), max)) {
    const replica::Session& session = client->session();
    spdlog::info("Evicting client: id={} addr={} name={} cmd={} user={} tot-mem={}", session.id(),
                 session.address().peer, session.name, session.last_command, session.user, client->counted_memory);
    sink_.count_evicted();
    drop(*client);
  }
}

void Clients::recount_memory() {
  eviction_.begin();
  for (const auto& [number, client] : by_number_) eviction_.count(*client);
}

bool Clients::may_keep_output(Client& client, std::size_t capacity) {
  if (capacity <= client.kept_bytes) return true;
  const std::size_t more = capacity - client.kept_bytes;
  if (capacity > kKeptOutputMax || kept_bytes_ + more > kKeptOutputsMax) return false;
  client.kept_bytes = capacity;
  kept_bytes_ += more;
  return true;
}

void Clients::collect_idle(std::vector<Client*>& idle) {
  for (const auto& [number, client] : by_number_) {
    if (client->reading() && client->session().idle()) idle.push_back(client.get());
  }
}

void Clients::flush_now(Client& client) {
  if (client.closed()) return;
  client.flush();
  if (!client.closed() && client.finished()) drop(client);
}

void Clients::report_closed() {
  for (std::unique_ptr<Client>& client : gone_) {
    if (client->queued_for_flush) std::erase(to_flush_, client.get());
    sink_.client_closed(client->session());
  }
  gone_.clear();
}

void Clients::sweep(std::uint64_t now_us) {
  const std::uint64_t timeout_ms = std::uint64_t{settings_.timeout_s} * 1000;
  const std::uint64_t now_ms = now_us / 1000;
  std::vector<Client*> leave;
  for (const auto& [number, client] : by_number_) {
    const replica::Session& session = client->session();
    if (client->finished()) {
      leave.push_back(client.get());
    } else if (timeout_ms != 0 && !session.held(replica::Hold::kBlocked) && !session.monitor && !session.subscribed() &&
               session.pending.empty() && session.active_ms + timeout_ms < now_ms) {
      spdlog::debug("Closing idle client");
      leave.push_back(client.get());
    }
  }
  for (Client* client : leave) drop(*client);
  if (kept_bytes_ > 0) {
    for (const auto& [number, client] : by_number_) client->give_back_output();
    kept_bytes_ = 0;
  }
  if (!crowd_.empty()) watch_crowd();
  if (settings_.maxmemory_clients != 0) {
    recount_memory();
  } else {
    eviction_.end();
  }
  if (settings_.output_normal.soft_bytes == 0 && settings_.output_pubsub.soft_bytes == 0) return;
  leave.clear();
  for (const auto& [number, client] : by_number_) {
    if (client->unsent_bytes() > 0) leave.push_back(client.get());
  }
  for (Client* client : leave) check_output(*client, now_us);
}

bool Clients::all_written() const {
  return std::ranges::all_of(by_number_, [](const auto& entry) { return entry.second->all_written(); });
}

void Clients::close_all() {
  to_flush_.clear();
  full_.clear();
  gone_.clear();
  by_number_.clear();
  by_fd_.clear();
}

}  // namespace redraft::net
