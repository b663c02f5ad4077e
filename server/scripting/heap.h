#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace redraft::scripting {

// The memory of one Lua state: a region of its own whose addresses are the same in their low 32 bits in every process.
// Lua 5.1 hashes tables, functions and userdata by exactly those bits (lua/lua:ltable.c, hashpointer), so with an
// allocator that is a function of the requests alone, whatever a script does with them comes out the same on every node
// (pitfall G1). For the same reason the region can be saved and put back as bytes: a fresh environment for each call
// costs a copy.
//
// Counts what was requested; refuses beyond its limit, which is therefore reached at the same request everywhere. Not
// thread-safe; pointers into it hold until `restore`.
class Heap {
 public:
  static constexpr std::size_t kRegionSize = std::size_t{1} << 30;

  Heap();
  ~Heap();
  Heap(const Heap&) = delete;
  Heap& operator=(const Heap&) = delete;

  // As lua_Alloc wants it: 0 frees, nullptr is refusal.
  [[nodiscard]] void* resize(void* block, std::size_t old_size, std::size_t size);
  void set_limit(std::size_t bytes) { limit_ = bytes; }
  [[nodiscard]] std::size_t used() const { return header().used; }

  // Everything allocated so far, and putting it back. `image` is of this heap: it holds addresses.
  [[nodiscard]] std::string save() const;
  void restore(std::string_view image);
  // Gives memory that only the last call needed back to the system.
  void trim();

 private:
  static constexpr std::size_t kSmallMax = 1024;
  static constexpr std::size_t kSmallStep = 16;
  static constexpr std::size_t kSmallClasses = kSmallMax / kSmallStep + 1;
  static constexpr std::size_t kClasses = kSmallClasses + 4 * 20;
  static constexpr std::size_t kCommitStep = std::size_t{1} << 20;

  // At the region's start, so that it is saved and restored with the rest.
  struct Header {
    std::uint64_t used;
    std::uint64_t top;  // offset of the first byte that was never allocated
    // Offsets of the last freed block of each size; the block holds the offset of the one before.
    std::array<std::uint32_t, kClasses> free;
  };
  struct SizeClass {
    std::size_t index;
    std::size_t size;
  };
  [[nodiscard]] static SizeClass class_of(std::size_t size);
  [[nodiscard]] Header& header() const { return *reinterpret_cast<Header*>(base_); }
  [[nodiscard]] void* allocate(std::size_t size);
  void release(void* block, std::size_t size);
  void commit(std::size_t end);

  char* reserved_ = nullptr;
  char* base_ = nullptr;
  std::size_t committed_ = 0;
  std::size_t limit_ = kRegionSize;
};

}  // namespace redraft::scripting
