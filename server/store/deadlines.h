#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "server/store/key.h"

namespace redraft::store {

// Every key of a database that has a deadline, the earliest first; keys of one deadline in an order that is a function
// of their names, since addresses would make the order of `expired` events differ from run to run. Two levels of sorted
// arrays, sixteen bytes a key: neither finding a key nor ordering two touches another key's memory, which is what a
// tree of pointers spends its time on. Owns no keys. A key's name and deadline do not change while it is in here.
class Deadlines {
  struct Entry {
    std::uint64_t deadline_ms;
    std::uint64_t tagged;  // the key's address, below sixteen bits of its name's hash
    [[nodiscard]] Key& key() const { return *reinterpret_cast<Key*>(tagged & kAddress); }
  };
  // Never empty. Its first entry is repeated beside it, so that the search among runs stays in one array.
  struct Run {
    Entry first;
    std::vector<Entry> entries;
  };

 public:
  // Valid until the next change.
  class Position {
   public:
    [[nodiscard]] bool at_end() const { return run_ == runs_->size(); }
    // Of one that is not at the end.
    [[nodiscard]] Key& key() const { return entry().key(); }
    [[nodiscard]] std::uint64_t deadline_ms() const { return entry().deadline_ms; }
    void advance() {
      if (++entry_ < (*runs_)[run_].entries.size()) return;
      ++run_;
      entry_ = 0;
    }

   private:
    friend class Deadlines;
    Position(const std::vector<Run>& runs, std::size_t run, std::size_t entry)
        : runs_(&runs), run_(run), entry_(entry) {}
    [[nodiscard]] const Entry& entry() const { return (*runs_)[run_].entries[entry_]; }

    const std::vector<Run>* runs_;
    std::size_t run_;
    std::size_t entry_;
  };

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  // Of none that is empty.
  [[nodiscard]] Key& earliest() const { return runs_.front().first.key(); }
  [[nodiscard]] std::uint64_t earliest_ms() const { return runs_.front().first.deadline_ms; }
  [[nodiscard]] std::uint64_t latest_ms() const { return runs_.back().entries.back().deadline_ms; }
  // From the first key whose deadline is that or later.
  [[nodiscard]] Position from(std::uint64_t deadline_ms) const;

  // The key has a deadline.
  void insert(Key& key);
  void erase(const Key& key);
  // Another block takes the place of one of the same name, with whatever deadline.
  void replace(const Key& old, Key& key);
  // Forgets about so many of the latest, at least one; returns how many.
  std::size_t drop_some(std::size_t count);

 private:
  static constexpr std::uint64_t kAddress = (std::uint64_t{1} << 48) - 1;
  static constexpr std::size_t kRunMax = 512;

  struct Found {
    std::size_t run;
    std::size_t entry;
  };
  [[nodiscard]] static Entry entry_of(const Key& key);
  [[nodiscard]] static bool earlier(const Entry& a, const Entry& b);
  [[nodiscard]] std::size_t run_for(const Entry& entry) const;
  [[nodiscard]] Found find(const Key& key) const;
  void split(std::size_t run);
  void merge(std::size_t run);

  std::vector<Run> runs_;
  std::size_t size_ = 0;
};

}  // namespace redraft::store
