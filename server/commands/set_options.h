#pragma once

#include <cstdint>
#include <optional>

#include "server/commands/context.h"

namespace redraft::commands {

// The option list behind SET key value and GETEX key (redis.io/commands/set, redis.io/commands/getex).
struct SetOptions {
  enum class Deadline : std::uint8_t { kNone, kEx, kPx, kExat, kPxat };

  bool only_if_absent = false;   // NX
  bool only_if_present = false;  // XX
  bool get = false;
  bool keep_ttl = false;
  bool persist = false;
  Deadline deadline = Deadline::kNone;
  std::size_t deadline_argument = 0;

  [[nodiscard]] bool absolute() const { return deadline == Deadline::kExat || deadline == Deadline::kPxat; }
};

// Both answer the syntax error and return nothing when an option is unknown, incomplete or contradicts another.
[[nodiscard]] std::optional<SetOptions> parse_set_options(Context& context);
[[nodiscard]] std::optional<SetOptions> parse_getex_options(Context& context);

// The deadline as a time of the logical clock, from argument `i`. Answers the error and returns nothing when it is no
// integer, not positive or too large.
[[nodiscard]] std::optional<std::uint64_t> deadline_argument(Context& context, std::size_t i,
                                                             SetOptions::Deadline kind);

}  // namespace redraft::commands
