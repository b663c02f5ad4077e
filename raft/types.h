#pragma once

#include <compare>
#include <cstdint>

#include "base/shared_bytes.h"

namespace redraft::raft {

// Different things have different types, so that the compiler catches a swap. All are plain numbers with an order.

// A period with at most one leader (thesis 3.3). 0: before anything happened.
struct Term {
  std::uint64_t value = 0;
  friend constexpr auto operator<=>(Term, Term) = default;
};

// A position in the log, from 1; 0 is the place before the first entry, and its term is 0.
struct LogIndex {
  std::uint64_t value = 0;
  friend constexpr auto operator<=>(LogIndex, LogIndex) = default;
  friend constexpr LogIndex operator+(LogIndex index, std::uint64_t distance) { return {index.value + distance}; }
  friend constexpr LogIndex operator-(LogIndex index, std::uint64_t distance) { return {index.value - distance}; }
  friend constexpr std::uint64_t operator-(LogIndex to, LogIndex from) { return to.value - from.value; }
  constexpr LogIndex& operator++() {
    ++value;
    return *this;
  }
};

// The operator's name for a node; 0 is nobody.
struct NodeId {
  std::uint64_t value = 0;
  friend constexpr auto operator<=>(NodeId, NodeId) = default;
};

// One life of a node's directory, drawn when the directory is made. An emptied directory is another incarnation: its
// votes and acknowledgements must not be taken for those of the one that promised something (storage-faults row 16).
struct Incarnation {
  std::uint64_t value = 0;
  friend constexpr auto operator<=>(Incarnation, Incarnation) = default;
};

// Names one disk request; only ever grows within one life of the core. An (index, term) pair could not do this, since
// it repeats after a truncation (pitfall B9: completion of overwritten entries).
struct Ticket {
  std::uint64_t value = 0;
  friend constexpr auto operator<=>(Ticket, Ticket) = default;
};

// The caller's name for one linearizable read (or a batch of them); never used twice in one life (pitfall C2).
struct ReadId {
  std::uint64_t value = 0;
  friend constexpr auto operator<=>(ReadId, ReadId) = default;
};

// One Raft group of several that may share a process and a peer link.
struct GroupId {
  std::uint64_t value = 0;
  friend constexpr auto operator<=>(GroupId, GroupId) = default;
};

// Stored and sent as numbers: never renumbered.
enum class EntryType : std::uint8_t {
  kCommand = 1,
  kTermStart = 2,      // the first entry of a leader's term (thesis 6.4); its payload is the replica's
  kConfiguration = 3,  // payload: encode_configuration; in force as soon as it is in the log (thesis 4.1)
};

// No payload is larger; a bigger command travels as several entries. Also the bound of one AppendEntries.
inline constexpr std::size_t kPayloadSizeMax = std::size_t{1} << 20;

// The payload is opaque to this module, and one buffer for the log, every frame and apply. Its CRC-32C is computed once
// by the proposer and carried along.
struct Entry {
  LogIndex index;
  Term term;
  EntryType type = EntryType::kCommand;
  std::uint32_t payload_crc = 0;
  SharedBytes payload;
};

// What must be durable before anything that vouches for it leaves (paper figure 2, "persistent state"; the log is the
// third part).
struct HardState {
  Term term;
  NodeId voted_for;  // 0: nobody in this term
  friend bool operator==(const HardState&, const HardState&) = default;
};

enum class Role : std::uint8_t { kFollower, kPreCandidate, kCandidate, kLeader };

}  // namespace redraft::raft
