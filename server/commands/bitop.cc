#include <algorithm>
#include <string>
#include <vector>

#include "server/commands/arguments.h"
#include "server/commands/bitmaps.h"
#include "server/commands/keyspace.h"
#include "server/commands/string_text.h"

// BITOP goes through its operands a piece at a time and writes the result in place: a page of the destination depends
// on that page of the sources only, so the destination may be one of them and nothing of 512 MiB is copied whole.

namespace redraft::commands {

namespace {

enum class Operation : std::uint8_t { kAnd, kOr, kXor, kNot };

std::optional<Operation> operation_argument(Context& context) {
  if (option_is(context, 1, "and")) return Operation::kAnd;
  if (option_is(context, 1, "or")) return Operation::kOr;
  if (option_is(context, 1, "xor")) return Operation::kXor;
  if (option_is(context, 1, "not")) return Operation::kNot;
  answer_syntax_error(context);
  return std::nullopt;
}

// Bytes behind a string's end are zero.
void read_padded(StringText& text, std::size_t offset, std::size_t count, std::string& to) {
  to.clear();
  while (to.size() < count && offset + to.size() < text.size()) {
    to.append(text.piece(offset + to.size()).substr(0, count - to.size()));
  }
  to.resize(count, '\0');
}

void combine(Operation operation, std::string& result, const std::string& operand) {
  char* const to = result.data();
  const char* const from = operand.data();
  const std::size_t size = result.size();
  switch (operation) {
    case Operation::kAnd:
      for (std::size_t i = 0; i < size; ++i) to[i] = static_cast<char>(to[i] & from[i]);
      return;
    case Operation::kOr:
      for (std::size_t i = 0; i < size; ++i) to[i] = static_cast<char>(to[i] | from[i]);
      return;
    case Operation::kXor:
      for (std::size_t i = 0; i < size; ++i) to[i] = static_cast<char>(to[i] ^ from[i]);
      return;
    case Operation::kNot:
      return;
  }
}

class Combination {
 public:
  Combination(Context& context, Operation operation, std::span<const std::string_view> sources)
      : context_(context), operation_(operation), sources_(sources) {}

  // The length of the longest source; nothing after WRONGTYPE.
  [[nodiscard]] std::optional<std::size_t> size() {
    std::size_t longest = 0;
    for (const std::string_view source : sources_) {
      StringText text;
      if (!text.find_or_answer(context_, source)) return std::nullopt;
      longest = std::max(longest, text.size());
    }
    return longest;
  }

  // Bytes [offset, offset + count) of the result. Sources are looked up anew, since writing may move them.
  [[nodiscard]] const std::string& bytes(std::size_t offset, std::size_t count) {
    for (std::size_t i = 0; i < sources_.size(); ++i) {
      StringText text;
      std::ignore = text.find(context_, sources_[i]);
      read_padded(text, offset, count, i == 0 ? result_ : operand_);
      if (i != 0) combine(operation_, result_, operand_);
    }
    if (operation_ == Operation::kNot) {
      for (char& byte : result_) byte = static_cast<char>(~byte);
    }
    return result_;
  }

 private:
  Context& context_;
  Operation operation_;
  std::span<const std::string_view> sources_;
  std::string result_;
  std::string operand_;
};

}  // namespace

void bitop(Context& context) {
  const std::optional<Operation> operation = operation_argument(context);
  if (!operation) return;
  const std::string_view to = context.argument(2);
  const std::span<const std::string_view> sources = context.arguments.subspan(3);
  if (*operation == Operation::kNot && sources.size() != 1) {
    return context.reply.error("ERR BITOP NOT must be called with a single source key.");
  }
  Combination combination(context, *operation, sources);
  const std::optional<std::size_t> size = combination.size();
  if (!size) return;
  if (*size == 0) {
    delete_key(context, to);
    return context.reply.integer(0);
  }
  const bool is_new = !key_exists(context, to);
  if (std::ranges::find(sources, to) == sources.end()) remove_key(context, to);
  // The first piece from the whole of what fits a key's own block, so that a short result is written at once.
  constexpr std::size_t kPiece = store::Key::kInlineMax;
  Breaths breaths(context);
  for (std::size_t at = 0; at < *size; at += kPiece) {
    context.store.write_range(context.db, to, at, combination.bytes(at, std::min(kPiece, *size - at)));
    breaths.step();
  }
  clear_deadline(context, to);
  changed(context, to);
  if (is_new) context.notify(Event::kNew, "new", to);
  context.notify(Event::kString, "set", to);
  context.reply.integer(static_cast<std::int64_t>(*size));
}

}  // namespace redraft::commands
