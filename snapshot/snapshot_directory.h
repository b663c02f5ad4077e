#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "base/result.h"
#include "snapshot/format.h"
#include "snapshot/snapshot_reader.h"

namespace redraft::snapshot {

struct SnapshotFile {
  std::uint64_t index = 0;
  std::uint64_t term = 0;
  std::string path;
};

// The finished snapshots of a directory, newest (highest index, then term) first. Nothing is opened.
[[nodiscard]] Result<std::vector<SnapshotFile>> list_snapshots(FileSystem& files, const std::string& directory);

struct Selection {
  std::unique_ptr<SnapshotReader> reader;  // null when the directory holds none that is intact
  std::vector<std::string> problems;       // one sentence for each newer one that is damaged
};

// Opens the newest snapshot whose every byte verifies, falling back to older ones (storage-faults row 9); whether the
// log reaches back to it is for the caller to see. kUnsupported when the newest is of a later version (row 20).
[[nodiscard]] Result<Selection> open_newest(FileSystem& files, const std::string& directory);

// Removes temporary files of interrupted writers, partial transfers at or below the newest finished snapshot, and
// finished snapshots but for the `keep` newest. Only a directory without a running writer may be cleaned of leftovers:
// at start, or with `running_writer_index` naming the one that runs.
[[nodiscard]] Status clean_directory(FileSystem& files, const std::string& directory, std::size_t keep = 2,
                                     std::uint64_t running_writer_index = 0);

// True when a transfer was begun and not finished: such a node must not campaign on the state before it (pitfall A8).
[[nodiscard]] Result<bool> has_partial_transfer(FileSystem& files, const std::string& directory);

}  // namespace redraft::snapshot
