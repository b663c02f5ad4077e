#pragma once

#include <array>

#include "server/commands/table_line.h"

namespace redraft::commands {

// Lines of the command table, see table.cc.
inline constexpr auto kSortedSetCommands = std::to_array<Command>({
    // name, id, arity, flags, categories beyond the implied ones, first/last/step of the keys, handler, find_keys
    data("bzmpop", CommandId::kBzmpop, -5, kWrite | kBlocking | kMovableKeys, kSortedSet, {}),
    data("bzpopmax", CommandId::kBzpopmax, -3, kWrite | kBlocking | kFast, kSortedSet, {1, -2, 1}),
    data("bzpopmin", CommandId::kBzpopmin, -3, kWrite | kBlocking | kFast, kSortedSet, {1, -2, 1}),
    data("zadd", CommandId::kZadd, -4, kWrite | kDenyOom | kFast, kSortedSet, {1, 1, 1}),
    data("zcard", CommandId::kZcard, 2, kReadonly | kFast, kSortedSet, {1, 1, 1}),
    data("zcount", CommandId::kZcount, 4, kReadonly | kFast, kSortedSet, {1, 1, 1}),
    data("zdiff", CommandId::kZdiff, -3, kReadonly | kMovableKeys, kSortedSet, {}),
    data("zdiffstore", CommandId::kZdiffstore, -4, kWrite | kDenyOom | kMovableKeys, kSortedSet, {1, 1, 1}),
    data("zincrby", CommandId::kZincrby, 4, kWrite | kDenyOom | kFast, kSortedSet, {1, 1, 1}),
    data("zinter", CommandId::kZinter, -3, kReadonly | kMovableKeys, kSortedSet, {}),
    data("zintercard", CommandId::kZintercard, -3, kReadonly | kMovableKeys, kSortedSet, {}),
    data("zinterstore", CommandId::kZinterstore, -4, kWrite | kDenyOom | kMovableKeys, kSortedSet, {1, 1, 1}),
    data("zlexcount", CommandId::kZlexcount, 4, kReadonly | kFast, kSortedSet, {1, 1, 1}),
    data("zmpop", CommandId::kZmpop, -4, kWrite | kMovableKeys, kSortedSet, {}),
    data("zmscore", CommandId::kZmscore, -3, kReadonly | kFast, kSortedSet, {1, 1, 1}),
    data("zpopmax", CommandId::kZpopmax, -2, kWrite | kFast, kSortedSet, {1, 1, 1}),
    data("zpopmin", CommandId::kZpopmin, -2, kWrite | kFast, kSortedSet, {1, 1, 1}),
    data("zrandmember", CommandId::kZrandmember, -2, kReadonly, kSortedSet, {1, 1, 1}),
    data("zrange", CommandId::kZrange, -4, kReadonly, kSortedSet, {1, 1, 1}),
    data("zrangebylex", CommandId::kZrangebylex, -4, kReadonly, kSortedSet, {1, 1, 1}),
    data("zrangebyscore", CommandId::kZrangebyscore, -4, kReadonly, kSortedSet, {1, 1, 1}),
    data("zrangestore", CommandId::kZrangestore, -5, kWrite | kDenyOom, kSortedSet, {1, 2, 1}),
    data("zrank", CommandId::kZrank, -3, kReadonly | kFast, kSortedSet, {1, 1, 1}),
    data("zrem", CommandId::kZrem, -3, kWrite | kFast, kSortedSet, {1, 1, 1}),
    data("zremrangebylex", CommandId::kZremrangebylex, 4, kWrite, kSortedSet, {1, 1, 1}),
    data("zremrangebyrank", CommandId::kZremrangebyrank, 4, kWrite, kSortedSet, {1, 1, 1}),
    data("zremrangebyscore", CommandId::kZremrangebyscore, 4, kWrite, kSortedSet, {1, 1, 1}),
    data("zrevrange", CommandId::kZrevrange, -4, kReadonly, kSortedSet, {1, 1, 1}),
    data("zrevrangebylex", CommandId::kZrevrangebylex, -4, kReadonly, kSortedSet, {1, 1, 1}),
    data("zrevrangebyscore", CommandId::kZrevrangebyscore, -4, kReadonly, kSortedSet, {1, 1, 1}),
    data("zrevrank", CommandId::kZrevrank, -3, kReadonly | kFast, kSortedSet, {1, 1, 1}),
    data("zscan", CommandId::kZscan, -3, kReadonly, kSortedSet, {1, 1, 1}),
    data("zscore", CommandId::kZscore, 3, kReadonly | kFast, kSortedSet, {1, 1, 1}),
    data("zunion", CommandId::kZunion, -3, kReadonly | kMovableKeys, kSortedSet, {}),
    data("zunionstore", CommandId::kZunionstore, -4, kWrite | kDenyOom | kMovableKeys, kSortedSet, {1, 1, 1}),
});

}  // namespace redraft::commands
