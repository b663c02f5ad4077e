#pragma once

#include <cstdint>
#include <string_view>

namespace redraft::store {
class Store;
}

namespace redraft::commands {

class Context;

// The HyperLogLog commands (redis.io/commands/?group=hyperloglog).
void pfadd(Context& context);
void pfcount(Context& context);
void pfmerge(Context& context);
void pfdebug(Context& context);
void pfselftest(Context& context);

// PFCOUNT of one key remembers the count in the value, which is a change of state: asked before the command is sent
// down its path. With a count that is fresh it is a read (redis-semantics, "Node-local things"). As a read it never
// changes anything.
[[nodiscard]] bool count_is_stale(const store::Store& store, std::uint32_t db, std::string_view key);

}  // namespace redraft::commands
