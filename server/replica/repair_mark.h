#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/file_system.h"
#include "base/result.h"
#include "wal/two_slot_file.h"

namespace redraft::replica {

// Why this node may not vouch for itself. Numbers are on disk: never renumbered.
enum class Repair : std::uint8_t {
  kNone = 0,
  kEntries = 1,  // acknowledged entries may be missing, until a leader has brought them back
  kVote = 2,     // it forgot whom it voted for: for ever, under this identity
  kState = 3,    // its state was found to differ from the majority's: all of it is to come from a peer
};
[[nodiscard]] std::string to_string(Repair repair);

// The file D/repair: what survives a restart of a node in repair. It is written before the first record of the repair
// and taken back only when everything is there, so that no crash in between makes a voter out of a node with a hole
// (storage-faults row 2). Both slots damaged count as kEntries. Not thread-safe.
class RepairMark {
 public:
  [[nodiscard]] static Result<RepairMark> open(FileSystem& files, const std::string& directory);
  [[nodiscard]] Repair repair() const { return repair_; }
  // Durable when it returns. kVote is never taken back.
  [[nodiscard]] Status set(Repair repair);
  // For a new incarnation only: whatever was marked is another's.
  [[nodiscard]] Status forget();

 private:
  RepairMark(wal::TwoSlotFile file, Repair repair) : file_(std::move(file)), repair_(repair) {}
  wal::TwoSlotFile file_;
  Repair repair_;
};

}  // namespace redraft::replica
