#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace redraft::commands {

class Context;

// Entries: streams.cc.
void xadd(Context& context);
void xdel(Context& context);
void xlen(Context& context);
void xrange(Context& context);
void xrevrange(Context& context);
void xsetid(Context& context);
void xtrim(Context& context);

// Reading on from an id, alone or as a group: streams_reading.cc.
void xread(Context& context);
void xreadgroup(Context& context);
// FindKeys of both.
void find_stream_keys(std::span<const std::string_view> arguments, std::vector<std::uint32_t>& positions);
// For what waits: whether an XREADGROUP with these arguments would be answered now, be it by an error.
[[nodiscard]] bool xreadgroup_is_ready(Context& context, std::span<const std::string_view> arguments);
// Whether an XREAD says BLOCK.
[[nodiscard]] bool xread_blocks(std::span<const std::string_view> arguments);

// Groups: streams_groups.cc.
void xack(Context& context);
void xgroup_create(Context& context);
void xgroup_createconsumer(Context& context);
void xgroup_delconsumer(Context& context);
void xgroup_destroy(Context& context);
void xgroup_help(Context& context);
void xgroup_setid(Context& context);

// What is pending, and who takes it over: streams_pending.cc.
void xautoclaim(Context& context);
void xclaim(Context& context);
void xpending(Context& context);

// streams_info.cc.
void xinfo_consumers(Context& context);
void xinfo_groups(Context& context);
void xinfo_help(Context& context);
void xinfo_stream(Context& context);

}  // namespace redraft::commands
