#include "server/commands/expire.h"

#include <optional>
#include <string>

#include "server/commands/arguments.h"
#include "server/commands/keyspace.h"

namespace redraft::commands {

namespace {

enum class Unit : std::uint8_t { kSeconds, kMilliseconds };
enum class Base : std::uint8_t { kNow, kEpoch };

// NX, XX, GT and LT (redis.io/commands/expire).
struct Conditions {
  bool only_without = false;
  bool only_with = false;
  bool only_later = false;
  bool only_earlier = false;

  // No deadline counts as one that is infinitely far away.
  [[nodiscard]] bool allow(std::optional<std::uint64_t> present, std::int64_t wanted) const {
    if (only_without && present) return false;
    if (only_with && !present) return false;
    const auto at = static_cast<std::int64_t>(present.value_or(0));
    if (only_later && (!present || wanted <= at)) return false;
    return !(only_earlier && present && wanted >= at);
  }
};

std::optional<Conditions> parse_conditions(Context& context) {
  Conditions conditions;
  for (std::size_t i = 3; i < context.argument_count(); ++i) {
    if (option_is(context, i, "nx")) {
      conditions.only_without = true;
    } else if (option_is(context, i, "xx")) {
      conditions.only_with = true;
    } else if (option_is(context, i, "gt")) {
      conditions.only_later = true;
    } else if (option_is(context, i, "lt")) {
      conditions.only_earlier = true;
    } else {
      std::string text = "ERR Unsupported option ";
      text += context.argument(i);
      context.reply.error(text);
      return std::nullopt;
    }
  }
  if (conditions.only_without && (conditions.only_with || conditions.only_later || conditions.only_earlier)) {
    context.reply.error("ERR NX and XX, GT or LT options at the same time are not compatible");
    return std::nullopt;
  }
  if (conditions.only_later && conditions.only_earlier) {
    context.reply.error("ERR GT and LT options at the same time are not compatible");
    return std::nullopt;
  }
  return conditions;
}

// The deadline in milliseconds of the logical clock; may lie in the past, even before 1970.
std::optional<std::int64_t> wanted_deadline(Context& context, Unit unit, Base base) {
  const std::optional<std::int64_t> argument = integer_argument(context, 2);
  if (!argument) return std::nullopt;
  std::int64_t when = 0;
  const auto start = base == Base::kNow ? static_cast<std::int64_t>(context.clock_ms) : 0;
  const bool overflows = __builtin_mul_overflow(*argument, unit == Unit::kSeconds ? 1000 : 1, &when) ||
                         __builtin_add_overflow(when, start, &when);
  if (!overflows) return when;
  std::string text = "ERR invalid expire time in '";
  text += context.command->name;
  text += "' command";
  context.reply.error(text);
  return std::nullopt;
}

void expire_at(Context& context, Unit unit, Base base) {
  const std::string_view key = context.argument(1);
  const std::optional<Conditions> conditions = parse_conditions(context);
  if (!conditions) return;
  const std::optional<std::int64_t> when = wanted_deadline(context, unit, base);
  if (!when) return;
  if (!key_exists(context, key) || !conditions->allow(deadline_of(context, key), *when)) {
    return context.reply.integer(0);
  }
  context.reply.integer(1);
  if (*when <= static_cast<std::int64_t>(context.clock_ms)) {
    delete_key(context, key);
    return;
  }
  set_deadline(context, key, static_cast<std::uint64_t>(*when));
  changed(context, key);
  context.notify(Event::kGeneric, "expire", key);
}

// -2: no such key, -1: no deadline. Seconds are rounded to the nearest.
void answer_deadline(Context& context, Unit unit, Base base) {
  const std::string_view key = context.argument(1);
  if (!key_exists(context, key)) return context.reply.integer(-2);
  const std::optional<std::uint64_t> deadline = deadline_of(context, key);
  if (!deadline) return context.reply.integer(-1);
  // A deadline equal to the clock has passed, so that what is left is positive.
  const std::uint64_t milliseconds = base == Base::kNow ? *deadline - context.clock_ms : *deadline;
  context.reply.integer(static_cast<std::int64_t>(unit == Unit::kSeconds ? (milliseconds + 500) / 1000 : milliseconds));
}

}  // namespace

void expire(Context& context) {
  expire_at(context, Unit::kSeconds, Base::kNow);
}

void pexpire(Context& context) {
  expire_at(context, Unit::kMilliseconds, Base::kNow);
}

void expireat(Context& context) {
  expire_at(context, Unit::kSeconds, Base::kEpoch);
}

void pexpireat(Context& context) {
  expire_at(context, Unit::kMilliseconds, Base::kEpoch);
}

void persist(Context& context) {
  const std::string_view key = context.argument(1);
  if (!key_exists(context, key) || !clear_deadline(context, key)) return context.reply.integer(0);
  changed(context, key);
  context.notify(Event::kGeneric, "persist", key);
  context.reply.integer(1);
}

void ttl(Context& context) {
  answer_deadline(context, Unit::kSeconds, Base::kNow);
}

void pttl(Context& context) {
  answer_deadline(context, Unit::kMilliseconds, Base::kNow);
}

void expiretime(Context& context) {
  answer_deadline(context, Unit::kSeconds, Base::kEpoch);
}

void pexpiretime(Context& context) {
  answer_deadline(context, Unit::kMilliseconds, Base::kEpoch);
}

}  // namespace redraft::commands
