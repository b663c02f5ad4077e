// The store's commands over many keys: SCAN, samples, slots.
#include <algorithm>
#include <utility>

#include "base/check.h"
#include "server/store/store.h"

namespace redraft::store {
namespace {

// SCAN's cursor: the slot, then the first bits of the hash. Leaves are never deeper, and it stays below 2^53.
constexpr int kCursorHashBits = 36;
static_assert(KeyTrie::kDepthMax <= kCursorHashBits);

}  // namespace

DatabaseCounts Store::counts(std::uint32_t db) const {
  return {databases_[db]->keys, databases_[db]->deadlines.size()};
}

std::uint64_t Store::scan(std::uint32_t db, std::uint64_t cursor, std::size_t count,
                          const std::function<void(const Key&)>& visit) const {
  const Database& database = *databases_[db];
  auto slot = static_cast<std::uint32_t>(cursor >> kCursorHashBits);
  std::uint64_t from = cursor << (64 - kCursorHashBits);
  std::size_t visited = 0;
  // Empty slots cost a little too, so that one call is bounded work whatever COUNT says.
  const std::size_t work_max = std::min<std::size_t>(count, 10000) + kSlotCount;
  for (std::size_t work = 0; slot < kSlotCount && work < work_max; ++work) {
    std::uint64_t next = 0;
    KeyTrie::Leaf* leaf = database.slot(slot).leaf_from(from, next);
    if (leaf != nullptr) {
      for (std::uint32_t i = 0; i < leaf->count; ++i) {
        if (!expired(*leaf->items()[i])) visit(*leaf->items()[i]);
      }
      visited += leaf->count;
      work += leaf->count;
    }
    from = leaf == nullptr ? 0 : next;
    if (from == 0) ++slot;
    if (visited >= count) break;
  }
  return slot >= kSlotCount ? 0 : std::uint64_t{slot} << kCursorHashBits | from >> (64 - kCursorHashBits);
}

void Store::for_each_key(std::uint32_t db, Breather& breather, const std::function<void(const Key&)>& visit) const {
  for_each_key(*databases_[db], 0, kSlotCount, breather, visit);
}

void Store::for_each_key(const Database& database, std::uint32_t first_slot, std::uint32_t end_slot, Breather& breather,
                         const std::function<void(const Key&)>& visit) const {
  if (database.keys == 0) return;
  std::size_t since_breath = 0;
  for (std::uint32_t slot = first_slot; slot < end_slot; ++slot) {
    std::uint64_t from = 0;
    while (KeyTrie::Leaf* leaf = database.slot(slot).leaf_from(from, from)) {
      for (std::uint32_t i = 0; i < leaf->count; ++i) {
        if (!expired(*leaf->items()[i])) visit(*leaf->items()[i]);
      }
      since_breath += leaf->count;
      if (since_breath >= 256) {
        since_breath = 0;
        breather.breathe();
      }
      if (from == 0) break;
    }
  }
}

const Key* Store::random_key(std::uint32_t db, std::uint64_t random) const {
  const Database& database = *databases_[db];
  if (database.keys == 0) return nullptr;
  // From a random slot on, the first live key at or after a random rank.
  std::uint64_t looked = 0;
  for (std::uint32_t tried = 0; tried < kSlotCount && looked < 4096; ++tried) {
    const KeyTrie& keys = database.slot(static_cast<std::uint32_t>((random + tried) % kSlotCount));
    const std::uint64_t size = keys.size();
    for (std::uint64_t i = 0; i < std::min<std::uint64_t>(size, 100); ++i, ++looked) {
      const Key* key = keys.at(((random >> 14) + i) % size).item();
      if (!expired(*key)) return key;
    }
  }
  return nullptr;
}

void Store::sample(std::uint32_t db, std::uint64_t random, std::size_t count, bool with_deadline,
                   const std::function<void(const Key&)>& visit) const {
  const Database& database = *databases_[db];
  if (with_deadline) {
    if (database.deadlines.empty()) return;
    // From a random moment between the first deadline and the last.
    const std::uint64_t first = database.deadlines.earliest_ms();
    const std::uint64_t span = database.deadlines.latest_ms() - first + 1;
    auto at = database.deadlines.from(first + (span == 0 ? 0 : random % span));
    for (; count > 0; --count, at.advance()) {
      if (at.at_end()) at = database.deadlines.from(first);
      if (!expired(at.key())) visit(at.key());
    }
    return;
  }
  if (database.keys == 0) return;
  for (std::uint32_t tried = 0; tried < kSlotCount && count > 0; ++tried) {
    const KeyTrie& keys = database.slot(static_cast<std::uint32_t>((random + tried) % kSlotCount));
    const std::uint64_t size = keys.size();
    for (std::uint64_t i = 0; i < size && count > 0; ++i, --count) {
      const Key* key = keys.at(((random >> 14) + i) % size).item();
      if (!expired(*key)) visit(*key);
    }
  }
}

std::uint64_t Store::count_keys_in_slot(std::uint32_t db, std::uint32_t slot) const {
  return std::as_const(*databases_[db]).slot(slot).size();
}

std::vector<std::string> Store::keys_in_slot(std::uint32_t db, std::uint32_t slot, std::uint64_t count) const {
  std::vector<std::string> names;
  const KeyTrie& keys = std::as_const(*databases_[db]).slot(slot);
  std::uint64_t from = 0;
  while (KeyTrie::Leaf* leaf = keys.leaf_from(from, from)) {
    for (std::uint32_t i = 0; i < leaf->count && names.size() < count; ++i)
      names.emplace_back(leaf->items()[i]->name());
    if (from == 0 || names.size() >= count) break;
  }
  return names;
}

}  // namespace redraft::store
