#pragma once

#include <array>

#include "server/commands/hyperloglogs.h"
#include "server/commands/table_line.h"

namespace redraft::commands {

// Lines of the command table, see table.cc.
inline constexpr auto kHyperLogLogCommands = std::to_array<Command>({
    // name, id, arity, flags, categories beyond the implied ones, first/last/step of the keys, handler, find_keys
    data("pfadd", CommandId::kPfadd, -2, kWrite | kDenyOom | kFast, kHyperLogLog, {1, 1, 1}, &pfadd),
    data("pfcount", CommandId::kPfcount, -2, kReadonly, kHyperLogLog, {1, -1, 1}, &pfcount),
    data("pfdebug", CommandId::kPfdebug, 3, kWrite | kDenyOom | kAdmin, kHyperLogLog, {2, 2, 1}, &pfdebug),
    data("pfmerge", CommandId::kPfmerge, -2, kWrite | kDenyOom, kHyperLogLog, {1, -1, 1}, &pfmerge),
    data("pfselftest", CommandId::kPfselftest, 1, kAdmin, kHyperLogLog, {}, &pfselftest),
});

}  // namespace redraft::commands
