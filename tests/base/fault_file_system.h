#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/file_system.h"

namespace redraft::testing {

enum class Operation : std::uint8_t {
  kOpen,  // of an existing file
  kCreate,
  kWrite,
  kRead,
  kSyncData,
  kTruncate,
  kRename,
  kRemove,
  kMakeDirectories,
  kList,
  kSyncDirectory,
  kLock,
};
inline constexpr std::size_t kOperationCount = 12;
[[nodiscard]] std::string_view to_string(Operation operation);
// Everything but open, read, list and lock.
[[nodiscard]] bool changes_disk(Operation operation);

enum class Fault : std::uint8_t {
  kIo,          // nothing happens but the error; a failed sync leaves pages that look clean and are not on disk
  kNoSpace,     // a write is done in part before it fails
  kIoAfterPart  // EIO after a part of a write
};

// A file system in memory that knows what a power cut would leave (storage-faults rows 1, 10, 13). Per file it keeps
// what each 512-byte sector held since the last successful sync, per directory the names since its last sync.
// Deterministic: the same calls and seeds give the same bytes. Single-threaded. Files and locks of before a crash() or
// kill() stay valid objects whose every call fails with kIo.
class FaultFileSystem final : public FileSystem {
 public:
  FaultFileSystem();
  ~FaultFileSystem() override;

  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override;
  Status rename(const std::string& from, const std::string& to) override;
  Status remove(const std::string& path) override;
  Status make_directories(const std::string& path) override;
  Result<std::vector<std::string>> list(const std::string& directory) override;
  Status sync_directory(const std::string& directory) override;
  Result<std::unique_ptr<FileLock>> lock(const std::string& path) override;
  bool exists(const std::string& path) override;
  Result<std::uint64_t> free_bytes(const std::string& directory) override;

  // Power fails: of every unsynced sector one of the contents since the last sync remains, of unsynced names a random
  // subset. The seed decides, among other things whether nothing, everything or a random part survives. Faults that
  // were set are forgotten, capacity stays.
  void crash(std::uint64_t seed);
  // kill -9: handles and locks go, what was written stays as the page cache shows it.
  void kill();
  // An independent copy of the whole state but for open handles, locks, set faults and counters.
  [[nodiscard]] std::unique_ptr<FaultFileSystem> clone() const;

  // The nth (1 = the next) operation of that kind from now on whose path contains `path_part` fails, once.
  void fail(Operation operation, std::uint64_t nth, Fault fault, std::string path_part = {});
  // The nth operation that changes the disk from now on fails, once.
  void fail_change(std::uint64_t nth, Fault fault);
  // Every operation of that kind fails until clear_faults().
  void fail_always(Operation operation, Fault fault, std::string path_part = {});
  // The nth operation that changes the disk from now on is done in part (a write) or not at all, and every operation
  // after it fails: the moment of a power cut. Follow by crash().
  void stop_at_change(std::uint64_t nth);
  [[nodiscard]] bool stopped() const { return stopped_; }
  void clear_faults();
  // Bytes that all files together may occupy; writing beyond is kNoSpace.
  void set_capacity(std::optional<std::uint64_t> bytes) { capacity_ = bytes; }
  [[nodiscard]] std::uint64_t used_bytes() const;
  // A sync that returns without error and does nothing, for tests that must notice a missing one.
  void set_lying_syncs(Operation operation, bool lie);

  // Called before each operation; for tests that act at a certain moment. Must not call into this object's operations.
  std::function<void(Operation, const std::string& path)> on_operation;

  [[nodiscard]] std::uint64_t count(Operation operation) const { return counts_[static_cast<std::size_t>(operation)]; }
  // All operations that change the disk so far.
  [[nodiscard]] std::uint64_t changes() const;
  [[nodiscard]] std::uint64_t bytes_written() const { return bytes_written_; }
  void reset_counts();

  // Looking and meddling behind the program's back; all of it durable at once.
  [[nodiscard]] std::string content(const std::string& path) const;
  void set_content(const std::string& path, std::string bytes);
  void flip_bit(const std::string& path, std::uint64_t bit);
  // A bad sector: from now on every read that touches these bytes fails with EIO, also after a crash.
  void spoil(const std::string& path, std::uint64_t offset, std::uint64_t size);
  void remove_silently(const std::string& path);
  [[nodiscard]] std::vector<std::string> paths() const;

 private:
  class MemoryFile;
  class MemoryLock;
  struct Inode;
  struct NameChange;
  struct Directory;
  struct PlannedFault;

  // Counts the operation and says how it is to fail, if it is.
  [[nodiscard]] std::optional<Fault> before(Operation operation, const std::string& path);
  [[nodiscard]] Directory* directory_of(const std::string& path);
  [[nodiscard]] std::shared_ptr<Inode> find(const std::string& path) const;

  std::map<std::string, Directory> directories_;
  std::vector<PlannedFault> faults_;
  std::map<std::string, std::uint64_t> locks_;  // path to the generation that holds it
  std::uint64_t generation_ = 0;
  std::optional<std::uint64_t> capacity_;
  std::optional<std::uint64_t> stop_countdown_;
  bool stopped_ = false;
  bool lying_data_syncs_ = false;
  bool lying_directory_syncs_ = false;
  std::array<std::uint64_t, kOperationCount> counts_{};
  std::uint64_t bytes_written_ = 0;
};

}  // namespace redraft::testing
