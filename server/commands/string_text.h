#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "server/commands/context.h"
#include "server/store/store.h"

namespace redraft::commands {

// A string key as text, whatever its form in the store. Valid until the store changes; short strings are not copied.
class StringText {
 public:
  // False when the key is of another type.
  [[nodiscard]] bool find(Context& context, std::string_view key);
  // As above, having answered WRONGTYPE.
  [[nodiscard]] bool find_or_answer(Context& context, std::string_view key);

  [[nodiscard]] bool present() const { return key_ != nullptr; }
  [[nodiscard]] std::size_t size() const { return present() ? key_->string_size() : 0; }
  // An absent key is an empty text.
  [[nodiscard]] std::string_view view();
  // From `offset`, which lies inside, as far as the bytes lie in one piece: for going through long strings without a
  // copy.
  [[nodiscard]] std::string_view piece(std::size_t offset);
  // What INCR takes: an absent key is zero, a text that is no integer nothing.
  [[nodiscard]] std::optional<std::int64_t> integer();
  // "int", "embstr" or "raw"; the key is present.
  [[nodiscard]] std::string_view encoding() const { return key_->encoding(); }
  [[nodiscard]] std::uint64_t deadline_ms() const { return present() ? key_->deadline_ms() : 0; }

  // The whole as a bulk string, or null; without a copy where it lies in one piece.
  void answer(Context& context);
  // [first, first + count), which lies inside.
  void answer_range(Context& context, std::size_t first, std::size_t count);

 private:
  const store::Key* key_ = nullptr;
  std::string scratch_;
};

}  // namespace redraft::commands
