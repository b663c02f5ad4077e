#pragma once

#include <array>

#include "server/commands/streams.h"
#include "server/commands/table_line.h"

namespace redraft::commands {

// Lines of the command table, see table.cc.
inline constexpr auto kStreamCommands = std::to_array<Command>({
    // name, id, arity, flags, categories beyond the implied ones, first/last/step of the keys, handler, find_keys
    data("xack", CommandId::kXack, -4, kWrite | kFast, kStream, {1, 1, 1}, &xack),
    data("xadd", CommandId::kXadd, -5, kWrite | kDenyOom | kFast, kStream, {1, 1, 1}, &xadd),
    data("xautoclaim", CommandId::kXautoclaim, -6, kWrite | kFast, kStream, {1, 1, 1}, &xautoclaim),
    data("xclaim", CommandId::kXclaim, -6, kWrite | kFast, kStream, {1, 1, 1}, &xclaim),
    data("xdel", CommandId::kXdel, -3, kWrite | kFast, kStream, {1, 1, 1}, &xdel),
    container("xgroup", CommandId::kXgroup, 0),
    data("xgroup|create", CommandId::kXgroupCreate, -5, kWrite | kDenyOom, kStream, {2, 2, 1}, &xgroup_create),
    data("xgroup|createconsumer", CommandId::kXgroupCreateconsumer, 5, kWrite | kDenyOom, kStream, {2, 2, 1},
         &xgroup_createconsumer),
    data("xgroup|delconsumer", CommandId::kXgroupDelconsumer, 5, kWrite, kStream, {2, 2, 1}, &xgroup_delconsumer),
    data("xgroup|destroy", CommandId::kXgroupDestroy, 4, kWrite, kStream, {2, 2, 1}, &xgroup_destroy),
    data("xgroup|help", CommandId::kXgroupHelp, 2, kLoading | kStale, kStream, {}, &xgroup_help),
    data("xgroup|setid", CommandId::kXgroupSetid, -5, kWrite, kStream, {2, 2, 1}, &xgroup_setid),
    container("xinfo", CommandId::kXinfo, 0),
    data("xinfo|consumers", CommandId::kXinfoConsumers, 4, kReadonly, kStream, {2, 2, 1}, &xinfo_consumers),
    data("xinfo|groups", CommandId::kXinfoGroups, 3, kReadonly, kStream, {2, 2, 1}, &xinfo_groups),
    data("xinfo|help", CommandId::kXinfoHelp, 2, kLoading | kStale, kStream, {}, &xinfo_help),
    data("xinfo|stream", CommandId::kXinfoStream, -3, kReadonly, kStream, {2, 2, 1}, &xinfo_stream),
    data("xlen", CommandId::kXlen, 2, kReadonly | kFast, kStream, {1, 1, 1}, &xlen),
    data("xpending", CommandId::kXpending, -3, kReadonly, kStream, {1, 1, 1}, &xpending),
    data("xrange", CommandId::kXrange, -4, kReadonly, kStream, {1, 1, 1}, &xrange),
    data("xread", CommandId::kXread, -4, kReadonly | kBlocking, kStream, {}, &xread, &find_stream_keys),
    data("xreadgroup", CommandId::kXreadgroup, -7, kWrite | kBlocking, kStream, {}, &xreadgroup, &find_stream_keys),
    data("xrevrange", CommandId::kXrevrange, -4, kReadonly, kStream, {1, 1, 1}, &xrevrange),
    data("xsetid", CommandId::kXsetid, -3, kWrite | kDenyOom | kFast, kStream, {1, 1, 1}, &xsetid),
    data("xtrim", CommandId::kXtrim, -4, kWrite, kStream, {1, 1, 1}, &xtrim),
});

}  // namespace redraft::commands
