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
#include "server/replica/ballast.h"
#include "server/replica/fragments.h"
#include "server/replica/log_contents.h"
#include "server/replica/peers.h"
#include "server/replica/repair_mark.h"
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
  std::uint64_t assigned_node = 0;  // with it, if the cluster gave this directory its id
  bool founds_alone = false;        // with it, if nobody else was asked
  // Read entries anew for a follower that lags behind what is in memory.
  std::optional<raft::LogRead> load;
  // Entries below are covered by a durable snapshot and its tail: their segments may go.
  std::optional<raft::LogIndex> release_below;
  // Everything that may have been lost is on disk again: this node may vouch for itself from now on.
  bool repaired = false;
  // The state differs from the majority's: at its next start this node takes all of it from a peer.
  bool condemn_state = false;
};

struct DiskDone {
  raft::Ticket ticket;
  bool no_space = false;   // nothing of it is durable; it is tried again by itself, and reported again when done
  bool low_space = false;  // durable, but on the reserve: no new writes until there is room for it again
  bool unasked = false;    // answers no request: news of the disk's room alone
  bool repaired = false;
  bool condemned = false;
  std::optional<std::string> unreadable;  // `load` met damaged records; what and where
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
  Repair repair = Repair::kNone;      // with restored.may_vote == false
  std::vector<std::string> warnings;  // what was damaged, for the operator
};

// The data directory of one node: identity, vote, log and where its snapshots are. Owned by the disk thread after
// `open` (the simulator calls it inline); `execute` may be called from one thread only.
//
// Errors. kNoSpace is not one: the requests are kept and tried again by the next `execute`. Whatever else `execute`
// returns is final, and the caller ends the process without another word to the disk (storage-faults rows 5, 6).
//
// Damage (rows 2, 8, 9, 15). A node that has peers starts all the same, with what is verified and without a vote, and
// is repaired by them (docs/decisions, "Repair from peers"); one that is alone is kCorrupt and changes nothing.
class Storage {
 public:
  struct Options {
    std::uint64_t node = 0;  // 0: whoever the directory says
    bool joins = false;      // a new directory has no id until a cluster gives it one
    std::uint64_t segment_size = std::uint64_t{64} << 20;
    std::uint64_t seed = 0;  // salts, incarnation and hash seed of a new directory
    std::uint32_t databases = 16;
    bool has_peers = false;           // by its settings; what the directory says counts as well
    std::uint64_t reserve_bytes = 0;  // see Ballast; 0: none
    std::uint64_t lease_us = 0;       // longest lease this boot promises; later ones wait for it before they vote
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
  // Though something is asked all the time, `idle` should be called: the next segment would be missing.
  [[nodiscard]] bool upkeep_is_late() const { return log_->next_is_late(); }
  // Requests that found no space wait for the next `execute`.
  [[nodiscard]] bool stalled() const { return !stalled_.empty(); }
  // Writes found no space, and the reserve they went on with is not back yet: `idle` is to be called now and then.
  [[nodiscard]] bool reserve_spent() const { return ballast_.spent(); }
  // Once after the reserve was spent or is whole again: for `Replica::disk_done`, though nothing was asked.
  [[nodiscard]] std::optional<DiskDone> space_news();
  [[nodiscard]] FileSystem& files() { return files_; }
  [[nodiscard]] const std::string& snapshot_directory() const { return snapshot_directory_; }

 private:
  Storage(FileSystem& files, wal::DataDirectory directory, Options options);
  [[nodiscard]] Status load_snapshot_into(Recovered& recovered, const Progress& progress);
  [[nodiscard]] Result<LogContents> open_log(const raft::SnapshotMetadata& snapshot);
  // Term and vote out of the vote file and the log, each standing in for the other. False: both lost them.
  [[nodiscard]] Result<bool> recover_vote(const LogContents& contents, std::vector<std::string>& warnings);
  [[nodiscard]] Status begin_repair(Recovered& recovered, const LogContents& contents, bool vote_known);
  [[nodiscard]] Status forget_state();
  [[nodiscard]] Status read_extent(LogContents& contents);
  // After each sync, before anything is reported: a segment that holds acknowledged records is known to exist.
  [[nodiscard]] Status note_extent();
  // Identity, vote and mark: what has a file of its own.
  [[nodiscard]] Status write_metadata(const DiskRequest& request);
  [[nodiscard]] std::vector<DiskDone> stall(std::vector<DiskRequest> requests);
  [[nodiscard]] Status finish(const DiskRequest& request, DiskDone& done);
  [[nodiscard]] Status append(const std::vector<DiskRequest>& requests);
  [[nodiscard]] Status write_vote(const raft::HardState& hard_state);
  void load(const raft::LogRead& read, DiskDone& done);
  [[nodiscard]] Status release(raft::LogIndex below);
  [[nodiscard]] DiskDone report() const;

  FileSystem& files_;
  wal::DataDirectory directory_;
  Options options_;
  wal::Identity identity_;
  std::string snapshot_directory_;
  std::optional<wal::TwoSlotFile> vote_;
  std::unique_ptr<wal::Log> log_;
  raft::HardState hard_state_;

  EntryPlaces places_;
  wal::Sequence hard_state_record_{0};  // the newest one: it must not be released before it is written again
  std::optional<RepairMark> mark_;
  std::optional<wal::TwoSlotFile>
      extent_;  // the log's newest segment at least: a file that is gone leaves no other trace
  std::uint64_t noted_segment_ = 0;
  Ballast ballast_;
  bool told_low_space_ = false;
  std::vector<DiskRequest> stalled_;
  std::vector<wal::Record> records_;
  std::string headers_;
};

}  // namespace redraft::replica
