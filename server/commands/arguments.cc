#include "server/commands/arguments.h"

#include <string>

#include "base/check.h"
#include "resp/number.h"
#include "server/store/store.h"

namespace redraft::commands {

std::optional<std::int64_t> integer_argument(Context& context, std::size_t i, std::string_view error) {
  const std::optional<std::int64_t> value = resp::parse_int64(context.argument(i));
  if (!value) context.reply.error(error);
  return value;
}

std::optional<std::int64_t> integer_in_range(Context& context, std::size_t i, std::int64_t first, std::int64_t last,
                                             std::string_view error) {
  const std::optional<std::int64_t> value =
      integer_argument(context, i, error.empty() ? std::string_view(kNotAnInteger) : error);
  if (!value || (*value >= first && *value <= last)) return value;
  if (error.empty()) {
    // Redis's own grammar.
    context.reply.error("ERR value is out of range, value must between " + resp::to_text(first) + " and " +
                        resp::to_text(last));
  } else {
    context.reply.error(error);
  }
  return std::nullopt;
}

std::optional<std::int64_t> positive_argument(Context& context, std::size_t i, std::string_view error) {
  return integer_in_range(context, i, 0, kInt64Max, error);
}

std::optional<std::uint32_t> db_argument(Context& context, std::size_t i, std::string_view error) {
  constexpr std::int64_t kFirst = std::numeric_limits<std::int32_t>::min();
  constexpr std::int64_t kLast = std::numeric_limits<std::int32_t>::max();
  const std::optional<std::int64_t> number = integer_in_range(context, i, kFirst, kLast, error);
  if (!number) return std::nullopt;
  if (*number < 0 || static_cast<std::uint64_t>(*number) >= context.store.database_count()) {
    context.reply.error(kDbOutOfRange);
    return std::nullopt;
  }
  return static_cast<std::uint32_t>(*number);
}

std::optional<std::uint64_t> cursor_argument(Context& context, std::size_t i) {
  std::string_view text = context.argument(i);
  if (text.empty()) return 0;  // strtoul finds nothing left to complain about
  const bool negative = text.front() == '-';
  if (negative || text.front() == '+') text.remove_prefix(1);
  constexpr std::uint64_t kMax = std::numeric_limits<std::uint64_t>::max();
  std::uint64_t value = 0;
  bool valid = !text.empty();
  for (const char c : text) {
    if (c < '0' || c > '9') {
      valid = false;
      break;
    }
    const auto digit = static_cast<std::uint64_t>(c - '0');
    if (value > (kMax - digit) / 10) {
      valid = false;
      break;
    }
    value = value * 10 + digit;
  }
  if (!valid) {
    context.reply.error("ERR invalid cursor");
    return std::nullopt;
  }
  return negative ? std::uint64_t{0} - value : value;
}

std::uint64_t entry_number(const Context& context, std::size_t i) {
  const std::optional<std::uint64_t> number = resp::parse_uint64(context.argument(i));
  ensure(number.has_value(), "the entries that nodes make have numbers where their headers say so");
  return *number;
}

void answer_wrong_arity(Context& context) {
  std::string text = "ERR wrong number of arguments for '";
  text += context.command->name;
  text += "' command";
  context.reply.error(text);
}

}  // namespace redraft::commands
