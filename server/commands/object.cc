#include "server/commands/object.h"

#include <array>
#include <optional>

#include "server/commands/arguments.h"
#include "server/commands/keyspace.h"

namespace redraft::commands {

namespace {

constexpr auto kObjectHelp = std::to_array<std::string_view>({
    "OBJECT <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
    "ENCODING <key>",
    "    Return the kind of internal representation used in order to store the value",
    "    associated with a <key>.",
    "FREQ <key>",
    "    Return the access frequency index of the <key>. The returned integer is",
    "    proportional to the logarithm of the recent access frequency of the key.",
    "IDLETIME <key>",
    "    Return the idle time of the <key>, that is the approximated number of",
    "    seconds elapsed since the last access to the key.",
    "REFCOUNT <key>",
    "    Return the number of references of the value associated with the specified",
    "    <key>.",
    "HELP",
    "    Prints this help.",
});

constexpr auto kMemoryHelp = std::to_array<std::string_view>({
    "MEMORY <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
    "DOCTOR",
    "    Return memory problems reports.",
    "MALLOC-STATS",
    "    Return internal statistics report from the memory allocator.",
    "PURGE",
    "    Attempt to purge dirty pages for reclamation by the allocator.",
    "STATS",
    "    Return information about the memory usage of the server.",
    "USAGE <key> [SAMPLES <count>]",
    "    Return memory in bytes used by <key> and its value. Nested values are",
    "    sampled up to <count> times (default: 5, 0 means sample all).",
    "HELP",
    "    Prints this help.",
});

template <std::size_t kCount>
void answer_help(Context& context, const std::array<std::string_view, kCount>& lines) {
  context.reply.array(lines.size());
  for (const std::string_view line : lines) context.reply.simple(line);
}

}  // namespace

void object_help(Context& context) {
  answer_help(context, kObjectHelp);
}

void memory_help(Context& context) {
  answer_help(context, kMemoryHelp);
}
