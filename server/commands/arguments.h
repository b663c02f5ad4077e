#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>

#include "server/commands/context.h"
#include "server/commands/letter_case.h"

namespace redraft::commands {

// Errors that many commands share, byte for byte Redis 7.2's (redis/redis:src/server.c, createSharedObjects).
inline constexpr std::string_view kSyntaxError = "ERR syntax error";
inline constexpr std::string_view kWrongType = "WRONGTYPE Operation against a key holding the wrong kind of value";
inline constexpr std::string_view kNotAnInteger = "ERR value is not an integer or out of range";
inline constexpr std::string_view kNotAFloat = "ERR value is not a valid float";
inline constexpr std::string_view kNotPositive = "ERR value is out of range, must be positive";
inline constexpr std::string_view kNoSuchKey = "ERR no such key";
inline constexpr std::string_view kSameObject = "ERR source and destination objects are the same";
inline constexpr std::string_view kDbOutOfRange = "ERR DB index is out of range";
inline constexpr std::string_view kIndexOutOfRange = "ERR index out of range";

inline constexpr std::int64_t kInt64Max = std::numeric_limits<std::int64_t>::max();
inline constexpr std::int64_t kInt64Min = std::numeric_limits<std::int64_t>::min();

// Readers of single arguments. Each answers the error and returns nothing when the argument does not fit.
[[nodiscard]] std::optional<std::int64_t> integer_argument(Context& context, std::size_t i,
                                                           std::string_view error = kNotAnInteger);
// [first, last]; with an empty `error` Redis's two texts for "no integer" and "out of range".
[[nodiscard]] std::optional<std::int64_t> integer_in_range(Context& context, std::size_t i, std::int64_t first,
                                                           std::int64_t last, std::string_view error = {});
// 0 and up: what Redis calls positive.
[[nodiscard]] std::optional<std::int64_t> positive_argument(Context& context, std::size_t i,
                                                            std::string_view error = kNotPositive);
// A database's number that exists; `error` replaces the text for what is no number of 32 bits.
[[nodiscard]] std::optional<std::uint32_t> db_argument(Context& context, std::size_t i, std::string_view error = {});
// A cursor as strtoul reads it: a sign is permitted, "-1" wraps around.
[[nodiscard]] std::optional<std::uint64_t> cursor_argument(Context& context, std::size_t i);

// A number in an entry that a node made itself: kEvict and the like. There it is one.
[[nodiscard]] std::uint64_t entry_number(const Context& context, std::size_t i);

[[nodiscard]] inline bool option_is(const Context& context, std::size_t i, std::string_view lower) {
  return equals_ignoring_case(context.argument(i), lower);
}

// "ERR wrong number of arguments for 'x' command" for what the table's arity cannot tell.
void answer_wrong_arity(Context& context);
// The handler of an option list found one that it does not know.
inline void answer_syntax_error(Context& context) {
  context.reply.error(kSyntaxError);
}

}  // namespace redraft::commands
