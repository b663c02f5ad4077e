#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "server/store/hash_trie.h"
#include "server/store/object.h"

namespace redraft::store {

// What containers with a HashTrie share: its leaves as parts of a walk, and as the pages of a *SCAN.
template <class Traits>
struct TrieParts {
  using Trie = HashTrie<Traits>;
  using Leaf = typename Trie::Leaf;
  using Item = typename Trie::Item;
  // Leaves are never deeper than HashTrie::kDepthMax bits, so a cursor of so many names each of them.
  static constexpr int kCursorShift = 64 - static_cast<int>(Trie::kDepthMax);

  // In the trie's own order; `visit(item)`.
  template <class Visit>
  static void for_each(const Trie& trie, Visit visit) {
    std::uint64_t from = 0;
    while (Leaf* leaf = trie.leaf_from(from, from)) {
      for (std::uint32_t i = 0; i < leaf->count; ++i) visit(leaf->items()[i]);
      if (from == 0) return;
    }
  }

  // Whole leaves until about `count` items are visited; the next cursor, 0 at the end. Every item that stays from the
  // first call to the last is visited.
  template <class Visit>
  static std::uint64_t scan(const Trie& trie, std::uint64_t cursor, std::size_t count, Visit visit) {
    std::uint64_t from = cursor << kCursorShift;
    std::size_t visited = 0;
    while (Leaf* leaf = trie.leaf_from(from, from)) {
      for (std::uint32_t i = 0; i < leaf->count; ++i) visit(leaf->items()[i]);
      visited += leaf->count;
      if (from == 0) return 0;
      if (visited >= count) return from >> kCursorShift;
    }
    return 0;
  }

  // One leaf: how many first bits its hashes share, one of them, then its items by `put(body, item)`.
  template <class Put>
  static void write(std::string& to, std::uint64_t object, const Trie& trie, Leaf& leaf, std::uint64_t seed, Put put) {
    const std::uint64_t hashed = Traits::hash(seed, leaf.items()[0]);
    std::string body;
    put_number(body, trie.depth_of(hashed));
    put_number(body, hashed);
    put_number(body, leaf.count);
    for (std::uint32_t i = 0; i < leaf.count; ++i) put(body, leaf.items()[i]);
    put_part(to, object, body);
  }

  // Calls `write(leaf)` for leaves not yet walked, from hash `from` on, until about `bytes_max` are written; true when
  // all are.
  template <class Write>
  static bool walk(const Trie& trie, std::uint64_t& from, Epoch epoch, const std::string& to, std::size_t bytes_max,
                   Write write) {
    const std::size_t begin = to.size();
    while (Leaf* leaf = trie.leaf_from(from, from)) {
      if (leaf->epoch < epoch) {
        write(*leaf);
        leaf->epoch = epoch;
      }
      if (from == 0) return true;
      if (to.size() - begin >= bytes_max) return false;
    }
    return true;
  }

  // What `write` wrote; `take(from)` makes an item, nullptr when malformed.
  template <class Take>
  [[nodiscard]] static Status restore(Trie& trie, std::string_view from, std::uint64_t seed, Epoch epoch, Take take) {
    std::uint64_t depth = 0;
    std::uint64_t prefix = 0;
    std::uint64_t count = 0;
    if (!take_number(from, depth) || !take_number(from, prefix) || !take_number(from, count) ||
        depth > Trie::kDepthMax || count == 0 || count > from.size()) {
      return malformed("leaf of a table");
    }
    Leaf* leaf = trie.restore_leaf(prefix, static_cast<std::uint32_t>(depth), static_cast<std::uint32_t>(count), epoch);
    if (leaf == nullptr) return malformed("table: leaves overlap");
    leaf->count = 0;
    for (std::uint64_t i = 0; i < count; ++i) {
      const Item item = take(from);
      if (item == nullptr) return malformed("item of a table");
      leaf->items()[leaf->count] = item;
      leaf->tags()[leaf->count] = Trie::tag(Traits::hash(seed, item));
      ++leaf->count;
    }
    return from.empty() ? Status(Done{}) : Status(malformed("leaf of a table"));
  }
};

}  // namespace redraft::store
