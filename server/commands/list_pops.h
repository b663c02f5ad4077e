#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "server/commands/context.h"
#include "server/commands/list_end.h"

namespace redraft::commands {

// What LPOP, LMOVE and LMPOP share with the blocking commands: one attempt, which answers if it found something (or an
// error) and else leaves the reply to its caller.
enum class Attempt : std::uint8_t { kAnswered, kNothingThere };

// The first of the keys at arguments [first, last) with a list loses one element, answered as [key, element].
Attempt pop_with_key(Context& context, std::size_t first, std::size_t last, End end);
// Up to `count` elements, answered as [key, [element ...]].
Attempt pop_many_with_key(Context& context, std::size_t first, std::size_t last, End end, std::int64_t count);
// One element moves from one end of a list to one end of another or the same, and is the answer.
Attempt move_element(Context& context, std::string_view source, std::string_view destination, End from, End to);

// How a command calls the two ends, in lower case.
struct EndWords {
  std::string_view head = "left";
  std::string_view tail = "right";
};

// The arguments of LMPOP and ZMPOP from their numkeys on, which is argument `at`; the blocking forms have them one
// place later.
struct MultiPop {
  std::size_t first_key = 0;
  std::size_t behind_keys = 0;
  End end = End::kHead;
  std::int64_t count = 1;
};
[[nodiscard]] std::optional<MultiPop> parse_multi_pop(Context& context, std::size_t at, EndWords words = {});

}  // namespace redraft::commands
