#include "base/shared_bytes.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>

#include "base/check.h"

namespace redraft {

SharedBytes::Block* SharedBytes::allocate(std::size_t capacity) {
  void* memory = std::malloc(sizeof(Block) + capacity);
  ensure(memory != nullptr, "memory for a shared buffer is there");
  return new (memory) Block{.references = 1, .capacity = capacity};
}

void SharedBytes::release() noexcept {
  if (block_ != nullptr && block_->references.fetch_sub(1, std::memory_order_acq_rel) == 1) {
    std::free(block_);
  }
}

SharedBytes SharedBytes::copy_of(std::string_view bytes) {
  SharedBytesBuilder builder(bytes.size());
  builder.append(bytes);
  return builder.finish();
}

SharedBytes SharedBytes::slice(std::size_t offset, std::size_t size) const {
  ensure(offset <= size_ && size <= size_ - offset, "a slice lies inside its buffer");
  SharedBytes part = *this;
  part.data_ += offset;
  part.size_ = size;
  return part;
}

SharedBytesBuilder::SharedBytesBuilder(std::size_t capacity) {
  if (capacity > 0) reserve(capacity);
}

SharedBytesBuilder::~SharedBytesBuilder() {
  std::free(block_);
}

void SharedBytesBuilder::reserve(std::size_t capacity) {
  SharedBytes::Block* grown = SharedBytes::allocate(capacity);
  if (size_ > 0) std::memcpy(grown->bytes(), block_->bytes(), size_);
  std::free(block_);
  block_ = grown;
}

char* SharedBytesBuilder::extend(std::size_t size) {
  const std::size_t needed = size_ + size;
  if (block_ == nullptr || needed > block_->capacity) {
    reserve(std::max(needed, block_ == nullptr ? std::size_t{64} : block_->capacity * 2));
  }
  char* end = block_->bytes() + size_;
  size_ = needed;
  return end;
}

void SharedBytesBuilder::append(std::string_view bytes) {
  if (bytes.empty()) return;
  std::memcpy(extend(bytes.size()), bytes.data(), bytes.size());
}

char* SharedBytesBuilder::data() {
  return block_ == nullptr ? nullptr : block_->bytes();
}

std::string_view SharedBytesBuilder::view() const {
  return block_ == nullptr ? std::string_view{} : std::string_view{block_->bytes(), size_};
}

SharedBytes SharedBytesBuilder::finish() {
  SharedBytes done;
  done.block_ = std::exchange(block_, nullptr);
  done.size_ = std::exchange(size_, 0);
  done.data_ = done.block_ == nullptr ? nullptr : done.block_->bytes();
  return done;
}

}  // namespace redraft
