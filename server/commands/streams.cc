#include "server/commands/streams.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "server/commands/arguments.h"
#include "server/commands/keyspace.h"
#include "server/commands/streams_kit.h"

namespace redraft::commands {

using store::Stream;
using store::StreamId;

namespace {

// The id of the next entry, or nothing when it would not be above the last one. "*" takes the logical clock, which may
// be behind what a client has given (redis.io/commands/xadd).
std::optional<StreamId> next_id(const Context& context, const EntryOptions& options, StreamId last) {
  StreamId id = options.id;
  if (!options.id_given) {
    id = {context.clock_ms, 0};
    if (id <= last) {
      id = last;
      if (!id.increment()) return std::nullopt;
    }
  } else if (!options.seq_given && id.ms == last.ms) {
    if (last.seq == store::kStreamIdMax.seq) return std::nullopt;
    id.seq = last.seq + 1;
  }
  if (id <= last) return std::nullopt;
  return id;
}

// Checks what XADD refuses; nothing when it has answered.
std::optional<StreamId> checked_id(Context& context, const EntryOptions& options, const Stream* stream,
                                   Stream::Fields fields) {
  constexpr std::size_t kEntryMax = std::size_t{1} << 30;  // STREAM_LISTPACK_MAX_SIZE of redis/redis:src/t_stream.c
  const StreamId last = stream == nullptr ? StreamId{} : stream->last_id();
  if (last == store::kStreamIdMax) {
    context.reply.error("ERR The stream has exhausted the last possible ID, unable to add more items");
    return std::nullopt;
  }
  const std::optional<StreamId> id = next_id(context, options, last);
  if (!id) {
    context.reply.error("ERR The ID specified in XADD is equal or smaller than the target stream top item");
    return std::nullopt;
  }
  std::size_t bytes = 0;
  for (const std::string_view field : fields) bytes += field.size();
  if (bytes > kEntryMax) {
    context.reply.error("ERR Elements are too large to be stored");
    return std::nullopt;
  }
  return id;
}

// The ids from `first` to the last argument; nothing when one was answered with an error.
std::optional<std::vector<StreamId>> ids_from(Context& context, std::size_t first) {
  std::vector<StreamId> ids;
  for (std::size_t i = first; i < context.argument_count(); ++i) {
    const std::optional<StreamId> id = id_argument(context, i);
    if (!id) return std::nullopt;
    ids.push_back(*id);
  }
  return ids;
}

void answer_range(Context& context, std::size_t start_at, std::size_t end_at, Stream::Cursor::Direction direction) {
  const std::optional<StreamId> start = bound_argument(context, start_at, RangeBound::kStart);
  if (!start) return;
  const std::optional<StreamId> end = bound_argument(context, end_at, RangeBound::kEnd);
  if (!end) return;
  std::optional<std::int64_t> count;
  for (std::size_t i = 4; i < context.argument_count(); i += 2) {
    if (!option_is(context, i, "count") || i + 1 == context.argument_count()) return answer_syntax_error(context);
    count = integer_argument(context, i + 1);
    if (!count) return;
  }
  const Stream* stream = nullptr;
  if (!find_stream(context, context.argument(1), stream)) return;
  if (stream == nullptr) return context.reply.array(0);
  if (count && *count <= 0) return context.reply.null_array();
  answer_entries(context, Stream::Cursor(*stream, *start, *end, direction),
                 static_cast<std::uint64_t>(count.value_or(0)));
}

}  // namespace

void xadd(Context& context) {
  const std::optional<EntryOptions> options = entry_options(context, true);
  if (!options) return;
  const std::size_t first_field = options->id_at + 1;
  if (first_field + 1 >= context.argument_count() || (context.argument_count() - first_field) % 2 != 0) {
    return answer_wrong_arity(context);
  }
  if (options->id_given && options->seq_given && options->id.is_zero()) {
    return context.reply.error("ERR The ID specified in XADD must be greater than 0-0");
  }
  const std::string_view key = context.argument(1);
  Stream* stream = nullptr;
  if (!find_stream_for_change(context, key, stream)) return;
  if (stream == nullptr && options->no_create) return context.reply.null();
  const Stream::Fields fields = context.arguments.subspan(first_field);
  const std::optional<StreamId> id = checked_id(context, *options, stream, fields);
  if (!id) return;
  if (stream == nullptr) stream = &create_stream(context, key);
  stream->append(*id, fields);
  answer_id(context, *id);
  changed(context, key);
  context.notify(Event::kStream, "xadd", key);
  if (options->trim && stream->trim(*options->trim, context.breather) > 0) {
    context.notify(Event::kStream, "xtrim", key);
  }
}

void xdel(Context& context) {
  const std::string_view key = context.argument(1);
  Stream* stream = nullptr;
  if (!find_stream_for_change(context, key, stream)) return;
  if (stream == nullptr) return context.reply.integer(0);
  const std::optional<std::vector<StreamId>> ids = ids_from(context, 2);
  if (!ids) return;
  std::int64_t deleted = 0;
  Breaths breaths(context);
  for (const StreamId id : *ids) {
    if (stream->erase(id)) ++deleted;
    breaths.step();
  }
  if (deleted > 0) {
    changed(context, key);
    context.notify(Event::kStream, "xdel", key);
  }
  context.reply.integer(deleted);
}

void xlen(Context& context) {
  const Stream* stream = nullptr;
  if (!find_stream(context, context.argument(1), stream)) return;
  context.reply.integer(stream == nullptr ? 0 : static_cast<std::int64_t>(stream->size()));
}

void xrange(Context& context) {
  answer_range(context, 2, 3, Stream::Cursor::Direction::kForward);
}

void xrevrange(Context& context) {
  answer_range(context, 3, 2, Stream::Cursor::Direction::kBackward);
}

void xtrim(Context& context) {
  const std::optional<EntryOptions> options = entry_options(context, false);
  if (!options) return;
  const std::string_view key = context.argument(1);
  Stream* stream = nullptr;
  if (!find_stream_for_change(context, key, stream)) return;
  if (stream == nullptr) return context.reply.integer(0);
  const std::uint64_t removed = stream->trim(*options->trim, context.breather);
  if (removed > 0) {
    context.notify(Event::kStream, "xtrim", key);
    changed(context, key);
  }
  context.reply.integer(static_cast<std::int64_t>(removed));
}

void xsetid(Context& context) {
  const std::optional<StreamId> last = id_argument(context, 2);
  if (!last) return;
  std::optional<std::int64_t> added;
  StreamId max_deleted;
  for (std::size_t i = 3; i < context.argument_count(); i += 2) {
    const bool more = i + 1 < context.argument_count();
    if (more && option_is(context, i, "entriesadded")) {
      added = integer_argument(context, i + 1);
      if (!added) return;
      if (*added < 0) return context.reply.error("ERR entries_added must be positive");
    } else if (more && option_is(context, i, "maxdeletedid")) {
      const std::optional<StreamId> id = id_argument(context, i + 1);
      if (!id) return;
      max_deleted = *id;
      if (*last < max_deleted) {
        return context.reply.error("ERR The ID specified in XSETID is smaller than the provided max_deleted_entry_id");
      }
    } else {
      return answer_syntax_error(context);
    }
  }
  const std::string_view key = context.argument(1);
  Stream* stream = nullptr;
  if (!find_stream_for_change(context, key, stream)) return;
  if (stream == nullptr) return context.reply.error(kNoSuchKey);
  if (*last < stream->max_deleted_id()) {
    return context.reply.error("ERR The ID specified in XSETID is smaller than current max_deleted_entry_id");
  }
  if (stream->size() > 0) {
    if (*last < stream->last_entry()) {
      return context.reply.error("ERR The ID specified in XSETID is smaller than the target stream top item");
    }
    if (added && stream->size() > static_cast<std::uint64_t>(*added)) {
      return context.reply.error("ERR The entries_added specified in XSETID is smaller than the target stream length");
    }
  }
  stream->set_ids(*last, added ? static_cast<std::uint64_t>(*added) : stream->entries_added(),
                  max_deleted.is_zero() ? stream->max_deleted_id() : max_deleted);
  context.reply.ok();
  context.notify(Event::kStream, "xsetid", key);
}

}  // namespace redraft::commands
