#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <set>
#include <string_view>
#include <utility>

#include "server/store/hash_trie.h"
#include "server/store/key.h"
#include "server/store/slot.h"

namespace redraft::store {

struct KeyTraits {
  using Item = Key*;
  static std::string_view key(const Key* key) { return key->name(); }
  static std::uint64_t hash(std::uint64_t seed, const Key* key);
};
using KeyTrie = HashTrie<KeyTraits>;
[[nodiscard]] std::uint64_t hash_of(std::uint64_t seed, std::string_view bytes);

// By deadline, then by name: addresses would make the order of `expired` events differ from run to run.
struct EarlierDeadline {
  using Entry = std::pair<std::uint64_t, Key*>;
  using is_transparent = void;
  bool operator()(const Entry& entry, std::uint64_t deadline_ms) const { return entry.first < deadline_ms; }
  bool operator()(std::uint64_t deadline_ms, const Entry& entry) const { return deadline_ms < entry.first; }
  bool operator()(const Entry& a, const Entry& b) const {
    return a.first != b.first ? a.first < b.first : a.second->name() < b.second->name();
  }
};

// One of the numbered databases: a trie for each hash slot, so that keys of one slot are counted in O(1) and listed in
// O(answer), and the deadlines in order. Physical: expired keys are here until they are freed.
class Database {
 public:
  // For a change; the first one makes the 128 KiB of slots.
  [[nodiscard]] KeyTrie& slot(std::uint32_t number) {
    if (slots_ == nullptr) slots_ = std::make_unique<std::array<KeyTrie, kSlotCount>>();
    return (*slots_)[number];
  }
  [[nodiscard]] const KeyTrie& slot(std::uint32_t number) const {
    static const KeyTrie kEmpty;
    return slots_ == nullptr ? kEmpty : (*slots_)[number];
  }

  std::uint64_t keys = 0;
  // (deadline, key) of every key that has one, the earliest first.
  std::set<EarlierDeadline::Entry, EarlierDeadline> deadlines;
  // Its number when the walk under way began; no other database has that number in this walk.
  std::uint32_t walk_number = 0;
  std::uint32_t free_next = 0;  // the first slot that may hold keys, while it is freed in slices

 private:
  std::unique_ptr<std::array<KeyTrie, kSlotCount>> slots_;
};

}  // namespace redraft::store
