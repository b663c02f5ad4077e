#include <array>
#include <optional>
#include <string>
#include <vector>

#include "server/commands/arguments.h"
#include "server/commands/keyspace.h"
#include "server/commands/streams.h"
#include "server/commands/streams_kit.h"

// XGROUP and XACK (redis.io/commands/?group=stream).

namespace redraft::commands {

using store::ConsumerGroup;
using store::Stream;
using store::StreamId;

namespace {

constexpr auto kHelp = std::to_array<std::string_view>({
    "XGROUP <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
    "CREATE <key> <groupname> <id|$> [option]",
    "    Create a new consumer group. Options are:",
    "    * MKSTREAM",
    "      Create the empty stream if it does not exist.",
    "    * ENTRIESREAD entries_read",
    "      Set the group's entries_read counter (internal use).",
    "CREATECONSUMER <key> <groupname> <consumer>",
    "    Create a new consumer in the specified group.",
    "DELCONSUMER <key> <groupname> <consumer>",
    "    Remove the specified consumer.",
    "DESTROY <key> <groupname>",
    "    Remove the specified group.",
    "SETID <key> <groupname> <id|$> [ENTRIESREAD entries_read]",
    "    Set the current group ID and entries_read counter.",
    "HELP",
    "    Prints this help.",
});

struct GroupOptions {
  bool make_stream = false;
  std::int64_t entries_read = ConsumerGroup::kUnknown;
};

// What stands behind the id; `creates` permits MKSTREAM.
std::optional<GroupOptions> group_options(Context& context, bool creates) {
  GroupOptions options;
  for (std::size_t i = 5; i < context.argument_count(); ++i) {
    if (creates && option_is(context, i, "mkstream")) {
      options.make_stream = true;
      continue;
    }
    if (!option_is(context, i, "entriesread") || i + 1 == context.argument_count()) {
      answer_bad_subcommand(context, "XGROUP");
      return std::nullopt;
    }
    const std::optional<std::int64_t> read = integer_argument(context, ++i);
    if (!read) return std::nullopt;
    if (*read < 0 && *read != ConsumerGroup::kUnknown) {
      context.reply.error("ERR value for ENTRIESREAD must be positive or -1");
      return std::nullopt;
    }
    options.entries_read = *read;
  }
  return options;
}

// The stream at argument 2; false when an error was answered. Absent ones are an error unless `may_miss`.
bool find_group_stream(Context& context, bool may_miss, Stream*& stream) {
  if (!find_stream_for_change(context, context.argument(2), stream)) return false;
  if (stream != nullptr || may_miss) return true;
  context.reply.error(
      "ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use the MKSTREAM "
      "option to create an empty stream automatically.");
  return false;
}

// The group at argument 3 of the stream at argument 2; nullptr when an error was answered.
ConsumerGroup* find_group(Context& context, Stream*& stream) {
  if (!find_group_stream(context, false, stream)) return nullptr;
  ConsumerGroup* const group = stream->find_group(context.argument(3));
  if (group == nullptr) answer_unknown_group(context);
  return group;
}

}  // namespace

void xgroup_help(Context& context) {
  context.reply.array(kHelp.size());
  for (const std::string_view line : kHelp) context.reply.simple(line);
}

void xgroup_create(Context& context) {
  const std::optional<GroupOptions> options = group_options(context, true);
  if (!options) return;
  const std::string_view key = context.argument(2);
  Stream* stream = nullptr;
  if (!find_group_stream(context, options->make_stream, stream)) return;
  if (context.argument_count() > 8) return answer_bad_subcommand(context, "XGROUP");
  const std::optional<StreamId> id = position_argument(context, 4, stream);
  if (!id) return;
  if (stream == nullptr) {
    stream = &create_stream(context, key);
    changed(context, key);
  }
  if (stream->find_group(context.argument(3)) != nullptr) {
    return context.reply.error("BUSYGROUP Consumer Group name already exists");
  }
  stream->create_group(context.argument(3), *id, options->entries_read);
  context.reply.ok();
  context.notify(Event::kStream, "xgroup-create", key);
}

void xgroup_setid(Context& context) {
  const std::optional<GroupOptions> options = group_options(context, false);
  if (!options) return;
  Stream* stream = nullptr;
  ConsumerGroup* const group = find_group(context, stream);
  if (group == nullptr) return;
  if (context.argument_count() > 7) return answer_bad_subcommand(context, "XGROUP");
  const std::optional<StreamId> id = context.argument(4) == "$" ? stream->last_id() : id_or_edge_argument(context, 4);
  if (!id) return;
  group->set_position(*id, options->entries_read);
  context.reply.ok();
  context.notify(Event::kStream, "xgroup-setid", context.argument(2));
}

void xgroup_destroy(Context& context) {
  const std::string_view key = context.argument(2);
  Stream* stream = nullptr;
  if (!find_group_stream(context, false, stream)) return;
  ConsumerGroup* const group = stream->find_group(context.argument(3));
  if (group == nullptr) return context.reply.integer(0);
  stream->destroy_group(*group, context.breather);
  context.reply.integer(1);
  context.notify(Event::kStream, "xgroup-destroy", key);
  // Who waits in XREADGROUP is told that there is no group any more.
  if (context.store.waiters().any()) context.store.waiters().mark_ready(context.db, key);
}

void xgroup_createconsumer(Context& context) {
  Stream* stream = nullptr;
  ConsumerGroup* const group = find_group(context, stream);
  if (group == nullptr) return;
  if (group->find_consumer(context.argument(4)) != nullptr) return context.reply.integer(0);
  see_consumer(context, context.argument(2), *group, context.argument(4));
  context.reply.integer(1);
}

void xgroup_delconsumer(Context& context) {
  Stream* stream = nullptr;
  ConsumerGroup* const group = find_group(context, stream);
  if (group == nullptr) return;
  store::Consumer* const consumer = group->find_consumer(context.argument(4));
  if (consumer == nullptr) return context.reply.integer(0);
  const std::uint64_t pending = group->remove_consumer(*consumer, context.breather);
  context.notify(Event::kStream, "xgroup-delconsumer", context.argument(2));
  context.reply.integer(static_cast<std::int64_t>(pending));
}

void xack(Context& context) {
  Stream* stream = nullptr;
  if (!find_stream_for_change(context, context.argument(1), stream)) return;
  ConsumerGroup* const group = stream == nullptr ? nullptr : stream->find_group(context.argument(2));
  if (group == nullptr) return context.reply.integer(0);
  std::vector<StreamId> ids;
  for (std::size_t i = 3; i < context.argument_count(); ++i) {
    const std::optional<StreamId> id = id_argument(context, i);
    if (!id) return;
    ids.push_back(*id);
  }
  std::int64_t acknowledged = 0;
  Breaths breaths(context);
  for (const StreamId id : ids) {
    if (group->acknowledge(id)) ++acknowledged;
    breaths.step();
  }
  context.reply.integer(acknowledged);
}

}  // namespace redraft::commands
