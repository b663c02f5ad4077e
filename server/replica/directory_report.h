#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/file_system.h"
#include "base/result.h"
#include "raft/configuration.h"
#include "raft/types.h"
#include "server/replica/repair_mark.h"
#include "wal/data_directory.h"

namespace redraft::replica {

// All that a data directory says, as a node that starts on it would understand it. Nothing in the directory is changed.
struct DirectoryReport {
  std::optional<wal::Identity> identity;
  raft::HardState hard_state;
  raft::Configuration configuration;  // the newest that counts
  raft::LogIndex snapshot_index;
  raft::LogIndex first_index;  // of the log behind the snapshot; 0: it holds no entries
  raft::LogIndex last_index;   // the last entry that counts, the snapshot's if none follows it
  raft::Term last_term;
  raft::LogIndex commit_index;  // known to be committed by what is written here; more may be
  Repair repair = Repair::kNone;

  std::vector<std::string> lines;   // what is there, a sentence each
  std::vector<std::string> damage;  // what is damaged, with file and offset; empty: nothing
};

// kInUse when a process has the directory, kNotFound when it is none, kUnsupported for a later version, kIo.
[[nodiscard]] Result<DirectoryReport> report_directory(FileSystem& files, const std::string& path);

// One line per segment and record of the log, with what each record means to redraft.
[[nodiscard]] Status dump_directory(FileSystem& files, const std::string& path,
                                    const std::function<void(std::string_view)>& line);

// For a cluster that has lost its majority for good: makes the node of `path` the only member of a cluster of its own,
// with all entries that its log holds, committed or not. `decision` is kept in D/recovery.txt. May be repeated after
// a crash. `random` names the new cluster and incarnation. Returns the new cluster's id in hex.
[[nodiscard]] Result<std::string> found_anew(FileSystem& files, const std::string& path, const std::string& decision,
                                             const std::array<std::uint8_t, 28>& random);

}  // namespace redraft::replica
