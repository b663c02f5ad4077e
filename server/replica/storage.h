#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "base/result.h"
#include "raft/output.h"
#include "raft/restored.h"
#include "raft/types.h"
#include "server/replica/fragments.h"
#include "server/replica/peers.h"
#include "server/store/store.h"
#include "wal/data_directory.h"
#include "wal/log.h"

namespace redraft::replica {

// One piece of work for the log's disk thread. Requests are carried out in order; what gathered during one sync shares
// the next.
struct DiskRequest {
  // What Raft wants written; `Persisted{raft.ticket}` follows when it is durable.
  raft::DiskRequest raft;
  // Forms the cluster: the identity becomes durable.
  std::optional<ClusterId> bootstrap;
  // Read entries anew for a follower that lags behind what is in memory.
  std::optional<raft::LogRead> load;
  // Entries below are covered by a durable snapshot and its tail: their segments may go.
  std::optional<raft::LogIndex> release_below;
};

struct DiskDone {
  raft::Ticket ticket;
  bool no_space = false;  // nothing of it is durable; it is tried again by itself, and reported again when done
  bool bootstrapped = false;
  std::optional<raft::LogRead> load;
  std::vector<raft::Entry> loaded;  // empty: those entries are not there any more
  std::optional<raft::LogIndex> released_below;
  std::uint64_t log_bytes = 0;
};

// What a start finds in the directory.
struct Recovered {
  wal::Identity identity;
  raft::Restored restored;
  std::unique_ptr<store::Store> store;
  Fragments fragments;
  std::uint64_t log_bytes = 0;
};

// The data directory of one node: identity, vote, log and where its snapshots are. Owned by the disk thread after
// `open` (the simulator calls it inline); `execute` may be called from one thread only.
//
// Errors. kNoSpace is not one: the requests are kept and tried again by the next `execute`. Whatever else `execute`
// returns is final, and the caller ends the process without another word to the disk (storage-faults rows 5, 6).
class Storage {
 public:
  struct Options {
    std::uint64_t node = 0;  // 0: whoever the directory says
    std::uint64_t segment_size = std::uint64_t{64} << 20;
    std::uint64_t seed = 0;  // salts, incarnation and hash seed of a new directory
    std::uint32_t databases = 16;
  };

  // Takes the lock, reads or creates the identity, raises the boot number durably.
  [[nodiscard]] static Result<std::unique_ptr<Storage>> open(FileSystem& files, const std::string& directory,
                                                             const Options& options);
  using Progress = std::function<void(std::uint64_t bytes_read, std::uint64_t bytes_total)>;
  // Loads snapshot and log. Once, before anything else.
  [[nodiscard]] Result<std::unique_ptr<Recovered>> recover(const Progress& progress);

  [[nodiscard]] const wal::Identity& identity() const { return identity_; }
  [[nodiscard]] Result<std::vector<DiskDone>> execute(std::vector<DiskRequest> requests);
  // When nothing is asked: prepares the next segment, carries `synced_to` forward. True when there is no more to do.
  [[nodiscard]] Result<bool> idle();
  // Requests that found no space wait for the next `execute`.
  [[nodiscard]] bool stalled() const { return !stalled_.empty(); }
  [[nodiscard]] FileSystem& files() { return files_; }
  [[nodiscard]] const std::string& snapshot_directory() const { return snapshot_directory_; }

 private:
  Storage(FileSystem& files, wal::DataDirectory directory, Options options);
  [[nodiscard]] Status open_log(raft::Restored& restored);
  [[nodiscard]] std::vector<DiskDone> stall(std::vector<DiskRequest> requests);
  [[nodiscard]] Status append(const std::vector<DiskRequest>& requests);
  [[nodiscard]] Status write_vote(const raft::HardState& hard_state);
  [[nodiscard]] Result<std::vector<raft::Entry>> load(const raft::LogRead& read);
  [[nodiscard]] Status release(raft::LogIndex below);
  void restart_after(raft::LogIndex index, bool keep_later);
  void remember(raft::LogIndex index, wal::Sequence sequence);

  FileSystem& files_;
  wal::DataDirectory directory_;
  Options options_;
  wal::Identity identity_;
  std::string snapshot_directory_;
  std::optional<wal::TwoSlotFile> vote_;
  std::unique_ptr<wal::Log> log_;
  raft::HardState hard_state_;

  // Which record holds the entry with index first_index_ + i; later records override earlier ones.
  std::deque<wal::Sequence> sequences_;
  raft::LogIndex first_index_{1};
  wal::Sequence hard_state_record_{0};  // the newest one: it must not be released before it is written again
  std::vector<DiskRequest> stalled_;
  std::vector<wal::Record> records_;
  std::string headers_;
};

}  // namespace redraft::replica
