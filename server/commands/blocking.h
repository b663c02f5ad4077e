#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

namespace redraft::commands {

class Context;

// How long a blocking command waits, in milliseconds, 0 for ever; nothing after an error was answered.
[[nodiscard]] std::optional<std::uint64_t> timeout_argument(Context& context, std::size_t i);

// The list commands that may wait for an element. What waits is replicated state: see waiters.h.
void blpop(Context& context);
void brpop(Context& context);
void blmove(Context& context);
void brpoplpush(Context& context);
void blmpop(Context& context);

}  // namespace redraft::commands
