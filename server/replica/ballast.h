#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/file_system.h"
#include "base/result.h"

namespace redraft::replica {

// A file that only takes up room, so that a full disk still has some: it is given up when a write finds no space, what
// waits is then written, a snapshot is taken and the log shortened, and it is made again once there is room for it
// and some more (storage-faults row 7). While it is spent the node takes no new writes. Not thread-safe.
class Ballast {
 public:
  // `size` 0: none is wanted.
  Ballast(FileSystem& files, std::string directory, std::uint64_t size);

  // Whether a former process left it whole.
  [[nodiscard]] Status find();
  [[nodiscard]] bool whole() const { return size_ == 0 || whole_; }
  // It was given up for lack of space and is not back yet.
  [[nodiscard]] bool spent() const { return spent_; }
  void give_up();
  // One step of making it, about 1 MiB; true when there is nothing to do (now). Never an error: without room it waits.
  [[nodiscard]] bool restore();

 private:
  void remove();

  FileSystem& files_;
  std::string directory_;
  std::string path_;
  std::uint64_t size_;
  std::unique_ptr<File> file_;  // while it is being made
  std::uint64_t filled_ = 0;
  bool whole_ = false;
  bool spent_ = false;
};

}  // namespace redraft::replica
