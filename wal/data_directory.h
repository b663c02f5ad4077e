#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/file_system.h"
#include "base/result.h"
#include "wal/two_slot_file.h"

namespace redraft::wal {

// Who this directory belongs to (storage-faults rows 16, 17). An emptied directory has none and must never act under
// an earlier one.
struct Identity {
  std::array<std::uint8_t, 20> cluster_id{};  // 40 hex digits when printed, as Redis prints its ids
  std::uint64_t node_id = 0;
  std::uint64_t incarnation = 0;  // drawn anew whenever a node starts from an empty directory
  std::uint64_t boot = 0;         // raised durably at each start
  // The id that the operator gave this directory, if the cluster gave it another one: it had been somebody else's.
  std::uint64_t claimed_node = 0;
  // How long a start waits for what earlier ones may have promised in memory alone, in microseconds. Never falls.
  std::uint64_t promise_us = 0;
  bool founded_alone = false;  // it made its cluster by itself: nobody knows of it before its first entry is durable
  friend bool operator==(const Identity&, const Identity&) = default;
};

// The bytes of D/identity. kCorrupt, or kUnsupported for a later version.
[[nodiscard]] std::string encode_identity(const Identity& identity);
[[nodiscard]] Result<Identity> decode_identity(const std::string& bytes);

// The directory D of a node: D/lock (held as long as this object lives), D/identity, D/vote, and per group D/wal and
// D/snapshot, or D/group-n/wal and so on for n > 0. Used by one thread at a time.
class DataDirectory {
 public:
  // Makes what is missing, takes the lock (kInUse when another process has it), reads the identity. kCorrupt when both
  // of its copies are damaged, kUnsupported when it is of a later version; neither changes anything.
  [[nodiscard]] static Result<DataDirectory> open(FileSystem& files, const std::string& path);

  // Nothing while the directory is new.
  [[nodiscard]] const std::optional<Identity>& identity() const { return identity_; }
  // Durable when it returns; for a new directory, and for a new incarnation.
  [[nodiscard]] Status set_identity(const Identity& identity);
  // Adds one to the boot number and returns it, durable, and with it that this boot may promise for so long. Needs an
  // identity. Before anything is sent to a peer.
  [[nodiscard]] Result<std::uint64_t> raise_boot(std::uint64_t promise_us = 0);

  // True when a group's log directory already holds something: with no identity this is somebody's damaged directory,
  // not a new one.
  [[nodiscard]] Result<bool> has_log(std::uint64_t group = 0);

  [[nodiscard]] const std::string& path() const { return path_; }
  // Both create the directory when it is missing.
  [[nodiscard]] Result<std::string> log_directory(std::uint64_t group = 0);
  [[nodiscard]] Result<std::string> snapshot_directory(std::uint64_t group = 0);
  // Term and vote of a group; the caller encodes them.
  [[nodiscard]] Result<TwoSlotFile> open_vote(std::uint64_t group = 0);
  // In place of a vote file that is damaged beyond reading.
  [[nodiscard]] TwoSlotFile new_vote(std::uint64_t group = 0);
  [[nodiscard]] std::string group_path(std::uint64_t group = 0) const;

 private:
  DataDirectory(FileSystem& files, std::string path, std::unique_ptr<FileLock> lock, TwoSlotFile identity_file);

  FileSystem* files_;
  std::string path_;
  std::unique_ptr<FileLock> lock_;
  TwoSlotFile identity_file_;
  std::optional<Identity> identity_;
};

}  // namespace redraft::wal
