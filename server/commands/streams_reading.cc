#include <optional>
#include <string>
#include <vector>

#include "server/commands/arguments.h"
#include "server/commands/keyspace.h"
#include "server/commands/streams.h"
#include "server/commands/streams_kit.h"
#include "server/commands/waiters.h"

// XREAD and XREADGROUP. The first is a read: with BLOCK it waits on its own node, without an entry. The second changes
// its group whatever it answers, so it is a write, and who waits in it is replicated state (redis-semantics,
// "Blocking").

namespace redraft::commands {

using store::ConsumerGroup;
using store::Stream;
using store::StreamId;

namespace {

// How many arguments an option takes, or nothing where the options end or make no sense.
std::optional<std::size_t> size_of_option(std::string_view option) {
  if (equals_ignoring_case(option, "block") || equals_ignoring_case(option, "count")) return 1;
  if (equals_ignoring_case(option, "group")) return 2;
  if (equals_ignoring_case(option, "noack")) return 0;
  return std::nullopt;
}

struct ReadOptions {
  std::optional<std::uint64_t> timeout_ms;  // BLOCK; 0: for ever
  std::uint64_t count = 0;                  // 0: all
  bool no_ack = false;
  bool grouped = false;
  std::string_view group;
  std::string_view consumer;
  std::size_t first_key = 0;
  std::size_t streams = 0;

  [[nodiscard]] std::size_t id_at(std::size_t stream) const { return first_key + streams + stream; }
};

class ReadOptionsReader {
 public:
  ReadOptionsReader(Context& context, bool grouped) : context_(context) { options_.grouped = grouped; }

  std::optional<ReadOptions> read() {
    for (std::size_t i = 1; i < context_.argument_count() && options_.first_key == 0; ++i) {
      if (!read_option(i)) return std::nullopt;
    }
    if (options_.first_key == 0) return fail(kSyntaxError), std::nullopt;
    if (options_.grouped && !has_group_) return fail("ERR Missing GROUP option for XREADGROUP"), std::nullopt;
    return options_;
  }

 private:
  bool fail(std::string_view error) {
    context_.reply.error(error);
    return false;
  }

  // Leaves `i` at the option's last argument.
  bool read_option(std::size_t& i) {
    const std::size_t behind = context_.argument_count() - i - 1;
    if (option_is(context_, i, "block") && behind > 0) return read_timeout(++i);
    if (option_is(context_, i, "count") && behind > 0) return read_count(++i);
    if (option_is(context_, i, "streams") && behind > 0) return read_streams(i + 1);
    if (option_is(context_, i, "group") && behind >= 2) {
      if (!options_.grouped) {
        return fail("ERR The GROUP option is only supported by XREADGROUP. You called XREAD instead.");
      }
      has_group_ = true;
      options_.group = context_.argument(i + 1);
      options_.consumer = context_.argument(i + 2);
      i += 2;
      return true;
    }
    if (!option_is(context_, i, "noack")) return fail(kSyntaxError);
    if (!options_.grouped) {
      return fail("ERR The NOACK option is only supported by XREADGROUP. You called XREAD instead.");
    }
    options_.no_ack = true;
    return true;
  }

  bool read_timeout(std::size_t i) {
    if (context_.from_script) {
      return fail(std::string("ERR ") + std::string(shown(context_.argument(0))) +
                  " command is not allowed with BLOCK option from scripts");
    }
    const std::optional<std::int64_t> timeout =
        integer_argument(context_, i, "ERR timeout is not an integer or out of range");
    if (!timeout) return false;
    if (*timeout < 0) return fail("ERR timeout is negative");
    if (static_cast<std::uint64_t>(*timeout) > static_cast<std::uint64_t>(kInt64Max) - context_.clock_ms) {
      return fail("ERR timeout is out of range");
    }
    options_.timeout_ms = static_cast<std::uint64_t>(*timeout);
    return true;
  }

  bool read_count(std::size_t i) {
    const std::optional<std::int64_t> count = integer_argument(context_, i);
    if (!count) return false;
    options_.count = *count < 0 ? 0 : static_cast<std::uint64_t>(*count);
    return true;
  }

  bool read_streams(std::size_t first_key) {
    const std::size_t left = context_.argument_count() - first_key;
    if (left % 2 != 0) {
      return fail(options_.grouped ? "ERR Unbalanced 'xreadgroup' list of streams: for each stream key an ID or '>' "
                                     "must be specified."
                                   : "ERR Unbalanced 'xread' list of streams: for each stream key an ID or '$' must be "
                                     "specified.");
    }
    options_.first_key = first_key;
    options_.streams = left / 2;
    return true;
  }

  Context& context_;
  ReadOptions options_;
  bool has_group_ = false;
};

std::string no_group(std::string_view key, std::string_view group) {
  return "NOGROUP No such key '" + std::string(shown(key)) + "' or consumer group '" + std::string(shown(group)) +
         "' in XREADGROUP with GROUP option";
}

// The array of what was read, one stream after the other: in RESP3 a map, in RESP2 pairs.
class ReadReply {
 public:
  explicit ReadReply(resp::Writer& reply) : reply_(reply), whole_(reply.defer()) {}
  void begin(std::string_view key) {
    if (!reply_.resp3()) reply_.array(2);
    reply_.bulk(key);
    ++streams_;
  }
  // False, and nothing written, when no stream had anything.
  bool end() {
    if (streams_ == 0) return false;
    reply_.resp3() ? reply_.end_map(whole_, streams_) : reply_.end_array(whole_, streams_);
    return true;
  }

 private:
  resp::Writer& reply_;
  resp::Writer::Deferred whole_;
  std::size_t streams_ = 0;
};

// ---- XREAD

// Where each stream is read from; an error is answered.
std::optional<std::vector<StreamId>> starts_of(Context& context, const ReadOptions& options) {
  std::vector<StreamId> starts;
  for (std::size_t i = 0; i < options.streams; ++i) {
    const Stream* stream = nullptr;
    if (!find_stream(context, context.argument(options.first_key + i), stream)) return std::nullopt;
    if (context.argument(options.id_at(i)) == ">") {
      context.reply.error(
          "ERR The > ID can be specified only when calling XREADGROUP using the GROUP <group> <consumer> option.");
      return std::nullopt;
    }
    const std::optional<StreamId> start = position_argument(context, options.id_at(i), stream);
    if (!start) return std::nullopt;
    starts.push_back(*start);
  }
  return starts;
}

// The command as it is to be run again: "$" meant the last id of this moment.
void wait_for_entries(Context& context, const ReadOptions& options, const std::vector<StreamId>& starts) {
  ReadWait& wait = *context.read_wait;
  wait.timeout_ms = *options.timeout_ms;
  wait.arguments.assign(context.arguments.begin(), context.arguments.end());
  for (std::size_t i = 0; i < options.streams; ++i) {
    wait.keys.emplace_back(context.argument(options.first_key + i));
    if (context.argument(options.id_at(i)) == "$") wait.arguments[options.id_at(i)] = id_text(starts[i]);
  }
  context.blocked = true;
}

// ---- XREADGROUP

// One stream of an XREADGROUP. `history`: what is pending for the consumer behind an id; else, what is new.
struct GroupRead {
  Stream& stream;
  ConsumerGroup& group;
  store::Consumer& consumer;
  std::uint64_t count = 0;
  bool no_ack = false;
};

// The group has read up to this entry. How many that were is known as long as nothing was deleted between
// (redis/redis:src/t_stream.c, streamReplyWithRange).
void advance(const Stream& stream, ConsumerGroup& group, StreamId id) {
  if (id <= group.last_id()) return;
  std::int64_t read = group.entries_read();
  if (read != ConsumerGroup::kUnknown && !tombstones_from(stream, id)) {
    ++read;
  } else if (stream.entries_added() > 0) {
    read = entries_up_to(stream, id);
  }
  group.set_position(id, read);
}

void answer_new(Context& context, const GroupRead& read) {
  StreamId start = read.group.last_id();
  start.increment();
  const auto whole = context.reply.defer();
  std::uint64_t entries = 0;
  Breaths breaths(context);
  Stream::Cursor cursor(read.stream, start, store::kStreamIdMax);
  while ((read.count == 0 || entries < read.count) && cursor.next()) {
    advance(read.stream, read.group, cursor.id());
    answer_entry(context, cursor);
    if (!read.no_ack) {
      // XGROUP SETID may have gone back: the entry may be pending for somebody already, and changes hands.
      read.group.deliver(cursor.id(), read.consumer, context.clock_ms, 1);
      read.group.served(read.consumer, context.clock_ms);
    }
    ++entries;
    breaths.step();
  }
  context.reply.end_array(whole, entries);
}

// What was delivered to the consumer and not acknowledged, delivered once more. An entry that was deleted meanwhile is
// named, with null for its fields.
void answer_history(Context& context, const GroupRead& read, StreamId after) {
  const auto whole = context.reply.defer();
  std::uint64_t entries = 0;
  Breaths breaths(context);
  after.increment();
  read.consumer.owned.for_each(after, [&](const store::Consumer::Owned& owned) {
    if (read.count != 0 && entries == read.count) return false;
    if (answer_entry_at(context, read.stream, owned.id)) {
      const std::uint64_t count = read.group.pending().find(owned.id)->count;
      read.group.deliver(owned.id, read.consumer, context.clock_ms, count + 1);
    } else {
      context.reply.array(2);
      answer_id(context, owned.id);
      context.reply.null_array();
    }
    ++entries;
    breaths.step();
    return true;
  });
  context.reply.end_array(whole, entries);
}

// Redis takes the last id of all for ">".
constexpr StreamId kNew = store::kStreamIdMax;

// The ids, having checked that all streams and groups are there; an error is answered.
std::optional<std::vector<StreamId>> group_starts_of(Context& context, const ReadOptions& options) {
  std::vector<StreamId> starts;
  for (std::size_t i = 0; i < options.streams; ++i) {
    const std::string_view key = context.argument(options.first_key + i);
    const std::string_view id = context.argument(options.id_at(i));
    const Stream* stream = nullptr;
    if (!find_stream(context, key, stream)) return std::nullopt;
    if (stream == nullptr || stream->find_group(options.group) == nullptr) {
      context.reply.error(no_group(key, options.group));
      return std::nullopt;
    }
    if (id == "$") {
      context.reply.error(
          "ERR The $ ID is meaningless in the context of XREADGROUP: you want to read the history of this consumer by "
          "specifying a proper ID, or use the > ID to get new messages. The $ ID would just return an empty result "
          "set.");
      return std::nullopt;
    }
    const std::optional<StreamId> start = id == ">" ? kNew : id_argument(context, options.id_at(i));
    if (!start) return std::nullopt;
    starts.push_back(*start);
  }
  return starts;
}

bool has_new(const Stream& stream, const ConsumerGroup& group) {
  return stream.size() > 0 && stream.last_entry() > group.last_id();
}

}  // namespace

void xread(Context& context) {
  const std::optional<ReadOptions> options = ReadOptionsReader(context, false).read();
  if (!options) return;
  const std::optional<std::vector<StreamId>> starts = starts_of(context, *options);
  if (!starts) return;
  ReadReply reply(context.reply);
  for (std::size_t i = 0; i < options->streams; ++i) {
    const std::string_view key = context.argument(options->first_key + i);
    const Stream* stream = nullptr;
    if (!find_stream(context, key, stream)) return;
    if (stream == nullptr || stream->size() == 0 || stream->last_entry() <= (*starts)[i]) continue;
    StreamId start = (*starts)[i];
    start.increment();
    reply.begin(key);
    answer_entries(context, Stream::Cursor(*stream, start, store::kStreamIdMax), options->count);
  }
  if (reply.end()) return;
  if (!options->timeout_ms || context.read_wait == nullptr) return context.reply.null_array();
  wait_for_entries(context, *options, *starts);
}

void xreadgroup(Context& context) {
  const std::optional<ReadOptions> options = ReadOptionsReader(context, true).read();
  if (!options) return;
  const std::optional<std::vector<StreamId>> starts = group_starts_of(context, *options);
  if (!starts) return;
  ReadReply reply(context.reply);
  for (std::size_t i = 0; i < options->streams; ++i) {
    const std::string_view key = context.argument(options->first_key + i);
    Stream* stream = nullptr;
    if (!find_stream_for_change(context, key, stream)) return;
    ConsumerGroup& group = *stream->find_group(options->group);
    store::Consumer& consumer = see_consumer(context, key, group, options->consumer);
    const GroupRead read{*stream, group, consumer, options->count, options->no_ack};
    if ((*starts)[i] != kNew) {
      reply.begin(key);
      answer_history(context, read, (*starts)[i]);
    } else if (has_new(*stream, group)) {
      reply.begin(key);
      answer_new(context, read);
    }
  }
  if (reply.end()) return;
  if (!options->timeout_ms || !context.may_block) return context.reply.null_array();
  wait_for_keys(context, options->first_key, options->first_key + options->streams, *options->timeout_ms);
}

// Half of what stands behind STREAMS, as the key specification says, whether or not ids are missing.
void find_stream_keys(std::span<const std::string_view> arguments, std::vector<std::uint32_t>& positions) {
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    if (equals_ignoring_case(arguments[i], "streams")) {
      const std::size_t left = arguments.size() - i - 1;
      for (std::size_t key = i + 1; key <= i + left / 2; ++key) positions.push_back(static_cast<std::uint32_t>(key));
      return;
    }
    const std::optional<std::size_t> size = size_of_option(arguments[i]);
    if (!size) return;
    i += *size;
  }
}

bool xread_blocks(std::span<const std::string_view> arguments) {
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    if (equals_ignoring_case(arguments[i], "block")) return true;
    const std::optional<std::size_t> size = size_of_option(arguments[i]);
    if (!size) return false;
    i += *size;
  }
  return false;
}

bool xreadgroup_is_ready(Context& context, std::span<const std::string_view> arguments) {
  // It waits, so it has a group, and as many ids as keys, and none of them asks for history.
  std::string_view name;
  for (std::size_t i = 1; i < arguments.size(); i += 1 + size_of_option(arguments[i]).value_or(0)) {
    if (equals_ignoring_case(arguments[i], "group")) name = arguments[i + 1];
    if (equals_ignoring_case(arguments[i], "streams")) break;
  }
  std::vector<std::uint32_t> positions;
  find_stream_keys(arguments, positions);
  for (const std::uint32_t position : positions) {
    const store::Key* key = context.store.find(context.db, arguments[position]);
    if (key == nullptr || key->type() != store::Type::kStream) return true;
    const auto& stream = static_cast<const Stream&>(*key->object());
    const ConsumerGroup* group = stream.find_group(name);
    if (group == nullptr || has_new(stream, *group)) return true;
  }
  return false;
}

}  // namespace redraft::commands
