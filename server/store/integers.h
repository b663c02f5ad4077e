#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <utility>

namespace redraft::store {

// Integers in ascending order, each in as many bytes as the widest of them needs: 2, 4 or 8, in one block of memory.
// The small form of sets. Empty it owns nothing.
class Integers {
 public:
  Integers() = default;
  Integers(Integers&& other) noexcept : block_(std::exchange(other.block_, nullptr)) {}
  Integers& operator=(Integers&& other) noexcept {
    std::swap(block_, other.block_);
    return *this;
  }
  Integers(const Integers&) = delete;
  Integers& operator=(const Integers&) = delete;
  ~Integers() { std::free(block_); }

  [[nodiscard]] std::size_t size() const { return block_ == nullptr ? 0 : block_->count; }
  [[nodiscard]] bool empty() const { return size() == 0; }
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

 private:
  struct Block {
    std::uint32_t count;
    std::uint32_t capacity;
    std::uint32_t width;
    [[nodiscard]] char* values() { return reinterpret_cast<char*>(this + 1); }
  };
  static std::uint32_t width_of(std::int64_t value);
  static std::int64_t read(const char* at, std::uint32_t width);
  static void write(char* at, std::uint32_t width, std::int64_t value);
  static Block* make(std::uint32_t capacity, std::uint32_t width);
  void widen(std::uint32_t capacity, std::uint32_t width);

  Block* block_ = nullptr;
};

}  // namespace redraft::store
