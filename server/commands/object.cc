#include "server/commands/object.h"

#include <array>
#include <limits>
#include <optional>
#include <string>

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

namespace {

// The key at argument 2, or nullptr after null was answered.
const store::Key* find_object(Context& context) {
  const store::Key* key = context.store.find(context.db, context.argument(2));
  if (key == nullptr) context.reply.null();
  return key;
}

bool lfu_policy(const Context& context) {
  const std::optional<std::string> policy = context.store.setting("maxmemory-policy");
  return policy && policy->find("lfu") != std::string::npos;
}

}  // namespace

void object_encoding(Context& context) {
  const store::Key* key = find_object(context);
  if (key != nullptr) context.reply.bulk(key->encoding());
}

// One, but for the small integers of which Redis keeps shared objects: clients of Redis see its constant there.
void object_refcount(Context& context) {
  constexpr std::int64_t kSharedIntegers = 10000;
  const store::Key* key = find_object(context);
  if (key == nullptr) return;
  const bool shared = key->is_string() && key->is_integer() && key->integer() >= 0 && key->integer() < kSharedIntegers;
  context.reply.integer(shared ? std::numeric_limits<std::int32_t>::max() : 1);
}

void object_idletime(Context& context) {
  const store::Key* key = find_object(context);
  if (key == nullptr) return;
  if (lfu_policy(context)) {
    return context.reply.error(
        "ERR An LFU maxmemory policy is selected, idle time not tracked. Please note that when switching between "
        "policies at runtime LRU and LFU data will take some time to adjust.");
  }
  context.reply.integer(context.store.access_clock().idle_seconds(*key));
}

void object_freq(Context& context) {
  const store::Key* key = find_object(context);
  if (key == nullptr) return;
  if (!lfu_policy(context)) {
    return context.reply.error(
        "ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note that when switching "
        "between policies at runtime LRU and LFU data will take some time to adjust.");
  }
  context.reply.integer(context.store.access_clock().frequency(*key));
}

// The store counts every value's bytes as it changes, so SAMPLES has nothing to sample; it is checked all the same.
void memory_usage(Context& context) {
  for (std::size_t i = 3; i < context.argument_count(); i += 2) {
    if (!option_is(context, i, "samples") || i + 1 >= context.argument_count()) return answer_syntax_error(context);
    const std::optional<std::int64_t> samples = integer_argument(context, i + 1);
    if (!samples) return;
    if (*samples < 0) return answer_syntax_error(context);
  }
  const store::Key* key = find_object(context);
  if (key == nullptr) return;
  std::size_t bytes = key->memory();
  if (key->object() != nullptr) bytes += key->object()->memory();
  context.reply.integer(static_cast<std::int64_t>(bytes));
}

}  // namespace redraft::commands
