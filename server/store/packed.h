#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "resp/number.h"

namespace redraft::store {

using NumberText = std::array<char, resp::kDoubleTextMax>;

// One item of a Packed, or one that may become that: bytes, an integer in place of its own decimal text, or a score.
// Equal texts and equal scores have one form only. Views what it was made from.
class PackedItem {
 public:
  [[nodiscard]] static PackedItem of_text(std::string_view text);
  [[nodiscard]] static PackedItem of_score(double score);
  [[nodiscard]] static PackedItem read(const char* at);

  [[nodiscard]] std::size_t size() const { return size_; }  // bytes when packed
  char* write(char* to) const;                              // returns what is behind it
  // Only of an item that was a text; in `scratch` if it is an integer.
  [[nodiscard]] std::string_view text(NumberText& scratch) const;
  // Only of an item that was a score.
  [[nodiscard]] double score() const { return kind_ == Kind::kInteger ? static_cast<double>(integer_) : score_; }
  // All of a packed item that is not a longer text's bytes; equal texts are packed to equal bytes.
  [[nodiscard]] std::string_view head(NumberText& scratch) const;
  [[nodiscard]] std::string_view tail() const { return kind_ == Kind::kBytes ? bytes_ : std::string_view(); }

 private:
  enum class Kind : std::uint8_t { kBytes, kInteger, kScore };
  void set_integer(std::int64_t value);

  Kind kind_ = Kind::kBytes;
  std::uint8_t decimals_ = 0;  // of a score: it is integer_ / 10^decimals_; 0: none are enough
  std::size_t size_ = 0;
  std::string_view bytes_;
  std::int64_t integer_ = 0;
  double score_ = 0;
};

// Items back to back in one block of memory: the small form of hashes, sets and sorted sets, in fewer bytes than
// Redis's listpack takes for the same. An item begins with a byte that tells what follows: 0 to 127, so many bytes of
// text; 128 to 191, nothing, it is the integer 0 to 63; 192 to 199, an integer of 1 to 8 bytes; 200, a double; 201, two
// bytes of length and a text; 202 to 205, four bytes that divided by 10, 100, 1000 or 10000 are the score.
//
// Empty it owns nothing. A handle to be copied freely: whoever holds it calls `free` in the end, since it shares its
// place in memory with the pointer to a larger form.
class Packed {
 public:
  static constexpr std::size_t kBytesMax = 8192;  // of its items; the caller sees to it

  [[nodiscard]] std::size_t count() const { return block_ == nullptr ? 0 : block_->count; }
  [[nodiscard]] std::size_t bytes() const { return block_ == nullptr ? 0 : block_->bytes; }
  // The item at an offset below bytes(); the next one is at offset + its size().
  [[nodiscard]] PackedItem at(std::size_t offset) const { return PackedItem::read(block_->items() + offset); }
  // How many bytes it takes, without a look at what it is.
  [[nodiscard]] std::size_t size_at(std::size_t offset) const;
  // The offset of an item that was a text, among every `stride`th from the first on; bytes() if it is not there.
  // `passed` counts those in front of it.
  [[nodiscard]] std::size_t find(const PackedItem& text, std::size_t stride, std::size_t* passed = nullptr) const;

  // The bytes at [begin, end) give way to `size` others, which the caller writes at the address returned. `items` is by
  // how many the count changes.
  char* splice(std::size_t begin, std::size_t end, std::size_t size, int items);
  [[nodiscard]] Packed copy() const;
  void free();

 private:
  struct Block {
    std::uint16_t bytes;
    std::uint16_t count;
    [[nodiscard]] char* items() { return reinterpret_cast<char*>(this + 1); }
  };

  Block* block_ = nullptr;
};

}  // namespace redraft::store
