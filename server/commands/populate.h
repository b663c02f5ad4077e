#pragma once

#include <cstdint>

#include "server/commands/context.h"

namespace redraft::commands {

// The entry command kPopulate, a slice of DEBUG POPULATE: keys "prefix:i" with "value:i", where there are none yet.
// Arguments: name, prefix, the first i and the one behind the last, bytes of each value (0: as long as its text).
void populate(Context& context);

// No slice has more keys, nor more bytes of values unless one alone has.
inline constexpr std::uint64_t kPopulateSliceKeys = 10'000;
inline constexpr std::uint64_t kPopulateSliceBytes = std::uint64_t{16} << 20;

}  // namespace redraft::commands
