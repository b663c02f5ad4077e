#include "server/commands/set_options.h"

#include <string>

#include "server/commands/arguments.h"

namespace redraft::commands {

namespace {

using Deadline = SetOptions::Deadline;

Deadline deadline_kind(std::string_view option) {
  if (equals_ignoring_case(option, "ex")) return Deadline::kEx;
  if (equals_ignoring_case(option, "px")) return Deadline::kPx;
  if (equals_ignoring_case(option, "exat")) return Deadline::kExat;
  if (equals_ignoring_case(option, "pxat")) return Deadline::kPxat;
  return Deadline::kNone;
}

// The same option may be repeated, and the last one counts; two kinds of deadline contradict each other.
bool take_deadline(const Context& context, std::size_t& i, SetOptions& options) {
  const Deadline kind = deadline_kind(context.argument(i));
  if (kind == Deadline::kNone || i + 1 >= context.argument_count()) return false;
  if (options.keep_ttl || options.persist) return false;
  if (options.deadline != Deadline::kNone && options.deadline != kind) return false;
  options.deadline = kind;
  options.deadline_argument = ++i;
  return true;
}

bool take_set_flag(const Context& context, std::size_t i, SetOptions& options) {
  if (option_is(context, i, "nx")) {
    options.only_if_absent = true;
    return !options.only_if_present;
  }
  if (option_is(context, i, "xx")) {
    options.only_if_present = true;
    return !options.only_if_absent;
  }
  if (option_is(context, i, "get")) {
    options.get = true;
    return true;
  }
  if (option_is(context, i, "keepttl")) {
    options.keep_ttl = true;
    return options.deadline == Deadline::kNone;
  }
  return false;
}

void answer_invalid_expire_time(Context& context) {
  std::string text = "ERR invalid expire time in '";
  text += context.command->name;
  text += "' command";
  context.reply.error(text);
}

}  // namespace

std::optional<SetOptions> parse_set_options(Context& context) {
  SetOptions options;
  for (std::size_t i = 3; i < context.argument_count(); ++i) {
    if (take_set_flag(context, i, options) || take_deadline(context, i, options)) continue;
    answer_syntax_error(context);
    return std::nullopt;
  }
  return options;
}

std::optional<SetOptions> parse_getex_options(Context& context) {
  SetOptions options;
  for (std::size_t i = 2; i < context.argument_count(); ++i) {
    if (option_is(context, i, "persist") && options.deadline == Deadline::kNone) {
      options.persist = true;
      continue;
    }
    if (take_deadline(context, i, options)) continue;
    answer_syntax_error(context);
    return std::nullopt;
  }
  return options;
}

std::optional<std::uint64_t> deadline_argument(Context& context, std::size_t i, SetOptions::Deadline kind) {
  const std::optional<std::int64_t> argument = integer_argument(context, i);
  if (!argument) return std::nullopt;
  std::int64_t value = *argument;
  const bool seconds = kind == Deadline::kEx || kind == Deadline::kExat;
  const bool relative = kind == Deadline::kEx || kind == Deadline::kPx;
  bool valid = value > 0 && (!seconds || value <= kInt64Max / 1000);
  if (valid && seconds) value *= 1000;
  if (valid && relative) {
    const auto clock = static_cast<std::int64_t>(context.clock_ms);
    valid = value <= kInt64Max - clock;
    if (valid) value += clock;
  }
  if (!valid) {
    answer_invalid_expire_time(context);
    return std::nullopt;
  }
  return static_cast<std::uint64_t>(value);
}

}  // namespace redraft::commands
