#include "server/commands/blocking.h"

#include <optional>

#include "resp/number.h"
#include "server/commands/arguments.h"
#include "server/commands/list_pops.h"
#include "server/commands/waiters.h"

// Each command tries once. If nothing is there, the connection becomes a waiter in the store, and a later push runs the
// same command again in its name (waiters.cc); as in Redis 7.2, where a served client executes its command anew.

namespace redraft::commands {

// Redis reads seconds as a long double and rounds up, so that a short wait is never none.
std::optional<std::uint64_t> timeout_argument(Context& context, std::size_t i) {
  const std::optional<long double> seconds = resp::parse_long_double(context.argument(i));
  if (!seconds) {
    context.reply.error("ERR timeout is not a float or out of range");
    return std::nullopt;
  }
  const long double milliseconds = *seconds * 1000.0L;
  if (milliseconds > static_cast<long double>(kInt64Max)) {
    context.reply.error("ERR timeout is out of range");
    return std::nullopt;
  }
  // Any negative time is refused, but what rounds up to zero waits for ever.
  if (milliseconds <= -1.0L) {
    context.reply.error("ERR timeout is negative");
    return std::nullopt;
  }
  if (milliseconds <= 0.0L) return 0;
  auto whole = static_cast<std::uint64_t>(milliseconds);
  if (static_cast<long double>(whole) < milliseconds) ++whole;
  if (whole > static_cast<std::uint64_t>(kInt64Max) - context.clock_ms) {
    context.reply.error("ERR timeout is out of range");
    return std::nullopt;
  }
  return whole;
}

namespace {

void pop_or_wait(Context& context, End end) {
  const std::size_t behind_keys = context.argument_count() - 1;
  const std::optional<std::uint64_t> timeout_ms = timeout_argument(context, behind_keys);
  if (!timeout_ms) return;
  if (pop_with_key(context, 1, behind_keys, end) == Attempt::kAnswered) return;
  if (!context.may_block) return context.reply.null_array();
  wait_for_keys(context, 1, behind_keys, *timeout_ms);
}

void move_or_wait(Context& context, End from, End to, std::size_t timeout_at) {
  const std::optional<std::uint64_t> timeout_ms = timeout_argument(context, timeout_at);
  if (!timeout_ms) return;
  if (move_element(context, context.argument(1), context.argument(2), from, to) == Attempt::kAnswered) return;
  if (!context.may_block) return context.reply.null();
  wait_for_keys(context, 1, 2, *timeout_ms);
}

}  // namespace

void blpop(Context& context) {
  pop_or_wait(context, End::kHead);
}

void brpop(Context& context) {
  pop_or_wait(context, End::kTail);
}

void blmove(Context& context) {
  const std::optional<End> from = end_argument(context, 3);
  if (!from) return;
  const std::optional<End> to = end_argument(context, 4);
  if (!to) return;
  move_or_wait(context, *from, *to, 5);
}

void brpoplpush(Context& context) {
  move_or_wait(context, End::kTail, End::kHead, 3);
}

void blmpop(Context& context) {
  const std::optional<MultiPop> pop = parse_multi_pop(context, 2);
  if (!pop) return;
  const std::optional<std::uint64_t> timeout_ms = timeout_argument(context, 1);
  if (!timeout_ms) return;
  if (pop_many_with_key(context, pop->first_key, pop->behind_keys, pop->end, pop->count) == Attempt::kAnswered) return;
  if (!context.may_block) return context.reply.null_array();
  wait_for_keys(context, pop->first_key, pop->behind_keys, *timeout_ms);
}

}  // namespace redraft::commands
