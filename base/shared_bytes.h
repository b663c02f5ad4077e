#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

namespace redraft {

// A view into one immutable, reference-counted buffer. An entry's payload is encoded once, and the log, the frames to
// every follower and apply all hold this. Copying and slicing cost a counter; the count is atomic because the disk
// thread drops its reference there. The bytes never change once a SharedBytes exists (pitfall F10).
class SharedBytes {
 public:
  SharedBytes() = default;
  // Copies `bytes` into a new buffer of its own.
  static SharedBytes copy_of(std::string_view bytes);

  SharedBytes(const SharedBytes& other) noexcept : block_(other.block_), data_(other.data_), size_(other.size_) {
    acquire();
  }
  SharedBytes(SharedBytes&& other) noexcept
      : block_(std::exchange(other.block_, nullptr)),
        data_(std::exchange(other.data_, nullptr)),
        size_(std::exchange(other.size_, 0)) {}
  SharedBytes& operator=(SharedBytes other) noexcept {
    std::swap(block_, other.block_);
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
  }
  ~SharedBytes() { release(); }

  [[nodiscard]] std::string_view view() const { return {data_, size_}; }
  [[nodiscard]] const char* data() const { return data_; }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  // A view of a part that keeps the whole buffer alive; [offset, offset + size) must lie inside.
  [[nodiscard]] SharedBytes slice(std::size_t offset, std::size_t size) const;

 private:
  friend class SharedBytesBuilder;
  struct Block {
    std::atomic<std::uint32_t> references;
    std::size_t capacity;
    [[nodiscard]] char* bytes() { return reinterpret_cast<char*>(this + 1); }
  };
  static Block* allocate(std::size_t capacity);
  void acquire() noexcept {
    if (block_ != nullptr) block_->references.fetch_add(1, std::memory_order_relaxed);
  }
  void release() noexcept;

  Block* block_ = nullptr;
  const char* data_ = nullptr;
  std::size_t size_ = 0;
};

// The only way to fill a buffer: append or write in place, then `finish` hands it out as immutable. Grows by doubling,
// so a builder that is given its capacity at the start allocates once.
class SharedBytesBuilder {
 public:
  explicit SharedBytesBuilder(std::size_t capacity = 0);
  SharedBytesBuilder(SharedBytesBuilder&& other) noexcept
      : block_(std::exchange(other.block_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  SharedBytesBuilder& operator=(SharedBytesBuilder&& other) noexcept {
    std::swap(block_, other.block_);
    std::swap(size_, other.size_);
    return *this;
  }
  ~SharedBytesBuilder();

  void append(std::string_view bytes);
  // Makes room for `size` more bytes at the end and returns where they go; the caller fills all of them.
  [[nodiscard]] char* extend(std::size_t size);
  [[nodiscard]] char* data();
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] std::string_view view() const;
  void truncate(std::size_t size) { size_ = size; }
  // The builder is empty afterwards and may be used for the next buffer.
  [[nodiscard]] SharedBytes finish();

 private:
  void reserve(std::size_t capacity);

  SharedBytes::Block* block_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace redraft
