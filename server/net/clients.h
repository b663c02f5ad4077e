#pragma once

#include <uv.h>

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "server/net/client.h"
#include "server/net/client_eviction.h"
#include "server/net/client_sink.h"
#include "server/net/handle.h"
#include "server/replica/settings.h"

namespace redraft::net {

// Every client connection, the rules for who gets in and who must go, and the list of those with replies to write in
// this turn. Lives on the main loop's thread.
class Clients {
 public:
  // Both outlive it. Settings are looked at when they are needed, so CONFIG SET works at once.
  Clients(ClientSink& sink, const replica::Values& settings) : sink_(sink), settings_(settings) {}
  Clients(const Clients&) = delete;
  Clients& operator=(const Clients&) = delete;

  // A connection of a listener; `unix_path` is empty for TCP. Refused with Redis's words past maxclients, and by
  // protected-mode.
  void accept(UniqueStream socket, const std::string& unix_path);

  // From replica::Host. A session whose socket is gone already is ignored.
  void output_ready(replica::Session& session);
  void close_client(replica::Session& session);
  void pause_reading(replica::Session& session);
  void resume_reading(replica::Session& session);

  // The end of a turn: writes all output that was reported.
  void flush(std::uint64_t now_us);
  // The beginning of a turn: tells the replica about connections that went in the last one. Nothing that a turn's end
  // did reaches the replica in the same turn.
  void report_closed();
  [[nodiscard]] bool has_closed() const { return !gone_.empty(); }
  // Once a second: idle clients, soft limits, half-closed clients that are done, large buffers.
  void sweep(std::uint64_t now_us);
  // Closes every socket; the replica is not told any more.
  void close_all();
  [[nodiscard]] bool all_written() const;

  // Those that may be read outside their turn (busy_clients.h).
  void collect_idle(std::vector<Client*>& idle);
  // What one of them got to read leaves at once.
  void flush_now(Client& client);

  [[nodiscard]] std::size_t count() const { return by_number_.size(); }

  // From Client.
  [[nodiscard]] ClientSink& sink() { return sink_; }
  void output_ready(Client& client);
  // Bytes came: too many for the limit, or so many behind a request that has to wait that its socket waits too. TCP
  // then makes the client wait (architecture, "Back-pressure, never a drop"). Past client-memory-max for all clients
  // together, of those with a longer unfinished request only one is read at a time.
  void check_input(Client& client);
  // The socket is useless: no reply can be written.
  void drop(Client& client);
  // Whether a client's emptied output buffer of that size may stay until the next `sweep`.
  [[nodiscard]] bool may_keep_output(Client& client, std::size_t capacity);
  // Looks after the next flush, and once a second, whether the client is finished.
  void watch_end(Client& client);

 private:
  [[nodiscard]] Client* find(const replica::Session& session);
  [[nodiscard]] replica::ClientAddress address_of(const UniqueStream& socket, const std::string& unix_path) const;
  void refuse(UniqueStream socket, std::string_view reason);
  void check_output(Client& client, std::uint64_t now_us);
  void resume_full();
  void count_input(Client& client);
  void hold_back(Client& client);
  void relieve_crowd();
  void resume_crowd();
  void watch_crowd();
  void keep_memory_bound();
  void recount_memory();

  ClientSink& sink_;
  const replica::Values& settings_;
  std::vector<Client*> by_fd_;  // nullptr where no client has that descriptor
  std::unordered_map<std::uint64_t, std::unique_ptr<Client>> by_number_;
  std::uint64_t next_number_ = 1;
  std::vector<Client*> to_flush_;
  std::vector<Client*> full_;       // paused for Client::Pause::kFull
  std::size_t unparsed_bytes_ = 0;  // of all clients; what the replica consumed later is noticed later
  std::size_t kept_bytes_ = 0;      // of large output buffers, at most
  std::deque<Client*> crowd_;       // for Client::Pause::kCrowd; the first of them is read
  std::size_t first_bytes_ = 0;     // what it had when it was looked at last, second by second
  std::uint32_t first_idle_s_ = 0;
  ClientEviction eviction_;
  std::vector<std::unique_ptr<Client>> gone_;  // closed; their sessions are told at the next turn's beginning
};

}  // namespace redraft::net
