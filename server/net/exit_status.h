#pragma once

namespace redraft::net {

// Why the process ended, one status for each reason, so that whoever restarts it can tell a mistake in the
// configuration from a failing disk. Statuses are never reused; docs and service files may name them.
enum class ExitStatus : int {
  kClean = 0,
  kConfiguration = 1,         // command line, file, addresses or ports that cannot be used
  kDirectoryRefused = 2,      // the data directory is in use, of another node or cluster, or of a newer version
  kDiskFailed = 3,            // a write or sync of log or metadata failed (storage-faults rows 5, 6, 19)
  kDirectoryCorrupt = 4,      // durable bytes are damaged and could not be repaired (rows 2, 8, 9, 15)
  kDirectoryUnavailable = 5,  // the data directory cannot be read or has no room for the log at start
  kRebuild = 6,               // an audit found this node's state unlike the majority's: the next start fetches it anew
  // 134 (SIGABRT): an invariant is broken, see base/check.h.
};

}  // namespace redraft::net
