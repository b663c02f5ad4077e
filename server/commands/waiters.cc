#include "server/commands/waiters.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "resp/number.h"
#include "server/commands/arguments.h"
#include "server/commands/keyspace.h"
#include "server/commands/streams.h"

namespace redraft::commands {

namespace {

// A waiter's own writer where it is connected; elsewhere, and for nobody, the reply goes nowhere. The command runs all
// the same, since the state must be equal on all nodes.
class Receiver {
 public:
  Receiver(Context& context, const Origin& origin)
      : nowhere_(discarded_, resp::Writer::Protocol::kResp2), client_(context.surroundings.waiting_client(origin)) {}
  Receiver(const Receiver&) = delete;
  Receiver& operator=(const Receiver&) = delete;
  [[nodiscard]] resp::Writer& writer() { return client_ != nullptr ? *client_ : nowhere_; }

 private:
  std::string discarded_;
  resp::Writer nowhere_;
  resp::Writer* client_;
};

Origin origin_of(const store::Waiter& waiter) {
  return {waiter.id.node, waiter.id.connection, waiter.id.number};
}

// Whether the key now holds what the waiter waits for, so that its command will be answered. XREADGROUP also ends with
// an error when its stream or group has gone (redis/redis 7.2:src/blocked.c, unblock_on_nokey).
bool is_ready(Context& context, const store::Waiter& waiter, std::string_view key) {
  const Command* command = find_command(static_cast<CommandId>(waiter.command));
  ensure(command != nullptr, "a waiter's command is known to every node that applies its entry");
  if (command->id == CommandId::kXreadgroup) {
    const std::vector<std::string_view> arguments(waiter.arguments.begin(), waiter.arguments.end());
    const std::uint32_t db = std::exchange(context.db, waiter.db);
    const bool ready = xreadgroup_is_ready(context, arguments);
    context.db = db;
    return ready;
  }
  const store::Type type = (command->categories & kSortedSet) != 0 ? store::Type::kSortedSet : store::Type::kList;
  const store::Key* found = context.store.find(waiter.db, key);
  return found != nullptr && found->type() == type;
}

// False when nobody can be served: so a push that is taken at once does not look at everybody who waits behind.
bool may_serve(Context& context, std::uint32_t db, std::string_view key) {
  if (context.store.waiters().any_on_every_change()) return true;
  const store::Key* found = context.store.find(db, key);
  return found != nullptr && (found->type() == store::Type::kList || found->type() == store::Type::kSortedSet);
}

// Runs the waiter's command again, now that one of its keys has something for it.
void serve(Context& context, const store::Waiter& waiter) {
  Receiver receiver(context, origin_of(waiter));
  const std::vector<std::string_view> arguments(waiter.arguments.begin(), waiter.arguments.end());
  Context served{context.store, context.surroundings, context.breather, receiver.writer(), context.random};
  served.command = find_command(static_cast<CommandId>(waiter.command));
  served.arguments = arguments;
  served.db = waiter.db;
  served.clock_ms = context.clock_ms;
  served.index = context.index;
  served.origin = origin_of(waiter);
  served.applying = true;
  served.may_block = false;
  served.command->handler(served);
}

// These look at a key without using it (LOOKUP_NOTOUCH in redis/redis:src/db.c): its access clock stays.
constexpr bool only_looks(CommandId id) {
  switch (id) {
    case CommandId::kExists:
    case CommandId::kExpiretime:
    case CommandId::kMemoryUsage:
    case CommandId::kObjectEncoding:
    case CommandId::kObjectFreq:
    case CommandId::kObjectIdletime:
    case CommandId::kObjectRefcount:
    case CommandId::kPexpiretime:
    case CommandId::kPttl:
    case CommandId::kTtl:
    case CommandId::kType:
      return true;
    default:
      return false;
  }
}

}  // namespace

void execute(Context& context) {
  store::AccessClock& clock = context.store.access_clock();
  const bool touching = clock.touching();
  // TOUCH is what a CLIENT NO-TOUCH connection has left.
  clock.set_touching((touching && !only_looks(context.command->id)) || context.command->id == CommandId::kTouch);
  context.command->handler(context);
  clock.set_touching(touching);
  if (context.applying && context.may_block) serve_waiters(context);
}

// Keys in the order they became ready; at each the longest waiting first, past those who wait for another type or have
// nothing new in their group. A served BLMOVE makes its destination ready, which is then last in line
// (redis/redis:src/blocked.c, handleClientsBlockedOnKeys).
void serve_waiters(Context& context) {
  store::Waiters& waiters = context.store.waiters();
  std::uint32_t db = 0;
  std::string key;
  while (waiters.take_ready(db, key)) {
    Breaths breaths(context);
    std::uint64_t position = 0;
    while (may_serve(context, db, key)) {
      const store::Waiter* const next = waiters.next(db, key, position);
      if (next == nullptr) break;
      breaths.step();
      if (!is_ready(context, *next, key)) continue;
      const store::Waiter waiter = *next;
      waiters.remove(waiter.id);
      serve(context, waiter);
    }
  }
}

void wait_for_keys(Context& context, std::size_t first, std::size_t last, std::uint64_t timeout_ms) {
  store::Waiter waiter;
  waiter.id = {context.origin.node, context.origin.connection, context.origin.number};
  waiter.db = context.db;
  waiter.command = static_cast<std::uint16_t>(context.command->id);
  waiter.on_every_change = context.command->id == CommandId::kXreadgroup;
  waiter.arguments.assign(context.arguments.begin(), context.arguments.end());
  const auto keys = context.arguments.subspan(first, last - first);
  waiter.keys.assign(keys.begin(), keys.end());
  context.store.waiters().add(std::move(waiter));
  context.blocked = true;
  context.block_timeout_ms = timeout_ms;
}

bool unblock_waiter(Context& context, const Origin& origin, UnblockReason reason) {
  if (!context.store.waiters().remove({origin.node, origin.connection, origin.number})) return false;
  if (reason == UnblockReason::kClosed) return true;
  resp::Writer* const client = context.surroundings.waiting_client(origin);
  if (client == nullptr) return true;
  // Redis answers the null array whatever the command, BLMOVE too.
  reason == UnblockReason::kError ? client->error("UNBLOCKED client unblocked via CLIENT UNBLOCK")
                                  : client->null_array();
  return true;
}

void unblock_waiter_command(Context& context) {
  std::uint64_t numbers[4] = {};
  bool valid = context.argument_count() == 5;
  for (std::size_t i = 0; valid && i < 4; ++i) {
    const std::optional<std::uint64_t> number = resp::parse_uint64(context.argument(i + 1));
    valid = number.has_value();
    if (valid) numbers[i] = *number;
  }
  valid = valid && numbers[3] <= static_cast<std::uint64_t>(UnblockReason::kClosed);
  ensure(valid, "the entry that ends a wait names its waiter and the reason (server/commands/waiters.h)");
  const bool found =
      unblock_waiter(context, {numbers[0], numbers[1], numbers[2]}, static_cast<UnblockReason>(numbers[3]));
  context.reply.integer(found ? 1 : 0);
}

}  // namespace redraft::commands
