#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "server/commands/context.h"

namespace redraft::commands {

// Why a connection stops waiting in a blocking pop without having got an element. Numbers stand in log entries.
enum class UnblockReason : std::uint8_t {
  kTimeout = 0,    // its time is over: answered as the command answers an empty key
  kUnblocked = 1,  // CLIENT UNBLOCK id: answered like a time-out
  kError = 2,      // CLIENT UNBLOCK id ERROR: -UNBLOCKED
  kClosed = 3,     // the connection is gone: nobody to answer
};

// Ends the wait of `origin` if it still waits, and answers it where it is connected. False when nobody by that name
// waits (any more): an element or another entry came first, and first in log order wins (redis-semantics, "Blocking").
bool unblock_waiter(Context& context, const Origin& origin, UnblockReason reason);

// For a blocking command that found nothing: makes its connection a waiter for the keys at arguments [first, last),
// behind those that wait already. Its arguments are kept, since whoever fills a key runs the command again.
void wait_for_keys(Context& context, std::size_t first, std::size_t last, std::uint64_t timeout_ms);

// A read that found nothing and waits on its own node alone, without an entry: XREAD BLOCK. Whenever one of its keys
// changes it runs again, with these arguments, in which "$" has become an id.
struct ReadWait {
  std::vector<std::string> keys;
  std::vector<std::string> arguments;
  std::uint64_t timeout_ms = 0;  // 0: for ever
};

// The entry command kUnblockWaiter; arguments: name, node, connection, number, reason (all decimal). Replies with 1
// when the waiter was still there, else 0: what CLIENT UNBLOCK answers.
void unblock_waiter_command(Context& context);

}  // namespace redraft::commands
