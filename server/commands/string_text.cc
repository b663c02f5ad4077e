#include "server/commands/string_text.h"

#include "resp/number.h"
#include "server/commands/arguments.h"

namespace redraft::commands {

bool StringText::find(Context& context, std::string_view key) {
  key_ = context.store.find(context.db, key);
  if (key_ == nullptr || key_->is_string()) return true;
  key_ = nullptr;
  return false;
}

bool StringText::find_or_answer(Context& context, std::string_view key) {
  if (find(context, key)) return true;
  context.reply.error(kWrongType);
  return false;
}

std::string_view StringText::view() {
  return present() ? key_->string(scratch_) : std::string_view();
}

std::string_view StringText::piece(std::size_t offset) {
  if (key_->is_integer() || key_->is_inline()) return view().substr(offset);
  return static_cast<const store::LongString*>(key_->object())->piece(offset);
}

std::optional<std::int64_t> StringText::integer() {
  if (!present()) return 0;
  if (key_->is_integer()) return key_->integer();
  // No integer's text is longer, so a long string need not be gathered to be refused.
  if (key_->string_size() > resp::kIntegerTextMax) return std::nullopt;
  return resp::parse_int64(view());
}

void StringText::answer(Context& context) {
  if (!present()) return context.reply.null();
  if (key_->is_integer()) return context.reply.bulk_integer(key_->integer());
  answer_range(context, 0, size());
}

// A long string is gathered in the reply itself, breathing: to copy it once more would take as long, in one go.
void StringText::answer_range(Context& context, std::size_t first, std::size_t count) {
  if (key_->is_integer() || key_->is_inline()) return context.reply.bulk(view().substr(first, count));
  std::string& reply = context.reply.out();
  reply.append("$").append(std::to_string(count)).append("\r\n");
  static_cast<const store::LongString*>(key_->object())->read(first, count, reply);
  reply.append("\r\n");
}

}  // namespace redraft::commands
