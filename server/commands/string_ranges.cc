#include <algorithm>
#include <optional>

#include "server/commands/arguments.h"
#include "server/commands/keyspace.h"
#include "server/commands/string_text.h"
#include "server/commands/strings.h"

// APPEND, STRLEN, SETRANGE, GETRANGE and SUBSTR.

namespace redraft::commands {

namespace {

bool fits(Context& context, std::uint64_t size, std::uint64_t more) {
  const std::uint64_t limit = string_size_max(context);
  if (size <= limit && more <= limit - size) return true;
  context.reply.error("ERR string exceeds maximum allowed size (proto-max-bulk-len)");
  return false;
}

}  // namespace

void append(Context& context) {
  const std::string_view key = context.argument(1);
  const std::string_view more = context.argument(2);
  StringText text;
  if (!text.find_or_answer(context, key)) return;
  if (!fits(context, text.size(), more.size())) return;
  std::size_t size = more.size();
  if (text.present()) {
    size = context.store.append(context.db, key, more);
  } else {
    // As SET does, so that a number is kept as one.
    context.store.set_string(context.db, key, more, 0);
    context.notify(Event::kNew, "new", key);
  }
  changed(context, key);
  context.notify(Event::kString, "append", key);
  context.reply.integer(static_cast<std::int64_t>(size));
}

void strlen(Context& context) {
  StringText text;
  if (!text.find_or_answer(context, context.argument(1))) return;
  context.reply.integer(static_cast<std::int64_t>(text.size()));
}

void setrange(Context& context) {
  const std::optional<std::int64_t> offset = integer_argument(context, 2);
  if (!offset) return;
  if (*offset < 0) return context.reply.error("ERR offset is out of range");
  const std::string_view key = context.argument(1);
  const std::string_view bytes = context.argument(3);
  StringText text;
  if (!text.find_or_answer(context, key)) return;
  if (bytes.empty()) return context.reply.integer(static_cast<std::int64_t>(text.size()));
  if (!fits(context, static_cast<std::uint64_t>(*offset), bytes.size())) return;
  const bool is_new = !text.present();
  const std::size_t size = context.store.write_range(context.db, key, static_cast<std::size_t>(*offset), bytes);
  if (is_new) context.notify(Event::kNew, "new", key);
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
  if (!text.find_or_answer(context, context.argument(1))) return;
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
