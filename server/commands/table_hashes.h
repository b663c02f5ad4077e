#pragma once

#include <array>

#include "server/commands/table_line.h"

namespace redraft::commands {

// Lines of the command table, see table.cc.
inline constexpr auto kHashCommands = std::to_array<Command>({
    // name, id, arity, flags, categories beyond the implied ones, first/last/step of the keys, handler, find_keys
    data("hdel", CommandId::kHdel, -3, kWrite | kFast, kHash, {1, 1, 1}),
    data("hexists", CommandId::kHexists, 3, kReadonly | kFast, kHash, {1, 1, 1}),
    data("hget", CommandId::kHget, 3, kReadonly | kFast, kHash, {1, 1, 1}),
    data("hgetall", CommandId::kHgetall, 2, kReadonly, kHash, {1, 1, 1}),
    data("hincrby", CommandId::kHincrby, 4, kWrite | kDenyOom | kFast, kHash, {1, 1, 1}),
    data("hincrbyfloat", CommandId::kHincrbyfloat, 4, kWrite | kDenyOom | kFast, kHash, {1, 1, 1}),
    data("hkeys", CommandId::kHkeys, 2, kReadonly, kHash, {1, 1, 1}),
    data("hlen", CommandId::kHlen, 2, kReadonly | kFast, kHash, {1, 1, 1}),
    data("hmget", CommandId::kHmget, -3, kReadonly | kFast, kHash, {1, 1, 1}),
    data("hmset", CommandId::kHmset, -4, kWrite | kDenyOom | kFast, kHash, {1, 1, 1}),
    data("hrandfield", CommandId::kHrandfield, -2, kReadonly, kHash, {1, 1, 1}),
    data("hscan", CommandId::kHscan, -3, kReadonly, kHash, {1, 1, 1}),
    data("hset", CommandId::kHset, -4, kWrite | kDenyOom | kFast, kHash, {1, 1, 1}),
    data("hsetnx", CommandId::kHsetnx, 4, kWrite | kDenyOom | kFast, kHash, {1, 1, 1}),
    data("hstrlen", CommandId::kHstrlen, 3, kReadonly | kFast, kHash, {1, 1, 1}),
    data("hvals", CommandId::kHvals, 2, kReadonly, kHash, {1, 1, 1}),
});

}  // namespace redraft::commands
