#pragma once

#include <optional>
#include <vector>

#include "base/ring.h"
#include "raft/types.h"

namespace redraft::raft {

// What the core knows of the log: the term of every entry from the compaction point on (a few runs, whatever the
// length), and the entries themselves for a tail that is in memory. Everything not yet applied and durable is in that
// tail; older entries leave it by bytes and count, sooner when nobody lacks them, and are read from disk when a lagging
// follower needs them. Not thread-safe.
class Log {
 public:
  struct Limits {
    std::size_t cached_bytes_max = std::size_t{8} << 20;
    std::size_t cached_entries_max = 8192;
    // Of what every other node has: nobody is likely to ask for it again.
    std::size_t known_bytes_max = std::size_t{256} << 10;
  };
  explicit Log(Limits limits) : limits_(limits) {}

  // The log is empty behind (index, term): a snapshot, or (0, 0).
  void reset(LogIndex index, Term term);

  // The first index that is not compacted; one past the last if there is none.
  [[nodiscard]] LogIndex first_index() const { return compacted_index_ + 1; }
  [[nodiscard]] LogIndex last_index() const { return last_index_; }
  [[nodiscard]] Term last_term() const;
  // Known for [first_index() - 1, last_index()], the compaction point included (pitfalls A5, B5); nothing elsewhere.
  [[nodiscard]] std::optional<Term> term_of(LogIndex index) const;
  [[nodiscard]] bool matches(LogIndex index, Term term) const;
  // (index, term) is at least as new as our last entry (paper 5.4.1).
  [[nodiscard]] bool is_up_to_date(LogIndex index, Term term) const;
  // The largest known index <= `index` whose term is <= `term`; the place before the log if there is none. Never fails
  // for an index below the log (pitfall B5).
  [[nodiscard]] LogIndex last_index_not_newer_than(LogIndex index, Term term) const;

  // Needs entry.index == last_index() + 1 and a term not smaller than the last.
  void append(Entry entry);
  // Needs first_index() <= index <= last_index() and the tail from there in memory or above the cached part.
  void truncate_from(LogIndex index);
  // Forgets everything at and below `index`, whose term stays known. Needs it to be known.
  void compact_to(LogIndex index);
  // Lets entries at or below `index` leave memory as the limits demand. Those at or below `known` are on every other
  // node's disk, as far as this one has heard.
  void shrink_cache(LogIndex index, LogIndex known);

  // Null if not in memory.
  [[nodiscard]] const Entry* find(LogIndex index) const;
  [[nodiscard]] LogIndex first_cached_index() const { return last_index_ + 1 - cache_.size(); }
  [[nodiscard]] std::size_t cached_bytes() const { return cached_bytes_; }

 private:
  // Entries from `first` up to the next run's first have this term.
  struct TermRun {
    LogIndex first;
    Term term;
  };

  Limits limits_;
  LogIndex compacted_index_;
  Term compacted_term_;
  LogIndex last_index_;
  std::vector<TermRun> runs_;  // the first run begins at first_index() at the latest; terms grow
  Ring<Entry> cache_;          // ends with last_index_
  std::size_t cached_bytes_ = 0;
};

}  // namespace redraft::raft
