#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string_view>

#include "server/store/deadlines.h"
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
  Deadlines deadlines;
  // Its number when the walk under way began; no other database has that number in this walk.
  std::uint32_t walk_number = 0;
  std::uint32_t free_next = 0;  // the first slot that may hold keys, while it is freed in slices

 private:
  std::unique_ptr<std::array<KeyTrie, kSlotCount>> slots_;
};

}  // namespace redraft::store
