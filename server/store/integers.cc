#include "server/store/integers.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "base/check.h"

namespace redraft::store {

std::uint32_t Integers::width_of(std::int64_t value) {
  if (value >= std::numeric_limits<std::int16_t>::min() && value <= std::numeric_limits<std::int16_t>::max()) return 2;
  if (value >= std::numeric_limits<std::int32_t>::min() && value <= std::numeric_limits<std::int32_t>::max()) return 4;
  return 8;
}

std::int64_t Integers::read(const char* at, std::uint32_t width) {
  if (width == 2) {
    std::int16_t value = 0;
    std::memcpy(&value, at, sizeof value);
    return value;
  }
  if (width == 4) {
    std::int32_t value = 0;
    std::memcpy(&value, at, sizeof value);
    return value;
  }
  std::int64_t value = 0;
  std::memcpy(&value, at, sizeof value);
  return value;
}

void Integers::write(char* at, std::uint32_t width, std::int64_t value) {
  if (width == 2) {
    const auto narrow = static_cast<std::int16_t>(value);
    std::memcpy(at, &narrow, sizeof narrow);
  } else if (width == 4) {
    const auto narrow = static_cast<std::int32_t>(value);
    std::memcpy(at, &narrow, sizeof narrow);
  } else {
    std::memcpy(at, &value, sizeof value);
  }
}

Integers::Block* Integers::make(std::uint32_t capacity, std::uint32_t width) {
  auto* block = static_cast<Block*>(std::malloc(sizeof(Block) + std::size_t{capacity} * width));
  ensure(block != nullptr, "memory for a set of integers is there");
  *block = {0, capacity, width};
  return block;
}

std::int64_t Integers::operator[](std::size_t rank) const {
  return read(block_->values() + rank * block_->width, block_->width);
}

std::size_t Integers::lower_bound(std::int64_t value) const {
  std::size_t first = 0;
  std::size_t count = size();
  while (count > 0) {
    const std::size_t half = count / 2;
    if ((*this)[first + half] < value) {
      first += half + 1;
      count -= half + 1;
    } else {
      count = half;
    }
  }
  return first;
}

void Integers::widen(std::uint32_t capacity, std::uint32_t width) {
  Block* made = make(capacity, width);
  made->count = static_cast<std::uint32_t>(size());
  for (std::size_t rank = 0; rank < size(); ++rank) write(made->values() + rank * width, width, (*this)[rank]);
  std::free(block_);
  block_ = made;
}

// Grows by an eighth: sets of a few are many, and a large one does not stay here.
void Integers::insert(std::size_t rank, std::int64_t value) {
  const std::uint32_t present = block_ == nullptr ? 2 : block_->width;
  const std::uint32_t width = std::max(present, width_of(value));
  if (block_ == nullptr || block_->count == block_->capacity || width != present) {
    const auto count = static_cast<std::uint32_t>(size());
    widen(count + 1 + count / 8, width);
  }
  char* const at = block_->values() + rank * width;
  std::memmove(at + width, at, (block_->count - rank) * width);
  write(at, width, value);
  ++block_->count;
}

void Integers::erase(std::size_t rank) {
  const std::uint32_t width = block_->width;
  char* const at = block_->values() + rank * width;
  --block_->count;
  std::memmove(at, at + width, (block_->count - rank) * width);
  if (block_->count == 0) {
    std::free(std::exchange(block_, nullptr));
  } else if (block_->capacity > 2 * block_->count + 8) {
    widen(block_->count + block_->count / 8, width);
  }
}

Integers Integers::copy() const {
  Integers other;
  if (block_ == nullptr) return other;
  other.block_ = make(block_->count, block_->width);
  other.block_->count = block_->count;
  std::memcpy(other.block_->values(), block_->values(), std::size_t{block_->count} * block_->width);
  return other;
}

}  // namespace redraft::store
