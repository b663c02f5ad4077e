#pragma once

#include <array>

#include "server/commands/key_positions.h"
#include "server/commands/scan.h"
#include "server/commands/sorted_sets.h"
#include "server/commands/table_line.h"

namespace redraft::commands {

// Lines of the command table, see table.cc.
inline constexpr auto kSortedSetCommands = std::to_array<Command>({
    // name, id, arity, flags, categories beyond the implied ones, first/last/step of the keys, handler, find_keys
    data("bzmpop", CommandId::kBzmpop, -5, kWrite | kBlocking, kSortedSet, {}, bzmpop, find_numkeys_at_2),
    data("bzpopmax", CommandId::kBzpopmax, -3, kWrite | kBlocking | kFast, kSortedSet, {1, -2, 1}, bzpopmax),
    data("bzpopmin", CommandId::kBzpopmin, -3, kWrite | kBlocking | kFast, kSortedSet, {1, -2, 1}, bzpopmin),
    data("zadd", CommandId::kZadd, -4, kWrite | kDenyOom | kFast, kSortedSet, {1, 1, 1}, zadd),
    data("zcard", CommandId::kZcard, 2, kReadonly | kFast, kSortedSet, {1, 1, 1}, zcard),
    data("zcount", CommandId::kZcount, 4, kReadonly | kFast, kSortedSet, {1, 1, 1}, zcount),
    data("zdiff", CommandId::kZdiff, -3, kReadonly, kSortedSet, {}, zdiff, find_numkeys_at_1),
    data("zdiffstore", CommandId::kZdiffstore, -4, kWrite | kDenyOom, kSortedSet, {1, 1, 1}, zdiffstore,
         find_destination_and_numkeys),
    data("zincrby", CommandId::kZincrby, 4, kWrite | kDenyOom | kFast, kSortedSet, {1, 1, 1}, zincrby),
    data("zinter", CommandId::kZinter, -3, kReadonly, kSortedSet, {}, zinter, find_numkeys_at_1),
    data("zintercard", CommandId::kZintercard, -3, kReadonly, kSortedSet, {}, zintercard, find_numkeys_at_1),
    data("zinterstore", CommandId::kZinterstore, -4, kWrite | kDenyOom, kSortedSet, {1, 1, 1}, zinterstore,
         find_destination_and_numkeys),
    data("zlexcount", CommandId::kZlexcount, 4, kReadonly | kFast, kSortedSet, {1, 1, 1}, zlexcount),
    data("zmpop", CommandId::kZmpop, -4, kWrite, kSortedSet, {}, zmpop, find_numkeys_at_1),
    data("zmscore", CommandId::kZmscore, -3, kReadonly | kFast, kSortedSet, {1, 1, 1}, zmscore),
    data("zpopmax", CommandId::kZpopmax, -2, kWrite | kFast, kSortedSet, {1, 1, 1}, zpopmax),
    data("zpopmin", CommandId::kZpopmin, -2, kWrite | kFast, kSortedSet, {1, 1, 1}, zpopmin),
    data("zrandmember", CommandId::kZrandmember, -2, kReadonly, kSortedSet, {1, 1, 1}, zrandmember),
    data("zrange", CommandId::kZrange, -4, kReadonly, kSortedSet, {1, 1, 1}, zrange),
    data("zrangebylex", CommandId::kZrangebylex, -4, kReadonly, kSortedSet, {1, 1, 1}, zrangebylex),
    data("zrangebyscore", CommandId::kZrangebyscore, -4, kReadonly, kSortedSet, {1, 1, 1}, zrangebyscore),
    data("zrangestore", CommandId::kZrangestore, -5, kWrite | kDenyOom, kSortedSet, {1, 2, 1}, zrangestore),
    data("zrank", CommandId::kZrank, -3, kReadonly | kFast, kSortedSet, {1, 1, 1}, zrank),
    data("zrem", CommandId::kZrem, -3, kWrite | kFast, kSortedSet, {1, 1, 1}, zrem),
    data("zremrangebylex", CommandId::kZremrangebylex, 4, kWrite, kSortedSet, {1, 1, 1}, zremrangebylex),
    data("zremrangebyrank", CommandId::kZremrangebyrank, 4, kWrite, kSortedSet, {1, 1, 1}, zremrangebyrank),
    data("zremrangebyscore", CommandId::kZremrangebyscore, 4, kWrite, kSortedSet, {1, 1, 1}, zremrangebyscore),
    data("zrevrange", CommandId::kZrevrange, -4, kReadonly, kSortedSet, {1, 1, 1}, zrevrange),
    data("zrevrangebylex", CommandId::kZrevrangebylex, -4, kReadonly, kSortedSet, {1, 1, 1}, zrevrangebylex),
    data("zrevrangebyscore", CommandId::kZrevrangebyscore, -4, kReadonly, kSortedSet, {1, 1, 1}, zrevrangebyscore),
    data("zrevrank", CommandId::kZrevrank, -3, kReadonly | kFast, kSortedSet, {1, 1, 1}, zrevrank),
    data("zscan", CommandId::kZscan, -3, kReadonly, kSortedSet, {1, 1, 1}, zscan),
    data("zscore", CommandId::kZscore, 3, kReadonly | kFast, kSortedSet, {1, 1, 1}, zscore),
    data("zunion", CommandId::kZunion, -3, kReadonly, kSortedSet, {}, zunion, find_numkeys_at_1),
    data("zunionstore", CommandId::kZunionstore, -4, kWrite | kDenyOom, kSortedSet, {1, 1, 1}, zunionstore,
         find_destination_and_numkeys),
});

}  // namespace redraft::commands
