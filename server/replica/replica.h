#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/shared_bytes.h"
#include "server/replica/host.h"
#include "server/replica/session.h"
#include "server/replica/settings.h"
#include "server/replica/statistics.h"

namespace redraft::raft {
class Raft;
}
namespace redraft::store {
class Store;
}

namespace redraft::replica {

struct DiskDone;
struct BulkDone;
struct Recovered;
class Peers;
class Sessions;
class Engine;

// Where this node stands in its life; decides what clients are told.
enum class Phase : std::uint8_t {
  kLoading,  // snapshot and log are being read: -LOADING
  kServing,
  kStopping,  // SIGTERM or SHUTDOWN: finish, hand leadership over, close
};

// One node as a deterministic object: Raft, log, snapshots, store and client sessions composed. The same calls in the
// same order give the same effects; time, disk, network and randomness reach it only through its arguments and its
// `Host`. Not thread-safe: one loop thread, or the simulator, drives it:
//
//     replica.advance(now);        // first in every turn, and at the time asked for with Host::wake_at
//     replica.link_input(...);     // peer frames before client bytes: a timer is believed only after them
//     replica.client_input(...);
//     replica.end_turn();          // proposes what gathered, starts read rounds; then the host writes client output
//
// While Host::pump runs, only advance, link_* and disk_done may be called: they serve Raft and apply nothing. While
// Host::serve_busy_clients runs, also client_connected, input_space and client_input, for sessions that are
// idle; the replica runs only what is allowed beside a script.
class Replica {
 public:
  // `host` and `settings` outlive the replica. `seed` feeds election timeouts and entry seeds.
  Replica(Settings& settings, Host& host, std::uint64_t seed, Time now);
  ~Replica();
  Replica(const Replica&) = delete;
  Replica& operator=(const Replica&) = delete;

  // Loading progress, then its end: the directory's contents, read off the loop by `Storage::recover`.
  void loading_progress(std::uint64_t bytes_read, std::uint64_t bytes_total);
  void start(std::unique_ptr<Recovered> recovered);

  void advance(Time now);
  void end_turn();

  // Clients. The host reads from the socket straight into `input_space` and says how many bytes it put there. It stops
  // reading between `pause_reading` and `resume_reading`.
  [[nodiscard]] Session& client_connected(ClientAddress address);
  [[nodiscard]] std::span<char> input_space(Session& session, std::size_t suggested);
  void client_input(Session& session, std::size_t size);
  void client_closed(Session& session);  // the host forgets the session with this call
  // maxclients is reached but for the few admin connections: true if this one may stay as such.
  [[nodiscard]] bool admit_admin(const ClientAddress& address) const;

  // maxmemory-clients in bytes, a percentage of the cluster's maxmemory included; 0: no limit.
  [[nodiscard]] std::uint64_t clients_memory_max();

  // Peers. `frame` is one whole frame without its length prefix; the buffer stays alive as long as an entry of it does.
  // `refused`: dialling got ECONNREFUSED, so no process listens there. `garbled`: the link was closed since what came
  // on it is no frame.
  void link_up(LinkId link, std::uint64_t dialled_node, Lane lane);  // node 0: the peer dialled us
  void link_input(LinkId link, SharedBytes frame);
  void link_down(LinkId link, bool garbled);
  void dial_failed(std::uint64_t node, Lane lane, bool refused);

  void disk_done(DiskDone done);
  void bulk_done(BulkDone done);
  void call_done(ServerCallDone done);

  // SIGTERM, SHUTDOWN: answer what is pending, hand leadership over, then Host::stop. Bounded in time.
  void terminate(int exit_status);

  // What node-local commands (`local/`), the host and tests look at.
  [[nodiscard]] Phase phase() const;
  [[nodiscard]] Time now() const;
  [[nodiscard]] const Settings& settings() const;
  [[nodiscard]] Settings& settings();
  [[nodiscard]] const raft::Raft* raft() const;  // nullptr while loading
  [[nodiscard]] store::Store* store();           // nullptr while loading
  [[nodiscard]] Sessions& sessions();
  [[nodiscard]] Statistics& statistics();
  [[nodiscard]] Peers& peers();
  [[nodiscard]] Engine& engine();

 private:
  std::unique_ptr<Engine> engine_;
};

}  // namespace redraft::replica
