#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/shared_bytes.h"
#include "server/replica/local/node_view.h"
#include "server/replica/server_call.h"

namespace redraft::replica {

class Session;
struct DiskRequest;
struct BulkRequest;

enum class LogLevel : std::uint8_t { kDebug, kVerbose, kNotice, kWarning };

// Both clocks as the host read them just now. A replica reads none itself.
struct Time {
  std::uint64_t monotonic_us = 0;  // counts suspended time too (CLOCK_BOOTTIME), so that a frozen process notices
  std::uint64_t wall_ms = 0;       // Unix time; may jump
};

// One message to a peer: header bytes, then payloads, written back to back by one gather write behind a length prefix
// that the host puts in front.
struct Frame {
  std::string header;
  std::vector<SharedBytes> payloads;
};

// The two connections to a peer: votes, appends and heartbeats must never queue behind snapshot chunks.
enum class Lane : std::uint8_t { kControl, kBulk };

// One accepted or dialled peer connection, for as long as it lives. Chosen by the host, never reused.
struct LinkId {
  std::uint64_t value = 0;
  friend auto operator<=>(LinkId, LinkId) = default;
};

struct PeerAddress {
  std::uint64_t node = 0;
  std::string host;
  std::uint16_t peer_port = 0;
  friend bool operator==(const PeerAddress&, const PeerAddress&) = default;
};

// The state that a read saw: that of entry `index`, or in the middle of its apply that after so many of its commands.
struct ReadPlace {
  static constexpr std::uint64_t kWhole = ~std::uint64_t{0};
  std::uint64_t index = 0;
  std::uint64_t commands = kWhole;
  std::uint64_t clock_ms = 0;
};

// What a replica asks of the world. The libuv server and the simulator are its two implementations. No function here
// calls back into the replica before it returns, but for `pump`.
class Host {
 public:
  virtual ~Host() = default;

  // Clients. The session's `output()` has bytes; the host writes them at the end of the turn (and after `pump`
  // nothing).
  virtual void output_ready(Session& session) = 0;
  // Writes what is in `output()`, then closes; `Replica::client_closed` follows in a later turn.
  virtual void close_client(Session& session) = 0;
  // Stop and resume calling `Replica::client_input`; bytes already handed over stay with the session.
  virtual void pause_reading(Session& session) = 0;
  virtual void resume_reading(Session& session) = 0;

  // Peers. The host dials every address given here (both lanes, with backoff) and drops links to others. `node` is only
  // a name for what is dialled: an address whose node is not known has one above every node's id (peers.h, contacts).
  virtual void set_peers(std::span<const PeerAddress> peers) = 0;
  // The link is up: queue the frame. False when it is gone; Raft sends again by itself.
  virtual bool send(LinkId link, Frame frame) = 0;
  // Bytes handed to `send` and not yet taken by the kernel: the per-peer budget looks at it.
  [[nodiscard]] virtual std::size_t unsent_bytes(LinkId link) const = 0;
  virtual void close_link(LinkId link) = 0;
  // This machine's own address on the link, without a port; empty if it has none to tell. How a node that is bound to
  // every address learns where others find it.
  [[nodiscard]] virtual std::string local_host(LinkId) const { return {}; }

  // Calls another server of Redis's protocol; `Replica::call_done` follows. False when this host reaches none.
  [[nodiscard]] virtual bool call(ServerCall) { return false; }

  // Disk. Executed in order by one `Storage` off the loop; `Replica::disk_done` follows for each.
  virtual void submit(DiskRequest request) = 0;
  // Snapshot files: long work that must not delay the log. In order; `Replica::bulk_done` follows for each.
  virtual void submit(BulkRequest request) = 0;

  // Serves peers, disk completions and timers without applying anything: called about every millisecond by long work.
  virtual void pump() = 0;
  // Called by a script that has run for long already, after `pump`: reads what clients have sent and accepts new ones,
  // now and not in their turn, for a replica that answers BUSY to nearly everything. Calls back into the replica, as
  // `pump` does. A host without real clients need not.
  virtual void serve_busy_clients() {}
  // The next `Replica::advance` must come no later than this (CLOCK_BOOTTIME, microseconds).
  virtual void wake_at(std::uint64_t monotonic_us) = 0;
  // CLOCK_BOOTTIME as it is now, where `Replica::advance` has that of the turn's begin: what a lease is judged by. 0:
  // this host tells no other, and no lease is believed.
  [[nodiscard]] virtual std::uint64_t monotonic_us() const { return 0; }
  // For measuring how long something took, never for deciding anything. Nanoseconds since whenever.
  [[nodiscard]] virtual std::uint64_t measure_ns() const { return 0; }
  // A client's request of that number (its place on the connection, from 1) was a read and ran there. For those who
  // check from outside that all replies fit one order; where writes took effect, the log tells.
  virtual void read_ran(const Session&, std::uint64_t /*number*/, const ReadPlace&) {}
  // For nonces and seeds; from the operating system, or from the simulator's seed.
  virtual void random_bytes(std::span<char> into) = 0;
  // One line for the operator.
  virtual void log(LogLevel level, const std::string& line) = 0;
  // What the operating system says of the process; the host reads it at most once a second.
  [[nodiscard]] virtual local::ProcessView process() const = 0;
  // CONFIG REWRITE's file: written to a temporary name, synced, renamed. Errors are whole error lines for the client.
  [[nodiscard]] virtual Status write_config_file(const std::string& path, const std::string& text) = 0;
  [[nodiscard]] virtual std::optional<std::string> read_config_file(const std::string& path) = 0;
  // CONFIG SET changed a directive that the host acts upon (maxclients, timeout, loglevel...).
  virtual void setting_changed(std::string_view name) = 0;
  // The replica is done (SHUTDOWN, removal); pending output is written first.
  virtual void stop(int exit_status) = 0;
};

}  // namespace redraft::replica
