#pragma once

#include <array>

#include "server/commands/table_line.h"

namespace redraft::commands {

// Lines of the command table, see table.cc.
inline constexpr auto kServerCommands = std::to_array<Command>({
    // name, id, arity, flags, categories beyond the implied ones, first/last/step of the keys, handler, find_keys
    local("config|rewrite", CommandId::kConfigRewrite, 2, kAdmin | kNoScript | kLoading | kStale, 0, {}),
    local("lolwut", CommandId::kLolwut, -1, kReadonly | kFast, 0, {}),
    local("memory|doctor", CommandId::kMemoryDoctor, 2, 0, 0, {}),
    local("memory|malloc-stats", CommandId::kMemoryMallocStats, 2, 0, 0, {}),
    local("memory|purge", CommandId::kMemoryPurge, 2, 0, 0, {}),
    local("memory|stats", CommandId::kMemoryStats, 2, 0, 0, {}),
    local("monitor", CommandId::kMonitor, 1, kAdmin | kNoScript | kLoading | kStale, 0, {}),
});

}  // namespace redraft::commands
