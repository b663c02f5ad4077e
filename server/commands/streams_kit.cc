#include "server/commands/streams_kit.h"

#include <algorithm>

#include "resp/number.h"
#include "server/commands/arguments.h"
#include "server/commands/keyspace.h"

namespace redraft::commands {

using store::Stream;
using store::StreamId;

namespace {

constexpr std::string_view kInvalidId = "ERR Invalid stream ID specified as stream command argument";

std::optional<StreamId> answered(Context& context, std::optional<StreamId> id) {
  if (!id) context.reply.error(kInvalidId);
  return id;
}

std::optional<StreamId> parse_id_or_edge(std::string_view text, std::uint64_t missing_seq) {
  if (text == "-") return StreamId{};
  if (text == "+") return store::kStreamIdMax;
  return parse_id(text, missing_seq);
}

}  // namespace

std::string id_text(StreamId id) {
  char text[2 * resp::kIntegerTextMax + 1];
  std::size_t size = resp::format_uint64(id.ms, text);
  text[size++] = '-';
  size += resp::format_uint64(id.seq, text + size);
  return {text, size};
}

std::string_view shown(std::string_view bytes) {
  return bytes.substr(0, bytes.find('\0'));
}

// ---- Arguments

std::optional<StreamId> parse_id(std::string_view text, std::uint64_t missing_seq) {
  constexpr std::size_t kSizeMax = 127;
  if (text.size() > kSizeMax) return std::nullopt;
  text = shown(text);
  const std::size_t dash = text.find('-');
  const std::optional<std::uint64_t> ms = resp::parse_uint64(text.substr(0, dash));
  if (!ms) return std::nullopt;
  if (dash == std::string_view::npos) return StreamId{*ms, missing_seq};
  const std::optional<std::uint64_t> seq = resp::parse_uint64(text.substr(dash + 1));
  if (!seq) return std::nullopt;
  return StreamId{*ms, *seq};
}

std::optional<StreamId> id_argument(Context& context, std::size_t i) {
  return answered(context, parse_id(context.argument(i)));
}

std::optional<StreamId> id_or_edge_argument(Context& context, std::size_t i) {
  return answered(context, parse_id_or_edge(context.argument(i), 0));
}

std::optional<StreamId> bound_argument(Context& context, std::size_t i, RangeBound bound) {
  std::string_view text = context.argument(i);
  const std::uint64_t missing_seq = bound == RangeBound::kStart ? 0 : ~std::uint64_t{0};
  if (text.size() < 2 || text.front() != '(') return answered(context, parse_id_or_edge(text, missing_seq));
  text.remove_prefix(1);
  std::optional<StreamId> id = answered(context, parse_id(text, missing_seq));
  if (!id || (bound == RangeBound::kStart ? id->increment() : id->decrement())) return id;
  context.reply.error(bound == RangeBound::kStart ? "ERR invalid start ID for the interval"
                                                  : "ERR invalid end ID for the interval");
  return std::nullopt;
}

std::optional<StreamId> position_argument(Context& context, std::size_t i, const Stream* stream) {
  if (context.argument(i) != "$") return id_argument(context, i);
  return stream == nullptr ? StreamId{} : stream->last_id();
}

namespace {

// Reads the options of one command from left to right, as Redis does.
class EntryOptionsReader {
 public:
  EntryOptionsReader(Context& context, bool adds) : context_(context), adds_(adds) {}

  std::optional<EntryOptions> read() {
    std::size_t i = 2;
    for (; i < context_.argument_count(); ++i) {
      const bool more = i + 1 < context_.argument_count();
      if (adds_ && context_.argument(i) == "*") break;
      if (more && (option_is(context_, i, "maxlen") || option_is(context_, i, "minid"))) {
        if (!read_trim(i)) return std::nullopt;
      } else if (more && option_is(context_, i, "limit")) {
        if (!read_limit(++i)) return std::nullopt;
      } else if (adds_ && option_is(context_, i, "nomkstream")) {
        options_.no_create = true;
      } else if (adds_) {
        if (!read_id(i)) return std::nullopt;
        break;
      } else {
        answer_syntax_error(context_);
        return std::nullopt;
      }
    }
    options_.id_at = i;
    if (!settle_limit()) return std::nullopt;
    return options_;
  }

 private:
  bool fail(std::string_view error) {
    context_.reply.error(error);
    return false;
  }

  // Leaves `i` at the threshold.
  bool read_trim(std::size_t& i) {
    if (options_.trim) {
      return fail("ERR syntax error, MAXLEN and MINID options at the same time are not compatible");
    }
    store::StreamTrim trim;
    const bool by_length = option_is(context_, i, "maxlen");
    trim.by = by_length ? store::StreamTrim::By::kLength : store::StreamTrim::By::kId;
    ++i;
    if (i + 1 < context_.argument_count() && (context_.argument(i) == "~" || context_.argument(i) == "=")) {
      trim.whole_nodes = context_.argument(i) == "~";
      ++i;
    }
    if (by_length) {
      const std::optional<std::int64_t> length = integer_argument(context_, i);
      if (!length) return false;
      if (*length < 0) return fail("ERR The MAXLEN argument must be >= 0.");
      trim.length = static_cast<std::uint64_t>(*length);
    } else {
      const std::optional<StreamId> id = id_argument(context_, i);
      if (!id) return false;
      trim.id = *id;
    }
    options_.trim = trim;
    return true;
  }

  bool read_limit(std::size_t i) {
    limit_ = integer_argument(context_, i);
    if (!limit_) return false;
    return *limit_ >= 0 || fail("ERR The LIMIT argument must be >= 0.");
  }

  // "ms-*" leaves the number to the stream.
  bool read_id(std::size_t i) {
    std::string_view text = shown(context_.argument(i));
    options_.id_given = true;
    options_.seq_given = !text.ends_with("-*");
    if (!options_.seq_given) text.remove_suffix(2);
    const bool plain = options_.seq_given || text.find('-') == std::string_view::npos;
    const std::optional<StreamId> id = plain ? parse_id(text) : std::nullopt;
    if (!id) return fail(kInvalidId);
    options_.id = *id;
    return true;
  }

  bool settle_limit() {
    if (limit_.value_or(0) != 0 && !options_.trim) {
      return fail("ERR syntax error, LIMIT cannot be used without specifying a trimming strategy");
    }
    if (!adds_ && !options_.trim) return fail("ERR syntax error, XTRIM must be called with a trimming strategy");
    if (limit_ && !(options_.trim && options_.trim->whole_nodes)) {
      return fail("ERR syntax error, LIMIT cannot be used without the special ~ option");
    }
    if (!options_.trim || !options_.trim->whole_nodes) return true;
    // A hundred nodes unless said otherwise, between Redis's bounds.
    constexpr std::uint64_t kNodes = 100;
    constexpr std::uint64_t kOtherwise = 10'000;
    constexpr std::uint64_t kMost = 1'000'000;
    const std::uint64_t entries = context_.store.setting_number("stream-node-max-entries", 100);
    options_.trim->limit = limit_         ? static_cast<std::uint64_t>(*limit_)
                           : entries == 0 ? kOtherwise
                                          : std::min(std::min(entries, kMost) * kNodes, kMost);
    return true;
  }

  Context& context_;
  bool adds_;
  EntryOptions options_;
  std::optional<std::int64_t> limit_;
};

}  // namespace

std::optional<EntryOptions> entry_options(Context& context, bool adds) {
  return EntryOptionsReader(context, adds).read();
}

// ---- Streams by key

bool find_stream(Context& context, std::string_view key, const Stream*& stream) {
  stream = nullptr;
  const store::Key* found = context.store.find(context.db, key);
  if (found == nullptr) return true;
  if (found->type() != store::Type::kStream) {
    context.reply.error(kWrongType);
    return false;
  }
  stream = static_cast<const Stream*>(found->object());
  return true;
}

bool find_stream_for_change(Context& context, std::string_view key, Stream*& stream) {
  stream = nullptr;
  store::Key* found = context.store.find_for_change(context.db, key);
  if (found == nullptr) return true;
  if (found->type() != store::Type::kStream) {
    context.reply.error(kWrongType);
    return false;
  }
  stream = static_cast<Stream*>(found->object());
  return true;
}

Stream& create_stream(Context& context, std::string_view key) {
  std::unique_ptr<Stream> stream = context.store.make_object<Stream>();
  Stream& made = *stream;
  context.store.put_object(context.db, key, std::move(stream), 0);
  context.notify(Event::kNew, "new", key);
  return made;
}

store::Consumer& see_consumer(Context& context, std::string_view key, store::ConsumerGroup& group,
                              std::string_view name) {
  if (store::Consumer* known = group.find_consumer(name)) {
    group.saw(*known, context.clock_ms);
    return *known;
  }
  store::Consumer& made = group.create_consumer(name, context.clock_ms);
  context.notify(Event::kStream, "xgroup-createconsumer", key);
  return made;
}

// ---- Replies

void answer_bad_subcommand(Context& context, std::string_view container) {
  constexpr std::size_t kShown = 128;
  context.reply.error("ERR unknown subcommand or wrong number of arguments for '" +
                      std::string(shown(context.argument(1)).substr(0, kShown)) + "'. Try " + std::string(container) +
                      " HELP.");
}

void answer_unknown_group(Context& context) {
  context.reply.error("NOGROUP No such consumer group '" + std::string(shown(context.argument(3))) +
                      "' for key name '" + std::string(shown(context.argument(2))) + "'");
}

void answer_id(Context& context, StreamId id) {
  context.reply.bulk(id_text(id));
}

void answer_entry(Context& context, Stream::Cursor& cursor) {
  context.reply.array(2);
  answer_id(context, cursor.id());
  const Stream::Fields fields = cursor.fields();
  context.reply.array(fields.size());
  for (const std::string_view field : fields) context.reply.bulk(field);
}

bool answer_entry_at(Context& context, const Stream& stream, StreamId id) {
  Stream::Cursor cursor(stream, id, id);
  if (!cursor.next()) return false;
  answer_entry(context, cursor);
  return true;
}

void answer_entries(Context& context, Stream::Cursor cursor, std::uint64_t count) {
  const auto whole = context.reply.defer();
  std::uint64_t entries = 0;
  Breaths breaths(context);
  while ((count == 0 || entries < count) && cursor.next()) {
    answer_entry(context, cursor);
    ++entries;
    breaths.step();
  }
  context.reply.end_array(whole, entries);
}

// ---- How far a group is

bool tombstones_from(const Stream& stream, StreamId id) {
  return stream.size() > 0 && !stream.max_deleted_id().is_zero() && id <= stream.max_deleted_id();
}

std::int64_t entries_up_to(const Stream& stream, StreamId id) {
  const auto added = static_cast<std::int64_t>(stream.entries_added());
  const auto length = static_cast<std::int64_t>(stream.size());
  if (added == 0) return 0;
  if (length == 0 && id <= stream.last_id()) return added;
  if (id == stream.last_id()) return added;
  if (id > stream.last_id()) return store::ConsumerGroup::kUnknown;
  // Nothing was deleted from the first entry on: what is missing went from the front.
  if (stream.max_deleted_id().is_zero() || stream.max_deleted_id() < stream.first_entry()) {
    if (id < stream.first_entry()) return added - length;
    if (id == stream.first_entry()) return added - length + 1;
  }
  return store::ConsumerGroup::kUnknown;
}

std::optional<std::int64_t> lag(const Stream& stream, const store::ConsumerGroup& group) {
  const auto added = static_cast<std::int64_t>(stream.entries_added());
  if (added == 0) return 0;
  if (group.entries_read() != store::ConsumerGroup::kUnknown && !tombstones_from(stream, group.last_id())) {
    return added - group.entries_read();
  }
  const std::int64_t read = entries_up_to(stream, group.last_id());
  if (read == store::ConsumerGroup::kUnknown) return std::nullopt;
  return added - read;
}

}  // namespace redraft::commands
