#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string_view>
#include <utility>

#include "base/check.h"
#include "server/store/part.h"

namespace redraft::store {

// A run of a list's elements in one block of memory: 28 bytes of its own, then the elements back to back with room
// before and behind them, so that a run grows at either end. An element is its length, its bytes, and the size of both
// again, so that a run can be walked backwards. Offsets count from the first element. Owns the block; a moved-from
// chunk is nothing and may only be assigned to, as one made without an epoch.
class ListChunk {
 public:
  // Elements beyond it belong into another chunk, unless one alone is larger. With them a block is one of 4 KiB.
  static constexpr std::size_t kBytesMax = 4096 - 28;
  struct Element {
    std::string_view bytes;
    std::size_t size;  // of all that it takes
  };

  ListChunk() = default;
  explicit ListChunk(Epoch epoch);
  // What `contents` gave; nothing if it is malformed.
  [[nodiscard]] static std::optional<ListChunk> of(std::string_view contents, std::uint64_t count, Epoch epoch);
  ListChunk(ListChunk&& other) noexcept : block_(std::exchange(other.block_, nullptr)) {}
  ListChunk& operator=(ListChunk&& other) noexcept {
    std::swap(block_, other.block_);
    return *this;
  }
  ListChunk(const ListChunk&) = delete;
  ListChunk& operator=(const ListChunk&) = delete;
  ~ListChunk() { std::free(block_); }

  explicit operator bool() const { return block_ != nullptr; }
  [[nodiscard]] Epoch epoch() const { return block_->epoch; }
  void set_epoch(Epoch epoch) { block_->epoch = epoch; }
  // Its place when the walk began.
  [[nodiscard]] std::uint32_t ordinal() const { return block_->ordinal; }
  void set_ordinal(std::uint32_t ordinal) { block_->ordinal = ordinal; }

  [[nodiscard]] std::size_t count() const { return block_->count; }
  [[nodiscard]] std::size_t bytes() const { return block_->bytes; }
  // What its elements would take in a listpack of Redis.
  [[nodiscard]] std::size_t listpack() const { return block_->listpack; }
  [[nodiscard]] std::string_view contents() const { return {first(), block_->bytes}; }
  [[nodiscard]] static std::size_t size_of(std::string_view element);

  // The element at an offset below bytes(); the next is at offset + its size.
  [[nodiscard]] Element at(std::size_t offset) const {
    // Most have one byte of length in front and one behind.
    const std::size_t left = block_->bytes - offset;
    const auto length = static_cast<std::uint8_t>(first()[offset]);
    const std::size_t size = std::size_t{length} + 2;
    if (length < 0x7f && size <= left) return {{first() + offset + 1, length}, size};
    return long_at(offset);
  }
  // Where the element begins that ends at an offset above 0.
  [[nodiscard]] std::size_t before(std::size_t offset) const;
  // Where the element of this index begins; bytes() for count().
  [[nodiscard]] std::size_t offset_of(std::size_t index) const;

  // How much a block that is too small grows by: to what an allocator would round it up to, as for a list of one chunk,
  // or to twice its size, for one of many.
  enum class Growth : std::uint8_t { kExact, kDouble };
  void insert(std::size_t offset, std::string_view element, Growth growth);
  // In the place of the element there. It must not be a view of this chunk.
  void replace(std::size_t offset, std::string_view element);
  // `count` elements, which lie in [begin, end).
  void erase(std::size_t begin, std::size_t end, std::size_t count);
  // Keeps the elements before an offset; those behind it are the new chunk's.
  [[nodiscard]] ListChunk split(std::size_t offset);

 private:
  struct Block {
    Epoch epoch;
    std::uint32_t count;
    std::uint32_t ordinal;
    std::uint32_t begin;  // the room in front
    std::uint32_t bytes;
    std::uint32_t capacity;
    std::uint32_t listpack;
  };

  [[nodiscard]] char* items() const { return reinterpret_cast<char*>(block_ + 1); }
  [[nodiscard]] char* first() const { return items() + block_->begin; }
  [[nodiscard]] Element long_at(std::size_t offset) const;
  // The bytes at [begin, end) give way to `size` others, to be written at the address returned.
  char* splice(std::size_t begin, std::size_t end, std::size_t size, Growth growth);
  void make_gap_in_place(std::size_t begin, std::size_t end, std::size_t size);
  void make_gap_elsewhere(std::size_t begin, std::size_t end, std::size_t size, std::size_t capacity);
  void add_to_listpack(std::size_t begin, std::size_t end, int sign);
  static void write(char* to, std::string_view element);
  [[nodiscard]] bool is_whole() const;

  Block* block_ = nullptr;
};

}  // namespace redraft::store
