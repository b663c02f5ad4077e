#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string_view>

#include "base/file_system.h"
#include "base/result.h"

namespace redraft::wal {

// Writes bytes back to back into a file, as whole blocks from aligned memory: what File::write_directly asks for. The
// first block is written again with what stands in it already, the last one is filled up with zeros, so nothing that
// counts may lie behind the end. As with a page of the kernel's cache, a block is written again until it is full.
class BlockWriter {
 public:
  static constexpr std::size_t kBlock = 4096;
  static constexpr std::size_t kRoomMax = 8192;

  // Goes on at `offset` of `file`, whose `number` no other file ever has. Bytes from `limit` on, a multiple of 512,
  // stay what they are. An error is one of reading what stands in the first block.
  [[nodiscard]] Status begin(File& file, std::uint64_t number, std::uint64_t offset, std::uint64_t limit);
  // For the caller to fill before the next call; at most kRoomMax bytes.
  [[nodiscard]] char* room(std::size_t size);
  void put(std::string_view bytes);
  // All of it is written when this returns without error, and any part of it otherwise.
  [[nodiscard]] Status finish();

 private:
  static constexpr std::size_t kCapacity = std::size_t{1} << 20;
  struct Free {
    void operator()(char* memory) const { std::free(memory); }
  };

  void write_whole_blocks();
  void write(std::size_t bytes);
  void drop(std::size_t bytes);

  std::unique_ptr<char, Free> buffer_{static_cast<char*>(std::aligned_alloc(kBlock, kCapacity))};
  File* file_ = nullptr;
  std::uint64_t number_ = 0;  // 0: no file, or what stands in the first block is not known
  std::uint64_t begin_ = 0;   // where the buffer goes: a whole number of blocks
  std::size_t used_ = 0;
  std::uint64_t limit_ = 0;
  Status written_ = Done{};  // since `begin`
};

}  // namespace redraft::wal
