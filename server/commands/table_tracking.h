#pragma once

#include <array>

#include "server/commands/table_line.h"

namespace redraft::commands {

// Lines of the command table, see table.cc.
inline constexpr auto kTrackingCommands = std::to_array<Command>({
    // name, id, arity, flags, categories beyond the implied ones, first/last/step of the keys, handler, find_keys
    local("client|caching", CommandId::kClientCaching, 3, kNoScript | kLoading | kStale, kConnection, {}),
    local("client|tracking", CommandId::kClientTracking, -3, kNoScript | kLoading | kStale, kConnection, {}),
    local("client|trackinginfo", CommandId::kClientTrackinginfo, 2, kNoScript | kLoading | kStale, kConnection, {}),
});

}  // namespace redraft::commands
