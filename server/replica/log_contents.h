#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>

#include "raft/configuration.h"
#include "raft/types.h"
#include "wal/log.h"

namespace redraft::replica {

// The kinds of log records, docs/wal-format.md ("What redraft writes"). Never renumbered.
enum RecordKind : std::uint8_t {
  kEntryRecord = 1,      // raft::EntryHeader, and the entry's payload
  kHardStateRecord = 2,  // raft::HardState
  kRestartRecord = 3,    // the log starts anew behind a snapshot: its metadata, then one byte: are later entries kept
  kRepairRecord = 4,     // what was read of entries behind this (index, term) does not count: a repair begins there
};

[[nodiscard]] std::optional<raft::Entry> decode_entry(const wal::RecordView& record, raft::LogIndex& commit_index);
[[nodiscard]] std::string encode_repair(raft::LogIndex index, raft::Term term);

// Which record holds which entry; later records override earlier ones.
class EntryPlaces {
 public:
  // Overrides the entries from that index on (conflicts, paper 5.3). What lies behind a gap is useless.
  void remember(raft::LogIndex index, wal::Sequence sequence);
  // The log starts anew behind `index`; what lies behind it stays only if `keep_later`.
  void restart_after(raft::LogIndex index, bool keep_later);
  void truncate_after(raft::LogIndex index);
  void forget_below(raft::LogIndex index);
  void clear() { sequences_.clear(); }
  [[nodiscard]] std::optional<wal::Sequence> find(raft::LogIndex index) const;
  [[nodiscard]] std::optional<wal::Sequence> oldest() const;

 private:
  std::deque<wal::Sequence> sequences_;
  raft::LogIndex first_{1};  // of sequences_.front()
};

// What the records of a log say, read in order with some of them perhaps missing. Entries behind a hole do not count:
// the missing records may have overridden any of those in front or behind (pitfall F5, storage-faults rows 2 and 11).
// Exceptions: what is told anew in full behind the hole, from the snapshot on; and what a repair wrote.
class LogContents {
 public:
  // Entries up to `snapshot` are part of a snapshot that was verified, whose last entry is of `snapshot_term`.
  LogContents(raft::LogIndex snapshot, raft::Term snapshot_term) : snapshot_(snapshot), snapshot_term_(snapshot_term) {}

  // A record from wal::Log::Visitor, in order.
  void add(const wal::RecordView& record);
  // After the last one, with what opening the log found.
  void finish(const wal::Recovery& recovery);
  // The newest files of the log are gone.
  void lost_end(const std::string& where);

  // Acknowledged entries may be missing from here on.
  struct Hole {
    std::string where;      // file and offset, as far as known
    raft::LogIndex index;   // first entry that is missing
    raft::LogIndex beyond;  // highest entry seen behind it; 0: none
    [[nodiscard]] std::string describe() const;
  };
  [[nodiscard]] const std::optional<Hole>& hole() const { return hole_; }
  // A record that verifies and that this version did not write.
  [[nodiscard]] bool malformed() const { return malformed_; }

  // Entries behind the snapshot without a gap, up to the hole if there is one.
  std::deque<raft::Entry> entries;
  raft::LogIndex commit_index;  // highest that those say; never above the last of them or the snapshot
  raft::HardState hard_state;   // the newest in the log
  // No record is missing behind the newest hard state: it is the last one ever acted upon.
  [[nodiscard]] bool hard_state_known() const { return hard_state_known_; }
  wal::Sequence hard_state_record;
  EntryPlaces places;
  std::size_t members_seen = 0;  // in the largest configuration of any record, whether it counts or not

  // The log by itself accounts for the snapshot: it has the snapshot's last entry, or starts behind it. Otherwise the
  // process died between the two, and none of the entries count: should that snapshot be damaged later, only a log that
  // was started anew behind it shows that something is missing.
  [[nodiscard]] bool leads_to_snapshot() const { return leads_to_snapshot_; }
  // The last entry that counts, the snapshot's if none follows it.
  [[nodiscard]] raft::LogIndex last_index() const;

 private:
  void add_entry(const wal::RecordView& record);
  void add_restart(const wal::RecordView& record);
  void add_repair(const wal::RecordView& record);
  void begin_hole(raft::LogIndex beyond);
  void anchor(raft::LogIndex last);
  void note_term(raft::LogIndex index, raft::Term term);
  [[nodiscard]] bool agrees_with_snapshot() const;

  raft::LogIndex snapshot_;
  raft::Term snapshot_term_;
  raft::Term term_there_;  // of the log's own entry at snapshot_; 0: the log does not have it
  raft::LogIndex last_;    // of the run of entries that counts; the snapshot's index or one before it at least
  bool anchored_ = false;
  bool leads_to_snapshot_ = true;
  bool malformed_ = false;
  bool hard_state_known_ = true;
  wal::Sequence first_seen_;
  wal::Sequence expected_;  // 0: no record yet
  std::optional<Hole> hole_;
};

}  // namespace redraft::replica
