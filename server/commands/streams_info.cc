#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "server/commands/arguments.h"
#include "server/commands/keyspace.h"
#include "server/commands/streams.h"
#include "server/commands/streams_kit.h"

// XINFO (redis.io/commands/xinfo-stream).

namespace redraft::commands {

using store::Consumer;
using store::ConsumerGroup;
using store::Stream;
using store::StreamId;

namespace {

constexpr auto kHelp = std::to_array<std::string_view>({
    "XINFO <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
    "CONSUMERS <key> <groupname>",
    "    Show consumers of <groupname>.",
    "GROUPS <key>",
    "    Show the stream consumer groups.",
    "STREAM <key> [FULL [COUNT <count>]",
    "    Show information about the stream.",
    "HELP",
    "    Prints this help.",
});

// The stream at argument 2; nullptr when an error was answered.
const Stream* find_present(Context& context) {
  const Stream* stream = nullptr;
  if (!find_stream(context, context.argument(2), stream)) return nullptr;
  if (stream == nullptr) context.reply.error(kNoSuchKey);
  return stream;
}

void field(Context& context, std::string_view name, std::uint64_t value) {
  context.reply.bulk(name);
  context.reply.integer(static_cast<std::int64_t>(value));
}

void field(Context& context, std::string_view name, StreamId id) {
  context.reply.bulk(name);
  answer_id(context, id);
}

void field(Context& context, std::string_view name, std::string_view value) {
  context.reply.bulk(name);
  context.reply.bulk(value);
}

void field(Context& context, std::string_view name, std::optional<std::int64_t> value) {
  context.reply.bulk(name);
  value ? context.reply.integer(*value) : context.reply.null();
}

std::optional<std::int64_t> entries_read(const ConsumerGroup& group) {
  if (group.entries_read() == ConsumerGroup::kUnknown) return std::nullopt;
  return group.entries_read();
}

// How many nodes Redis's radix tree has for keys that are our nodes' first ids as 16 bytes: one for each run of bytes
// without a branch, one for each branch, one for each end (redis/redis:src/rax.c).
using IdBytes = std::array<std::uint8_t, 16>;

IdBytes bytes_of(StreamId id) {
  IdBytes bytes{};
  for (std::size_t i = 0; i < 8; ++i) {
    bytes[i] = static_cast<std::uint8_t>(id.ms >> (56 - 8 * i));
    bytes[i + 8] = static_cast<std::uint8_t>(id.seq >> (56 - 8 * i));
  }
  return bytes;
}

// Of keys in order that share their first `depth` bytes.
std::uint64_t radix_nodes_of(std::span<const IdBytes> keys, std::size_t depth) {
  if (keys.size() == 1) return depth == IdBytes().size() ? 1 : 2;
  std::size_t branch = depth;
  while (keys.front()[branch] == keys.back()[branch]) ++branch;
  std::uint64_t nodes = branch > depth ? 2 : 1;
  for (std::size_t begin = 0; begin < keys.size();) {
    std::size_t end = begin + 1;
    while (end < keys.size() && keys[end][branch] == keys[begin][branch]) ++end;
    nodes += radix_nodes_of(keys.subspan(begin, end - begin), branch + 1);
    begin = end;
  }
  return nodes;
}

std::uint64_t radix_nodes(const Stream& stream) {
  std::vector<IdBytes> keys;
  stream.for_each_node([&](StreamId first) { keys.push_back(bytes_of(first)); });
  return keys.empty() ? 1 : radix_nodes_of(keys, 0);
}

void answer_ids(Context& context, const Stream& stream) {
  field(context, "length", std::uint64_t{stream.size()});
  field(context, "radix-tree-keys", std::uint64_t{stream.node_count()});
  field(context, "radix-tree-nodes", radix_nodes(stream));
  field(context, "last-generated-id", stream.last_id());
  field(context, "max-deleted-entry-id", stream.max_deleted_id());
  field(context, "entries-added", stream.entries_added());
  field(context, "recorded-first-entry-id", stream.first_entry());
}

void answer_edge(Context& context, std::string_view name, const Stream& stream, StreamId id) {
  context.reply.bulk(name);
  if (!answer_entry_at(context, stream, id)) context.reply.null();
}

// The first `count` of a list (0: all), each as `answer_one` answers it.
template <class List, class AnswerOne>
void answer_some(Context& context, const List& list, std::uint64_t count, AnswerOne answer_one) {
  const auto whole = context.reply.defer();
  std::uint64_t answered = 0;
  Breaths breaths(context);
  list.for_each({}, [&](const auto& item) {
    if (count != 0 && answered == count) return false;
    answer_one(item);
    ++answered;
    breaths.step();
    return true;
  });
  context.reply.end_array(whole, answered);
}

void answer_full_consumer(Context& context, const ConsumerGroup& group, const Consumer& consumer, std::uint64_t count) {
  context.reply.map(5);
  field(context, "name", std::string_view(consumer.name));
  field(context, "seen-time", consumer.seen_ms);
  field(context, "active-time", static_cast<std::uint64_t>(consumer.active_ms));
  field(context, "pel-count", std::uint64_t{consumer.owned.size()});
  context.reply.bulk("pending");
  answer_some(context, consumer.owned, count, [&](const Consumer::Owned& owned) {
    const store::Delivery& delivery = *group.pending().find(owned.id);
    context.reply.array(3);
    answer_id(context, delivery.id);
    context.reply.integer(static_cast<std::int64_t>(delivery.delivered_ms));
    context.reply.integer(static_cast<std::int64_t>(delivery.count));
  });
}

void answer_full_group(Context& context, const Stream& stream, const ConsumerGroup& group, std::uint64_t count) {
  context.reply.map(7);
  field(context, "name", std::string_view(group.name()));
  field(context, "last-delivered-id", group.last_id());
  field(context, "entries-read", entries_read(group));
  field(context, "lag", lag(stream, group));
  field(context, "pel-count", std::uint64_t{group.pending().size()});
  context.reply.bulk("pending");
  answer_some(context, group.pending(), count, [&](const store::Delivery& delivery) {
    context.reply.array(4);
    answer_id(context, delivery.id);
    context.reply.bulk(delivery.consumer->name);
    context.reply.integer(static_cast<std::int64_t>(delivery.delivered_ms));
    context.reply.integer(static_cast<std::int64_t>(delivery.count));
  });
  context.reply.bulk("consumers");
  context.reply.array(group.consumers().size());
  for (const auto& [name, consumer] : group.consumers()) answer_full_consumer(context, group, *consumer, count);
}

// FULL's COUNT; nothing without FULL, and false when an error was answered.
bool full_count(Context& context, std::optional<std::uint64_t>& count) {
  constexpr std::uint64_t kDefault = 10;
  const std::size_t options = context.argument_count() - 3;
  if (options == 0) return true;
  if ((options != 1 && options != 3) || !option_is(context, 3, "full") ||
      (options == 3 && !option_is(context, 4, "count"))) {
    answer_bad_subcommand(context, "XINFO");
    return false;
  }
  count = kDefault;
  if (options == 1) return true;
  const std::optional<std::int64_t> wanted = integer_argument(context, 5);
  if (!wanted) return false;
  if (*wanted >= 0) count = static_cast<std::uint64_t>(*wanted);
  return true;
}

}  // namespace

void xinfo_help(Context& context) {
  context.reply.array(kHelp.size());
  for (const std::string_view line : kHelp) context.reply.simple(line);
}

// As in Redis the key is looked up before the options are read.
void xinfo_stream(Context& context) {
  const Stream* const stream = find_present(context);
  if (stream == nullptr) return;
  std::optional<std::uint64_t> count;
  if (!full_count(context, count)) return;
  context.reply.map(count ? 9 : 10);
  answer_ids(context, *stream);
  if (!count) {
    field(context, "groups", std::uint64_t{stream->groups().size()});
    answer_edge(context, "first-entry", *stream, stream->first_entry());
    answer_edge(context, "last-entry", *stream, stream->last_entry());
    return;
  }
  context.reply.bulk("entries");
  answer_entries(context, Stream::Cursor(*stream, {}, store::kStreamIdMax), *count);
  context.reply.bulk("groups");
  context.reply.array(stream->groups().size());
  for (const auto& [name, group] : stream->groups()) answer_full_group(context, *stream, *group, *count);
}

void xinfo_groups(Context& context) {
  const Stream* const stream = find_present(context);
  if (stream == nullptr) return;
  context.reply.array(stream->groups().size());
  for (const auto& [name, group] : stream->groups()) {
    context.reply.map(6);
    field(context, "name", std::string_view(name));
    field(context, "consumers", std::uint64_t{group->consumers().size()});
    field(context, "pending", std::uint64_t{group->pending().size()});
    field(context, "last-delivered-id", group->last_id());
    field(context, "entries-read", entries_read(*group));
    field(context, "lag", lag(*stream, *group));
  }
}

void xinfo_consumers(Context& context) {
  const Stream* const stream = find_present(context);
  if (stream == nullptr) return;
  const ConsumerGroup* const group = stream->find_group(context.argument(3));
  if (group == nullptr) return answer_unknown_group(context);
  context.reply.array(group->consumers().size());
  for (const auto& [name, consumer] : group->consumers()) {
    const auto now = static_cast<std::int64_t>(context.clock_ms);
    const std::int64_t idle = now - static_cast<std::int64_t>(consumer->seen_ms);
    context.reply.map(4);
    field(context, "name", name);
    field(context, "pending", std::uint64_t{consumer->owned.size()});
    field(context, "idle", static_cast<std::uint64_t>(std::max<std::int64_t>(idle, 0)));
    field(context, "inactive", std::optional<std::int64_t>(consumer->active_ms == -1 ? -1 : now - consumer->active_ms));
  }
}

}  // namespace redraft::commands
