#pragma once

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <type_traits>
#include <utility>

#include "base/check.h"
#include "server/store/part.h"
#include "server/store/trie_approach.h"

namespace redraft::store {

// A hash table that never rehashes: a binary trie over the top bits of a 64-bit hash, with small dense leaves. An
// insertion moves at most one leaf's items (kLeafMax), a removal merges at most two small leaves, so there is no pause
// at any size. The order of iteration is that of hashes, then of positions in a leaf: the last item takes a removed
// one's place, so it is a function of the operations alone, and a snapshot that keeps each leaf's order restores it
// exactly.
//
// `Traits`: `using Item` (a pointer), `static std::string_view key(Item)`, `static std::uint64_t hash(seed, Item)`.
// Items are owned by whoever uses the trie.
template <class Traits>
class HashTrie {
 public:
  using Item = typename Traits::Item;
  static constexpr std::uint32_t kLeafMax = 32;
  static constexpr std::uint32_t kMergeBelow = 16;
  static constexpr std::uint32_t kDepthMax = 36;  // equal prefixes beyond it share a leaf, however large

  // Leaves are the parts of the snapshot's walk. One block: this, a byte of each item's hash, then the items; so a
  // search reads one cache line to know where to look.
  struct Leaf : TrieLeaf {
    [[nodiscard]] Item* items() { return reinterpret_cast<Item*>(pointers()); }
  };

 private:
  static_assert(std::is_pointer_v<Item>);
  using Node = TrieNode;
  using Inner = TrieInner;

 public:
  HashTrie() = default;
  HashTrie(HashTrie&& other) noexcept : root_(std::exchange(other.root_, 0)) {}
  HashTrie& operator=(HashTrie&& other) noexcept {
    std::swap(root_, other.root_);
    return *this;
  }
  HashTrie(const HashTrie&) = delete;
  HashTrie& operator=(const HashTrie&) = delete;
  ~HashTrie() { destroy(root_); }  // the items must be gone or owned elsewhere

  [[nodiscard]] std::uint64_t size() const { return count(root_); }
  [[nodiscard]] bool empty() const { return root_ == 0; }

  struct Place {
    Leaf* leaf = nullptr;
    std::uint32_t position = 0;
    explicit operator bool() const { return leaf != nullptr; }
    [[nodiscard]] Item& item() const { return leaf->items()[position]; }
  };
  [[nodiscard]] Place find(std::uint64_t hash, std::string_view key) const {
    Leaf* leaf = leaf_of(hash);
    if (leaf == nullptr) return {};
    const std::uint8_t wanted = tag(hash);
    const std::uint8_t* tags = leaf->tags();
    for (std::uint32_t i = 0; i < leaf->count; ++i) {
      if (tags[i] == wanted && Traits::key(leaf->items()[i]) == key) return {leaf, i};
    }
    return {};
  }
  [[nodiscard]] TrieApproach approach(std::uint64_t hash) const { return {root_, hash}; }

  // The leaf where a key with this hash is or would be; nullptr in an empty trie.
  [[nodiscard]] Leaf* leaf_of(std::uint64_t hash) const {
    Node node = root_;
    for (int bit = 63; is_inner(node); --bit) node = inner(node)->child[hash >> bit & 1];
    return leaf(node);
  }

  // The key must not be there. `before(leaf)` is called for each leaf that is about to change.
  template <class Before>
  void insert(std::uint64_t hash, Item item, std::uint64_t seed, Epoch epoch, Before before) {
    Node* node = &root_;
    std::uint32_t depth = 0;
    while (is_inner(*node)) {
      ++inner(*node)->count;
      node = &inner(*node)->child[hash >> (63 - depth) & 1];
      ++depth;
    }
    if (*node == 0) {
      *node = as_node(make_leaf(4, epoch));
    } else {
      before(*leaf(*node));
    }
    Leaf* at = leaf(*node);
    while (at->count >= kLeafMax && depth < kDepthMax) {
      split(*node, depth, seed, epoch);
      ++inner(*node)->count;
      node = &inner(*node)->child[hash >> (63 - depth) & 1];
      ++depth;
      at = leaf(*node);
    }
    if (at->count == at->capacity) {
      *node = as_node(resize(at, at->capacity + (at->capacity < kLeafMax ? 4 : at->capacity / 2)));
      at = leaf(*node);
    }
    at->items()[at->count] = item;
    at->tags()[at->count] = tag(hash);
    ++at->count;
    at->epoch = epoch;
  }

  // Removes the item at a place that `find` gave for this hash; it is the caller's afterwards.
  template <class Before>
  Item erase(std::uint64_t hash, std::uint32_t position, Epoch epoch, Before before) {
    Node* path[kDepthMax + 1];
    std::uint32_t depth = 0;
    Node* node = &root_;
    while (is_inner(*node)) {
      path[depth] = node;
      --inner(*node)->count;
      node = &inner(*node)->child[hash >> (63 - depth) & 1];
      ++depth;
    }
    Leaf* at = leaf(*node);
    before(*at);
    const Item item = at->items()[position];
    --at->count;
    at->items()[position] = at->items()[at->count];
    at->tags()[position] = at->tags()[at->count];
    at->epoch = epoch;
    if (at->count == 0) {
      std::free(at);
      *node = 0;
    } else if (at->capacity > at->count + 8) {
      *node = as_node(resize(at, at->count + 4));
    }
    while (depth > 0 && inner(*path[depth - 1])->count < kMergeBelow) {
      --depth;
      merge(*path[depth], epoch, before);
    }
    return item;
  }

  // The item with this rank in the order of iteration; rank < size().
  [[nodiscard]] Place at(std::uint64_t rank) const {
    Node node = root_;
    while (is_inner(node)) {
      const Inner* both = inner(node);
      // Both sides are fetched at once: the left one tells where to go, and often it is to the right.
      __builtin_prefetch(reinterpret_cast<const void*>(both->child[1] & ~Node{1}));
      const std::uint64_t left = count(both->child[0]);
      node = both->child[rank >= left];
      if (rank >= left) rank -= left;
    }
    return {leaf(node), static_cast<std::uint32_t>(rank)};
  }

  // The first leaf that holds hashes at or after `from`, and where the next one's begin (0: there is none behind it).
  // nullptr when there are no more.
  [[nodiscard]] Leaf* leaf_from(std::uint64_t from, std::uint64_t& next) const {
    return leaf_from(root_, 0, 0, from, next);
  }
  // A leaf as a snapshot had it: all its items share the first `depth` bits of `prefix`. The caller fills it. nullptr
  // where another leaf lies.
  [[nodiscard]] Leaf* restore_leaf(std::uint64_t prefix, std::uint32_t depth, std::uint32_t count, Epoch epoch) {
    Node* node = &root_;
    for (std::uint32_t at = 0; at < depth; ++at) {
      if (*node == 0) *node = as_node(make_inner());
      if (!is_inner(*node)) return nullptr;
      inner(*node)->count += count;
      node = &inner(*node)->child[prefix >> (63 - at) & 1];
    }
    if (*node != 0) return nullptr;
    Leaf* made = make_leaf(count, epoch);
    made->count = count;
    *node = as_node(made);
    return made;
  }
  // How deep the leaf for this hash lies: with the hash's first bits, its name.
  [[nodiscard]] std::uint32_t depth_of(std::uint64_t hash) const {
    Node node = root_;
    std::uint32_t depth = 0;
    for (; is_inner(node); ++depth) node = inner(node)->child[hash >> (63 - depth) & 1];
    return depth;
  }
  [[nodiscard]] static std::uint8_t tag(std::uint64_t hash) { return Leaf::tag(hash); }

  // Takes the first leaf out, with its items; for freeing in slices. nullptr when empty.
  [[nodiscard]] Leaf* take_leaf() {
    Node* node = &root_;
    Node* parent = nullptr;
    while (is_inner(*node)) {
      Inner* both = inner(*node);
      parent = node;
      node = &both->child[both->child[0] == 0 ? 1 : 0];
      if (*node == 0) {  // an inner node with nothing below
        std::free(both);
        *parent = 0;
        node = &root_;
      }
    }
    Leaf* taken = leaf(*node);
    *node = 0;
    return taken;
  }
  [[nodiscard]] std::size_t node_bytes() const { return node_bytes(root_); }

 private:
  static Inner* inner(Node node) { return inner_of(node); }
  static Leaf* leaf(Node node) { return reinterpret_cast<Leaf*>(node); }
  static Node as_node(Leaf* leaf) { return reinterpret_cast<Node>(leaf); }
  static Node as_node(Inner* inner) { return reinterpret_cast<Node>(inner) | 1; }
  static std::uint64_t count(Node node) {
    if (node == 0) return 0;
    return is_inner(node) ? inner(node)->count : leaf(node)->count;
  }

  static std::size_t leaf_bytes(std::uint32_t capacity) {
    return sizeof(Leaf) + Leaf::tag_bytes(capacity) + capacity * sizeof(Item);
  }
  static Leaf* make_leaf(std::uint32_t capacity, Epoch epoch) {
    auto* made = static_cast<Leaf*>(std::malloc(leaf_bytes(capacity)));
    ensure(made != nullptr, "memory for a leaf is there");
    *made = {{epoch, 0, capacity, 0}};
    return made;
  }
  static Inner* make_inner() {
    auto* made = static_cast<Inner*>(std::malloc(sizeof(Inner)));
    ensure(made != nullptr, "memory for an inner node is there");
    *made = {0, {0, 0}};
    return made;
  }
  static Leaf* resize(Leaf* old, std::uint32_t capacity) {
    Leaf* made = make_leaf(capacity, old->epoch);
    made->count = old->count;
    std::memcpy(made->items(), old->items(), old->count * sizeof(Item));
    std::memcpy(made->tags(), old->tags(), old->count);
    std::free(old);
    return made;
  }

  // Items keep their order on each side.
  void split(Node& node, std::uint32_t depth, std::uint64_t seed, Epoch epoch) {
    Leaf* old = leaf(node);
    Inner* both = make_inner();
    both->count = old->count;
    Leaf* sides[2] = {make_leaf(kLeafMax / 2 + 4, epoch), make_leaf(kLeafMax / 2 + 4, epoch)};
    for (std::uint32_t i = 0; i < old->count; ++i) {
      const Item item = old->items()[i];
      Leaf*& side = sides[Traits::hash(seed, item) >> (63 - depth) & 1];
      if (side->count == side->capacity) side = resize(side, side->capacity + 4);
      side->items()[side->count] = item;
      side->tags()[side->count] = old->tags()[i];
      ++side->count;
    }
    for (int i = 0; i < 2; ++i) {
      if (sides[i]->count == 0) {
        std::free(sides[i]);
      } else {
        both->child[i] = as_node(sides[i]);
      }
    }
    std::free(old);
    node = as_node(both);
    // The side that the new item goes to may be empty.
    for (Node& child : both->child) {
      if (child == 0) child = as_node(make_leaf(4, epoch));
    }
  }

  template <class Before>
  void merge(Node& node, Epoch epoch, Before before) {
    Inner* both = inner(node);
    if (is_inner(both->child[0]) || is_inner(both->child[1])) return;
    Leaf* sides[2] = {leaf(both->child[0]), leaf(both->child[1])};
    Leaf* merged = both->count == 0 ? nullptr : make_leaf(static_cast<std::uint32_t>(both->count) + 4, epoch);
    for (Leaf* side : sides) {
      if (side == nullptr) continue;
      if (side->count > 0) before(*side);
      for (std::uint32_t i = 0; i < side->count; ++i) {
        merged->items()[merged->count] = side->items()[i];
        merged->tags()[merged->count] = side->tags()[i];
        ++merged->count;
      }
      std::free(side);
    }
    std::free(both);
    node = merged == nullptr ? 0 : as_node(merged);
  }

  Leaf* leaf_from(Node node, std::uint32_t depth, std::uint64_t begin, std::uint64_t from, std::uint64_t& next) const {
    // The hashes below this node: [begin, begin + span).
    const std::uint64_t last = begin + (depth == 0 ? ~std::uint64_t{0} : (std::uint64_t{1} << (64 - depth)) - 1);
    if (node == 0 || last < from) return nullptr;
    if (!is_inner(node)) {
      if (leaf(node)->count == 0) return nullptr;
      next = last + 1;
      return leaf(node);
    }
    const std::uint64_t middle = begin + (std::uint64_t{1} << (63 - depth));
    if (Leaf* found = leaf_from(inner(node)->child[0], depth + 1, begin, from, next)) return found;
    return leaf_from(inner(node)->child[1], depth + 1, middle, from, next);
  }

  static void destroy(Node node) {
    if (node == 0) return;
    if (!is_inner(node)) {
      std::free(leaf(node));
      return;
    }
    destroy(inner(node)->child[0]);
    destroy(inner(node)->child[1]);
    std::free(inner(node));
  }
  static std::size_t node_bytes(Node node) {
    if (node == 0) return 0;
    if (!is_inner(node)) return leaf_bytes(leaf(node)->capacity);
    return sizeof(Inner) + node_bytes(inner(node)->child[0]) + node_bytes(inner(node)->child[1]);
  }

  Node root_ = 0;
};

}  // namespace redraft::store
