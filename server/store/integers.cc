#include "server/store/integers.h"

#include <cstdlib>
#include <cstring>
#include <limits>

#include "base/check.h"

namespace redraft::store {

std::uint16_t Integers::width_of(std::int64_t value) {
  if (value >= std::numeric_limits<std::int16_t>::min() && value <= std::numeric_limits<std::int16_t>::max()) return 2;
  if (value >= std::numeric_limits<std::int32_t>::min() && value <= std::numeric_limits<std::int32_t>::max()) return 4;
  return 8;
}

std::int64_t Integers::read(const char* at, std::size_t width) {
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

void Integers::write(char* at, std::size_t width, std::int64_t value) {
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

// To that many values, of which those that there were and still fit stay.
void Integers::resize(std::size_t count) {
  const std::uint16_t width = block_->width;
  block_ = static_cast<Block*>(std::realloc(block_, sizeof(Block) + count * width));
  ensure(block_ != nullptr, "memory for a set of integers is there");
  block_->count = static_cast<std::uint16_t>(count);
}

void Integers::widen(std::uint16_t width) {
  const std::uint16_t before = block_->width;
  block_ = static_cast<Block*>(std::realloc(block_, sizeof(Block) + size() * width));
  ensure(block_ != nullptr, "memory for a set of integers is there");
  block_->width = width;
  for (std::size_t rank = size(); rank-- > 0;) {
    write(block_->values() + rank * width, width, read(block_->values() + rank * before, before));
  }
}

void Integers::insert(std::size_t rank, std::int64_t value) {
  if (block_ == nullptr) {
    block_ = static_cast<Block*>(std::malloc(sizeof(Block)));
    ensure(block_ != nullptr, "memory for a set of integers is there");
    *block_ = {0, width_of(value)};
  }
  ensure(size() < kCountMax, "integers are turned into a larger form before they are too many");
  if (width_of(value) > block_->width) widen(width_of(value));
  const std::size_t count = size();
  resize(count + 1);
  char* const at = block_->values() + rank * block_->width;
  std::memmove(at + block_->width, at, (count - rank) * block_->width);
  write(at, block_->width, value);
}

void Integers::erase(std::size_t rank) {
  if (size() == 1) return free();
  char* const at = block_->values() + rank * block_->width;
  std::memmove(at, at + block_->width, (size() - rank - 1) * block_->width);
  resize(size() - 1);
}

Integers Integers::copy() const {
  Integers made;
  if (block_ == nullptr) return made;
  made.block_ = static_cast<Block*>(std::malloc(sizeof(Block) + bytes()));
  ensure(made.block_ != nullptr, "memory for a set of integers is there");
  std::memcpy(made.block_, block_, sizeof(Block) + bytes());
  return made;
}

void Integers::free() {
  std::free(block_);
  block_ = nullptr;
}

}  // namespace redraft::store
