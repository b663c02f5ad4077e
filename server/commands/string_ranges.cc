#include <algorithm>
#include <optional>
#include <string>

#include "server/commands/arguments.h"
#include "server/commands/keyspace.h"
#include "server/commands/strings.h"

// APPEND, STRLEN, SETRANGE, GETRANGE and SUBSTR.

namespace redraft::commands {

namespace {

bool fits(Context& context, std::uint64_t size, std::uint64_t more) {
  const std::uint64_t limit = context.store.settings().proto_max_bulk_len;
  if (size <= limit && more <= limit - size) return true;
  context.reply.error("ERR string exceeds maximum allowed size (proto-max-bulk-len)");
  return false;
}

}  // namespace

void append(Context& context) {
  const std::string_view key = context.argument(1);
  const std::string_view more = context.argument(2);
  StringEdit string;
  if (!string.find(context, key)) return;
  if (!fits(context, string.size(), more.size())) return;
  const std::size_t size = string.append(more);
  changed(context, key);
  context.notify(Event::kString, "append", key);
  context.reply.integer(static_cast<std::int64_t>(size));
}

void strlen(Context& context) {
  StringText text;
  if (!find_string(context, context.argument(1), text)) return;
  context.reply.integer(static_cast<std::int64_t>(text.size()));
}

void setrange(Context& context) {
  const std::optional<std::int64_t> offset = integer_argument(context, 2);
  if (!offset) return;
  if (*offset < 0) return context.reply.error("ERR offset is out of range");
  const std::string_view key = context.argument(1);
  const std::string_view bytes = context.argument(3);
  StringEdit string;
  if (!string.find(context, key)) return;
  if (bytes.empty()) return context.reply.integer(static_cast<std::int64_t>(string.size()));
  if (!fits(context, static_cast<std::uint64_t>(*offset), bytes.size())) return;
  const std::size_t size = string.overwrite(static_cast<std::size_t>(*offset), bytes);
  changed(context, key);
  context.notify(Event::kString, "setrange", key);
  context.reply.integer(static_cast<std::int64_t>(size));
}

void getrange(Context& context) {
  const std::optional<std::int64_t> start = integer_argument(context, 2);
  if (!start) return;
  const std::optional<std::int64_t> stop = integer_argument(context, 3);
  if (!stop) return;
  StringText text;
  if (!find_string(context, context.argument(1), text)) return;
  const auto size = static_cast<std::int64_t>(text.size());
  if (size == 0 || (*start < 0 && *stop < 0 && *start > *stop)) return context.reply.bulk({});
  const std::int64_t first = *start < 0 ? std::max<std::int64_t>(*start + size, 0) : *start;
  const std::int64_t last = std::min(*stop < 0 ? std::max<std::int64_t>(*stop + size, 0) : *stop, size - 1);
  if (first > last) return context.reply.bulk({});
  text.answer_range(context, static_cast<std::size_t>(first), static_cast<std::size_t>(last - first + 1));
}

void substr(Context& context) {
  getrange(context);
}

}  // namespace redraft::commands
