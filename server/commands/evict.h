#pragma once

#include <cstdint>

#include "server/commands/context.h"

namespace redraft::commands {

// The entry command kEvict: what the leader chose to delete for want of memory. Arguments: name, bytes that this should
// free, then for each key its database, the index at which it was chosen, and its name. A key that was written after
// that index stays (redis-semantics, "Memory"). Returns how many went.
std::uint64_t evict(Context& context);

// What the leader expected to become free.
[[nodiscard]] std::uint64_t evicted_bytes(const Context& context);

}  // namespace redraft::commands
