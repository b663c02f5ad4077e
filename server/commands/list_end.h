#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "server/commands/context.h"

namespace redraft::commands {

// LEFT and RIGHT of a list, the ends that pushes and pops name.
enum class End : std::uint8_t { kHead, kTail };

// Answers the syntax error and returns nothing when argument `i` is neither LEFT nor RIGHT.
[[nodiscard]] std::optional<End> end_argument(Context& context, std::size_t i);

// The event that a push or pop at this end raises.
[[nodiscard]] constexpr std::string_view push_event(End end) {
  return end == End::kHead ? "lpush" : "rpush";
}
[[nodiscard]] constexpr std::string_view pop_event(End end) {
  return end == End::kHead ? "lpop" : "rpop";
}

}  // namespace redraft::commands
