#pragma once

#include <array>

#include "server/commands/hashes.h"
#include "server/commands/scan.h"
#include "server/commands/table_line.h"

namespace redraft::commands {

// Lines of the command table, see table.cc.
inline constexpr auto kHashCommands = std::to_array<Command>({
    // name, id, arity, flags, categories beyond the implied ones, first/last/step of the keys, handler, find_keys
    data("hdel", CommandId::kHdel, -3, kWrite | kFast, kHash, {1, 1, 1}, hdel),
    data("hexists", CommandId::kHexists, 3, kReadonly | kFast, kHash, {1, 1, 1}, hexists),
    data("hget", CommandId::kHget, 3, kReadonly | kFast, kHash, {1, 1, 1}, hget),
    data("hgetall", CommandId::kHgetall, 2, kReadonly, kHash, {1, 1, 1}, hgetall),
    data("hincrby", CommandId::kHincrby, 4, kWrite | kDenyOom | kFast, kHash, {1, 1, 1}, hincrby),
    data("hincrbyfloat", CommandId::kHincrbyfloat, 4, kWrite | kDenyOom | kFast, kHash, {1, 1, 1}, hincrbyfloat),
    data("hkeys", CommandId::kHkeys, 2, kReadonly, kHash, {1, 1, 1}, hkeys),
    data("hlen", CommandId::kHlen, 2, kReadonly | kFast, kHash, {1, 1, 1}, hlen),
    data("hmget", CommandId::kHmget, -3, kReadonly | kFast, kHash, {1, 1, 1}, hmget),
    data("hmset", CommandId::kHmset, -4, kWrite | kDenyOom | kFast, kHash, {1, 1, 1}, hmset),
    data("hrandfield", CommandId::kHrandfield, -2, kReadonly, kHash, {1, 1, 1}, hrandfield),
    data("hscan", CommandId::kHscan, -3, kReadonly, kHash, {1, 1, 1}, hscan),
    data("hset", CommandId::kHset, -4, kWrite | kDenyOom | kFast, kHash, {1, 1, 1}, hset),
    data("hsetnx", CommandId::kHsetnx, 4, kWrite | kDenyOom | kFast, kHash, {1, 1, 1}, hsetnx),
    data("hstrlen", CommandId::kHstrlen, 3, kReadonly | kFast, kHash, {1, 1, 1}, hstrlen),
    data("hvals", CommandId::kHvals, 2, kReadonly, kHash, {1, 1, 1}, hvals),
});

}  // namespace redraft::commands
