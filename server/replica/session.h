#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/ring.h"
#include "resp/parser.h"
#include "resp/writer.h"
#include "server/commands/command.h"
#include "server/commands/watch.h"
#include "server/replica/host.h"

namespace redraft::replica {

// Where a client comes from, as CLIENT LIST shows it. Set by the host at accept.
struct ClientAddress {
  std::string peer;   // "127.0.0.1:50412", or "/run/redraft.sock:0" for a unix socket
  std::string local;  // laddr
  int fd = -1;
  bool unix_socket = false;
  bool loopback = false;  // protected-mode lets these in
};

// Why a session's next request stays unparsed in its buffer. Several may hold at once.
enum class Hold : std::uint8_t {
  kNone = 0,
  kOrder = 1,         // a node-local command waits until all earlier replies are written
  kBlocked = 2,       // a blocking command or WAIT has not been answered
  kNoLeader = 4,      // parked, up to leaderless-wait
  kBackPressure = 8,  // a write waits for room in the log pipeline
  kFragments = 16,    // a command larger than an entry is being proposed piece by piece
  kPaused = 32,       // CLIENT PAUSE
};

// A request whose reply is still to come, in the order of the connection's requests. Nothing overtakes the head.
struct Pending {
  enum class Kind : std::uint8_t {
    kWrite,  // in the log: answered at apply
    kRead,   // runs when its barrier is passed
    kReply,  // bytes that are ready but must wait their turn
  };
  Kind kind;
  bool cancelled = false;  // kRead: leadership was lost before the barrier; answer the redirect
  bool silent = false;     // CLIENT REPLY OFF or SKIP was in force when it came
  bool settled = false;    // kRead: the write behind it is being applied, and is its barrier
  // kWrite: applied, found nothing, and its waiter is in the store. kRead: ran, found nothing, and waits on this node.
  bool blocked = false;
  bool caching = false;  // CLIENT CACHING came before it
  bool tries = false;    // kRead: a script that may turn out to write, and then becomes a kWrite
  const commands::Command* command = nullptr;
  std::uint64_t batch = 0;   // kWrite: its batch. kRead: runs at the apply of this batch (0: by its round)
  std::uint64_t round = 0;   // kRead: its read round (0: by its batch)
  std::uint64_t number = 0;  // the connection's command number
  std::uint32_t db = 0;
  std::uint32_t offset = 0;  // of the encoded arguments or reply in the session's arena
  std::uint32_t size = 0;
};

// What MULTI queues: commands already checked, encoded back to back.
struct Transaction {
  bool open = false;
  bool aborted = false;       // an error while queueing: EXEC answers EXECABORT
  bool selects = false;       // it changes the connection's database
  bool writes = false;        // one of the commands writes: the transaction is an entry
  bool data = false;          // one of them touches data: only the leader runs it
  bool needs_memory = false;  // one of them is refused when there is none, and EXEC with it
  bool scripts = false;       // one of them is a script that may write, and is refused alone
  std::uint32_t count = 0;    // of the commands queued, for CLIENT LIST
  std::string commands;
};

// A key under WATCH and what was seen of it after the read barrier.
struct Watched {
  std::string key;
  commands::WatchedKey seen;
};

// What a client listens to (redis.io/commands/subscribe). Names in order, so that leaving all of them has one.
struct Subscriptions {
  using Names = std::set<std::string, std::less<>>;
  Names channels;
  Names patterns;
  Names shard_channels;
  [[nodiscard]] bool empty() const { return channels.empty() && patterns.empty() && shard_channels.empty(); }
};

// CLIENT TRACKING ON, redis.io/commands/client-tracking.
struct TrackingState {
  std::uint64_t redirect = 0;  // the client that gets the invalidations; 0: this one
  bool broadcast = false;
  bool opt_in = false;
  bool opt_out = false;
  bool no_loop = false;
  bool caching = false;          // CLIENT CACHING was called for the next command
  bool broken_redirect = false;  // an invalidation could not be delivered: the other client is gone
  std::set<std::string, std::less<>> prefixes;
};

// One client connection as the replica sees it: bytes in, requests whose replies are outstanding, bytes out, and the
// state that Redis keeps per client. Owned by `Sessions`; lives until it is closed and no batch names it any more.
class Session {
 public:
  Session(std::uint64_t id, ClientAddress address)
      : id_(id), address_(std::move(address)), writer_(output_, resp::Writer::Protocol::kResp2) {}
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // CLIENT ID: grows with every connection of this start of the node.
  [[nodiscard]] std::uint64_t id() const { return id_; }
  [[nodiscard]] const ClientAddress& address() const { return address_; }

  // Bytes to be written by the host, which erases what it has written from the front. `output_sent` counts from the
  // front what is already written, so that the host need not erase after every partial write.
  [[nodiscard]] std::string& output() { return output_; }
  [[nodiscard]] const std::string& output() const { return output_; }
  std::size_t output_sent = 0;
  std::size_t output_at_host = 0;  // bytes that the host has taken over and not written yet
  bool output_reported = false;    // Host::output_ready was called in this turn
  [[nodiscard]] resp::Writer& writer() { return writer_; }
  [[nodiscard]] const resp::Writer& writer() const { return writer_; }

  [[nodiscard]] bool held() const { return holds_ != 0; }
  [[nodiscard]] bool held(Hold hold) const { return (holds_ & static_cast<std::uint8_t>(hold)) != 0; }
  void hold(Hold hold) { holds_ = static_cast<std::uint8_t>(holds_ | static_cast<std::uint8_t>(hold)); }
  void release(Hold hold) { holds_ = static_cast<std::uint8_t>(holds_ & ~static_cast<std::uint8_t>(hold)); }

  // It waits for no reply and nothing keeps its next request.
  [[nodiscard]] bool idle() const { return pending.empty() && !held() && !closing && !closed; }

  // Parsing.
  resp::RequestParser parser;
  std::string input;             // unparsed bytes; the host reads into its tail
  std::size_t input_begin = 0;   // bytes before it are consumed
  std::size_t input_filled = 0;  // where the space given to the host begins

  // Outstanding requests.
  Ring<Pending> pending;
  std::string arena;  // arguments and replies of `pending`, emptied when that is
  std::uint32_t writes_pending = 0;
  std::uint32_t tries = 0;             // scripts in `pending` that may become writes
  std::uint32_t references = 0;        // from batches and read rounds; the object lives until there are none
  std::uint64_t last_write_index = 0;  // of its newest applied write, for WAIT
  std::uint64_t last_write_batch = 0;  // the batch of the newest kWrite in `pending`

  // Connection state, redis.io/commands/client-list.
  std::uint32_t db = 0;
  std::uint64_t command_number = 0;  // of the request that was taken last, counted from 1
  bool authenticated = false;
  bool readonly = false;  // READONLY: a follower serves reads at the leader's read index
  bool asking = false;
  bool closing = false;          // no more input; close once `pending` is empty
  bool closed = false;           // the host has closed it
  bool leaderless_over = false;  // the park time of its next request has passed: answer CLUSTERDOWN
  bool admin = false;            // one of the few that are admitted past maxclients
  bool no_evict = false;
  bool no_touch = false;
  bool monitor = false;
  bool silent = false;  // the request being taken gets no reply
  enum class ReplyMode : std::uint8_t { kOn, kOff, kSkip } reply_mode = ReplyMode::kOn;
  std::string name;
  std::string library_name;
  std::string library_version;
  std::string user = "default";
  std::uint32_t user_id = 0;  // what its entries carry
  bool restricted = false;    // the user may not do everything: each command is checked
  std::string_view last_command = "NULL";
  std::uint64_t connected_ms = 0;  // monotonic milliseconds
  std::uint64_t active_ms = 0;
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
  std::uint64_t commands_processed = 0;

  Transaction transaction;
  std::vector<Watched> watched;

  std::unique_ptr<Subscriptions> subscriptions;  // only while it listens to something
  std::unique_ptr<TrackingState> tracking;       // only while tracking is on
  [[nodiscard]] bool subscribed() const { return subscriptions != nullptr; }

  // What the connection holds: the figure of maxmemory-clients and of CLIENT LIST's tot-mem. Names of channels and keys
  // are counted by their number, so that this costs nothing.
  [[nodiscard]] std::size_t memory() const {
    constexpr std::size_t kPerName = 64;
    std::size_t names = watched.size();
    if (subscriptions != nullptr) {
      names += subscriptions->channels.size() + subscriptions->patterns.size() + subscriptions->shard_channels.size();
    }
    if (tracking != nullptr) names += tracking->prefixes.size();
    return sizeof(Session) + input.capacity() + arena.capacity() + output_.capacity() + output_at_host +
           transaction.commands.capacity() + pending.size() * sizeof(Pending) + names * kPerName;
  }

  // Blocking commands: when the node's own timer fires (0: never), and what is asked for.
  std::uint64_t blocked_until_us = 0;
  const commands::Command* blocked_command = nullptr;

 private:
  std::uint64_t id_;
  ClientAddress address_;
  std::string output_;
  resp::Writer writer_;
  std::uint8_t holds_ = 0;
};

}  // namespace redraft::replica
