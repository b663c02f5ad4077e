#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "resp/writer.h"
#include "server/commands/command.h"
#include "server/commands/random.h"

namespace redraft::store {
class Store;
class Breather;
}  // namespace redraft::store

namespace redraft::commands {

class ScriptHost;

// Who sent a command: enough to find the receiver of a blocking pop on whatever node it is connected to. `connection`
// is unique over all starts of its node; `number` counts the connection's commands.
struct Origin {
  std::uint64_t node = 0;
  std::uint64_t connection = 0;
  std::uint64_t number = 0;
  friend auto operator<=>(const Origin&, const Origin&) = default;
};

// The classes of keyspace events (redis.io/docs/manual/keyspace-notifications).
enum class Event : std::uint8_t {
  kGeneric,
  kString,
  kList,
  kSet,
  kHash,
  kSortedSet,
  kStream,
  kExpired,
  kEvicted,
  kNew,
  kMissed
};

// What a command may reach beyond the store. One per replica.
class Surroundings {
 public:
  virtual ~Surroundings() = default;
  // Where the reply for a waiting connection goes, in its protocol; nullptr when it is not connected to this node. The
  // writer is valid until the next call. Writing one complete reply ends that connection's wait.
  virtual resp::Writer* waiting_client(const Origin& origin) = 0;
  // A keyspace event, raised at apply on each node for that node's own setting.
  virtual void notify(Event event, std::string_view name, std::string_view key, std::uint32_t db) = 0;
  // PUBLISH as part of an entry: reaches the subscribers of this node, as it does on every node that applies the entry.
  // Returns how many got it here, which must not decide anything.
  virtual std::uint64_t publish_applied(std::string_view /*channel*/, std::string_view /*message*/, bool /*sharded*/) {
    return 0;
  }
  // Why the user may not run that command now, as a whole error line; empty when he may. For commands that a script
  // calls: what a client sends is checked before it runs.
  [[nodiscard]] virtual std::string refusal(std::uint32_t /*user*/, const Command& /*command*/,
                                            std::span<const std::string_view> /*arguments*/) const {
    return {};
  }
  // `refusal` had an answer for what a script called: a line for ACL LOG.
  virtual void refused(const Command& /*command*/, std::span<const std::string_view> /*arguments*/) {}
  // What this node has for running scripts; nullptr where nobody runs any.
  virtual ScriptHost* script_host() { return nullptr; }
};

struct ReadWait;
struct Migration;

// All a data command gets to see: the store, its arguments, the time and randomness of its entry. The same handler runs
// at apply on every node (kWrite), at a read barrier on one (kReadonly), inside EXEC and scripts. It reads no other
// clock, no other randomness, no configuration but the store's cluster settings (architecture, "What keeps replicas
// identical").
class Context {
 public:
  store::Store& store;
  Surroundings& surroundings;
  store::Breather& breather;  // long loops call it every few hundred elements
  resp::Writer& reply;        // exactly one reply, or none when the command began to wait (see `blocked`)
  Random& random;

  const Command* command = nullptr;
  std::span<const std::string_view> arguments = {};  // [0] is the name as sent; views into the entry or the request
  std::uint32_t db = 0;
  // Milliseconds of the logical clock: the entry's at apply; at a read the leader's, which may be ahead of the last
  // applied.
  std::uint64_t clock_ms = 0;
  std::uint64_t index = 0;  // of the entry being applied; at a read the last applied one
  Origin origin = {};
  std::uint32_t user = 0;  // whose rights count, by the number the log knows; 0 is "default"
  bool applying = false;   // false at a read: nothing replicated may change
  bool may_block = true;   // false in EXEC and scripts: blocking commands act as if timed out
  bool from_script = false;
  // Where a read that waits on its own node leaves what it waits for (XREAD BLOCK, waiters.h), with `blocked` set;
  // nullptr where a read may not wait.
  ReadWait* read_wait = nullptr;
  // Where MIGRATE leaves what is to be sent (migrate.h), with `blocked` set; nullptr where nothing can be.
  Migration* migration = nullptr;

  // Set by a blocking command that found nothing and has added its waiter to the store: no reply was written. The
  // node's own timer uses `block_timeout_ms` (0: for ever).
  bool blocked = false;
  std::uint64_t block_timeout_ms = 0;

  [[nodiscard]] std::size_t argument_count() const { return arguments.size(); }
  [[nodiscard]] std::string_view argument(std::size_t i) const { return arguments[i]; }

  void notify(Event event, std::string_view name, std::string_view key) { surroundings.notify(event, name, key, db); }
};

// Runs `context.command`. Afterwards, unless inside EXEC (`may_block` false), serves the waiters of the keys that it
// filled (redis-semantics, "Blocking"); whoever runs a transaction calls `serve_waiters` once at its end.
void execute(Context& context);
void serve_waiters(Context& context);

}  // namespace redraft::commands
