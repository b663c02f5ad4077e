#pragma once

#include <cstddef>
#include <cstdint>

namespace redraft::store {

// Integers in ascending order, each in as many bytes as the widest of them needs: 2, 4 or 8, in one block of memory
// that is exactly as large as they are. The smallest form of sets.
//
// Empty it owns nothing. A handle to be copied freely, as Packed: whoever holds it calls `free` in the end.
class Integers {
 public:
  static constexpr std::size_t kCountMax = 1024;  // the caller sees to it: an insertion moves all that is behind it

  [[nodiscard]] std::size_t size() const { return block_ == nullptr ? 0 : block_->count; }
  [[nodiscard]] bool empty() const { return block_ == nullptr; }
  [[nodiscard]] std::size_t bytes() const { return block_ == nullptr ? 0 : size() * block_->width; }
  [[nodiscard]] std::int64_t operator[](std::size_t rank) const;
  // The rank of the first that is not less than the value; size() if there is none.
  [[nodiscard]] std::size_t lower_bound(std::int64_t value) const;
  [[nodiscard]] bool contains(std::int64_t value) const {
    const std::size_t rank = lower_bound(value);
    return rank < size() && (*this)[rank] == value;
  }
  // At a rank that keeps the order.
  void insert(std::size_t rank, std::int64_t value);
  void erase(std::size_t rank);
  [[nodiscard]] Integers copy() const;
  void free();

 private:
  struct Block {
    std::uint16_t count;
    std::uint16_t width;
    [[nodiscard]] char* values() { return reinterpret_cast<char*>(this + 1); }
  };
  static std::uint16_t width_of(std::int64_t value);
  static std::int64_t read(const char* at, std::size_t width);
  static void write(char* at, std::size_t width, std::int64_t value);
  void resize(std::size_t count);
  void widen(std::uint16_t width);

  Block* block_ = nullptr;
};

}  // namespace redraft::store
