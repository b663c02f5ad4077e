#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "server/commands/context.h"
#include "server/store/stream.h"

namespace redraft::commands {

// What the stream commands share: their arguments, looking streams up, and answering entries.

// "ms-seq", as ids are written everywhere.
[[nodiscard]] std::string id_text(store::StreamId id);
// As C's %s shows client bytes in an error: nothing behind a NUL.
[[nodiscard]] std::string_view shown(std::string_view bytes);

// ---- Arguments. Each answers the error and returns nothing when the argument does not fit.

// "ms-seq" or "ms", then with `missing_seq`; nothing answered.
[[nodiscard]] std::optional<store::StreamId> parse_id(std::string_view text, std::uint64_t missing_seq = 0);
[[nodiscard]] std::optional<store::StreamId> id_argument(Context& context, std::size_t i);
// Also "-" and "+", the first and the last id of all.
[[nodiscard]] std::optional<store::StreamId> id_or_edge_argument(Context& context, std::size_t i);
// The start or the end of a range, inclusive: "(" in front excludes the id itself.
enum class RangeBound : std::uint8_t { kStart, kEnd };
[[nodiscard]] std::optional<store::StreamId> bound_argument(Context& context, std::size_t i, RangeBound bound);
// An id where "$" stands for the stream's last one; nullptr is an absent stream.
[[nodiscard]] std::optional<store::StreamId> position_argument(Context& context, std::size_t i,
                                                               const store::Stream* stream);

// XADD's options and id, or XTRIM's options.
struct EntryOptions {
  std::optional<store::StreamTrim> trim;
  bool no_create = false;
  bool id_given = false;
  bool seq_given = false;
  store::StreamId id;
  std::size_t id_at = 0;  // the position of the id
};
[[nodiscard]] std::optional<EntryOptions> entry_options(Context& context, bool adds);

// ---- Streams by key. nullptr when the key is absent, false when WRONGTYPE was answered.
[[nodiscard]] bool find_stream(Context& context, std::string_view key, const store::Stream*& stream);
[[nodiscard]] bool find_stream_for_change(Context& context, std::string_view key, store::Stream*& stream);
// The key is absent. Raises "new".
store::Stream& create_stream(Context& context, std::string_view key);
// The group's consumer, which is made if it is new, with the event that Redis raises, and has been seen now.
store::Consumer& see_consumer(Context& context, std::string_view key, store::ConsumerGroup& group,
                              std::string_view name);

// ---- Replies
// Of XGROUP and XINFO, whose key is argument 2 and whose group argument 3.
void answer_bad_subcommand(Context& context, std::string_view container);
void answer_unknown_group(Context& context);
void answer_id(Context& context, store::StreamId id);
// The id and the fields.
void answer_entry(Context& context, store::Stream::Cursor& cursor);
// Of one id; false, and nothing written, when there is no such entry.
[[nodiscard]] bool answer_entry_at(Context& context, const store::Stream& stream, store::StreamId id);
// An array of at most `count` entries; 0: all.
void answer_entries(Context& context, store::Stream::Cursor cursor, std::uint64_t count);

// ---- How far a group is (redis.io/commands/xinfo-groups; redis/redis:src/t_stream.c)

// Whether something was deleted at or behind this id, as far as the stream remembers.
[[nodiscard]] bool tombstones_from(const store::Stream& stream, store::StreamId id);
// How many entries were ever added up to this id; ConsumerGroup::kUnknown when deletions hide it.
[[nodiscard]] std::int64_t entries_up_to(const store::Stream& stream, store::StreamId id);
// How many the group has not read, as far as that can be told.
[[nodiscard]] std::optional<std::int64_t> lag(const store::Stream& stream, const store::ConsumerGroup& group);

}  // namespace redraft::commands
