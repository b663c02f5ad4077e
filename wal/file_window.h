#pragma once

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/file_system.h"
#include "base/result.h"

namespace redraft::wal {

// Reads a file mostly forwards through one buffer. Borrows the file.
class FileWindow {
 public:
  // What the disk can not read back is an error, or bytes that verify nowhere, where damage is looked for anyway.
  enum class Unreadable : std::uint8_t { kIsAnError, kIsDamage };

  // `size` is what the file is expected to have; the buffer need not be larger.
  FileWindow(File& file, std::uint64_t size, Unreadable unreadable = Unreadable::kIsAnError)
      : file_(file), step_(static_cast<std::size_t>(std::min(size, std::uint64_t{1} << 20))), unreadable_(unreadable) {}

  // Up to `size` bytes at `offset`, fewer only at the end of the file. Valid until the next call.
  [[nodiscard]] Result<std::string_view> at(std::uint64_t offset, std::size_t size);
  // As many as happen to be there, at least `size` unless the file ends.
  [[nodiscard]] Result<std::string_view> rest_at(std::uint64_t offset, std::size_t size);
  // Where the last piece ends that could not be read; 0: everything could.
  [[nodiscard]] std::uint64_t unreadable_end() const { return unreadable_end_; }

 private:
  [[nodiscard]] Result<std::size_t> fill(std::uint64_t offset);
  [[nodiscard]] Result<std::size_t> fill_in_pieces(std::uint64_t offset);

  File& file_;
  std::size_t step_;
  Unreadable unreadable_;
  std::uint64_t unreadable_end_ = 0;
  std::uint64_t begin_ = 0;
  std::size_t filled_ = 0;
  bool at_end_ = false;  // the file ends where the window does
  std::vector<char> buffer_;
};

}  // namespace redraft::wal
