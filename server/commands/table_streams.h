#pragma once

#include <array>

#include "server/commands/table_line.h"

namespace redraft::commands {

// Lines of the command table, see table.cc.
inline constexpr auto kStreamCommands = std::to_array<Command>({
    // name, id, arity, flags, categories beyond the implied ones, first/last/step of the keys, handler, find_keys
    data("xack", CommandId::kXack, -4, kWrite | kFast, kStream, {1, 1, 1}),
    data("xadd", CommandId::kXadd, -5, kWrite | kDenyOom | kFast, kStream, {1, 1, 1}),
    data("xautoclaim", CommandId::kXautoclaim, -6, kWrite | kFast, kStream, {1, 1, 1}),
    data("xclaim", CommandId::kXclaim, -6, kWrite | kFast, kStream, {1, 1, 1}),
    data("xdel", CommandId::kXdel, -3, kWrite | kFast, kStream, {1, 1, 1}),
    container("xgroup", CommandId::kXgroup, 0),
    data("xgroup|create", CommandId::kXgroupCreate, -5, kWrite | kDenyOom, kStream, {2, 2, 1}),
    data("xgroup|createconsumer", CommandId::kXgroupCreateconsumer, 5, kWrite | kDenyOom, kStream, {2, 2, 1}),
    data("xgroup|delconsumer", CommandId::kXgroupDelconsumer, 5, kWrite, kStream, {2, 2, 1}),
    data("xgroup|destroy", CommandId::kXgroupDestroy, 4, kWrite, kStream, {2, 2, 1}),
    data("xgroup|help", CommandId::kXgroupHelp, 2, kLoading | kStale, kStream, {}),
    data("xgroup|setid", CommandId::kXgroupSetid, -5, kWrite, kStream, {2, 2, 1}),
    container("xinfo", CommandId::kXinfo, 0),
    data("xinfo|consumers", CommandId::kXinfoConsumers, 4, kReadonly, kStream, {2, 2, 1}),
    data("xinfo|groups", CommandId::kXinfoGroups, 3, kReadonly, kStream, {2, 2, 1}),
    data("xinfo|help", CommandId::kXinfoHelp, 2, kLoading | kStale, kStream, {}),
    data("xinfo|stream", CommandId::kXinfoStream, -3, kReadonly, kStream, {2, 2, 1}),
    data("xlen", CommandId::kXlen, 2, kReadonly | kFast, kStream, {1, 1, 1}),
    data("xpending", CommandId::kXpending, -3, kReadonly, kStream, {1, 1, 1}),
    data("xrange", CommandId::kXrange, -4, kReadonly, kStream, {1, 1, 1}),
    data("xread", CommandId::kXread, -4, kReadonly | kBlocking | kMovableKeys, kStream, {}),
    data("xreadgroup", CommandId::kXreadgroup, -7, kWrite | kBlocking | kMovableKeys, kStream, {}),
    data("xrevrange", CommandId::kXrevrange, -4, kReadonly, kStream, {1, 1, 1}),
    data("xsetid", CommandId::kXsetid, -3, kWrite | kDenyOom | kFast, kStream, {1, 1, 1}),
    data("xtrim", CommandId::kXtrim, -4, kWrite, kStream, {1, 1, 1}),
});

}  // namespace redraft::commands
