#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace redraft {

// One open file. Offsets and sizes in bytes. Not thread-safe, but `sync_data` may run while nothing else is called.
// Durable means: after a successful `sync_data`, and for a new, renamed or removed name after `sync_directory` too.
class File {
 public:
  virtual ~File() = default;
  // Writes all parts back to back at `offset`; short writes and EINTR are continued inside (storage-faults row 4).
  // On an error any part may have been written.
  [[nodiscard]] virtual Status write_at(std::uint64_t offset, std::span<const std::string_view> parts) = 0;
  // From now on writes of whole sectors of 512 bytes, in one part that begins at a multiple of 4 KiB in memory, bypass
  // the kernel's cache where the file system can. They are no more durable without sync_data than others.
  virtual void write_directly() {}
  // Fills `into` from `offset`; fewer bytes than asked means the end of the file.
  [[nodiscard]] virtual Result<std::size_t> read_at(std::uint64_t offset, std::span<char> into) = 0;
  // fdatasync. An error is final: the kernel may have dropped the dirty pages (row 5); callers never try again.
  [[nodiscard]] virtual Status sync_data() = 0;
  [[nodiscard]] virtual Result<std::uint64_t> size() = 0;
  [[nodiscard]] virtual Status truncate(std::uint64_t size) = 0;
};

enum class OpenMode { kRead, kReadWrite, kCreateNew /* fails if the name exists */, kCreateOrTruncate };

// Held for as long as the object lives; another process, or a second call in this one, gets ErrorCode::kInUse (row 17).
class FileLock {
 public:
  virtual ~FileLock() = default;
};

// All that redraft asks of a disk, so that tests can stand in for it. Paths are ordinary; names in one directory.
// Thread-safe as far as different files and names are concerned.
class FileSystem {
 public:
  virtual ~FileSystem() = default;
  [[nodiscard]] virtual Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) = 0;
  [[nodiscard]] virtual Status rename(const std::string& from, const std::string& to) = 0;
  [[nodiscard]] virtual Status remove(const std::string& path) = 0;
  // Makes the directory and its missing parents, each durable in its parent.
  [[nodiscard]] virtual Status make_directories(const std::string& path) = 0;
  // Names without their directory, sorted; no "." and "..".
  [[nodiscard]] virtual Result<std::vector<std::string>> list(const std::string& directory) = 0;
  // fsync of the directory: creations, renames and removals in it are durable afterwards (row 13).
  [[nodiscard]] virtual Status sync_directory(const std::string& directory) = 0;
  [[nodiscard]] virtual Result<std::unique_ptr<FileLock>> lock(const std::string& path) = 0;
  [[nodiscard]] virtual bool exists(const std::string& path) = 0;
  // Bytes an unprivileged process may still write on the file system that holds `directory`: tells when space is back.
  [[nodiscard]] virtual Result<std::uint64_t> free_bytes(const std::string& directory) = 0;
};

// The kernel's. One for the process is enough; it has no state.
[[nodiscard]] std::unique_ptr<FileSystem> posix_file_system();

}  // namespace redraft
