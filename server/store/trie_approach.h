#pragma once

#include <cstddef>
#include <cstdint>

#include "server/store/part.h"

namespace redraft::store {

// What every HashTrie looks like in memory, whatever its items are.
struct TrieLeaf {
  Epoch epoch;
  std::uint32_t count;
  std::uint32_t capacity;
  std::uint32_t unused;

  // A byte of each item's hash, then the items, which are pointers.
  [[nodiscard]] std::uint8_t* tags() { return reinterpret_cast<std::uint8_t*>(this + 1); }
  [[nodiscard]] void** pointers() { return reinterpret_cast<void**>(tags() + tag_bytes(capacity)); }
  [[nodiscard]] static std::size_t tag_bytes(std::uint32_t capacity) { return (capacity + 7) & ~std::size_t{7}; }
  [[nodiscard]] static std::uint8_t tag(std::uint64_t hash) { return static_cast<std::uint8_t>(hash); }
};

// 0: nothing; lowest bit set: a TrieInner; else a TrieLeaf.
using TrieNode = std::uintptr_t;
struct TrieInner {
  std::uint64_t count;
  TrieNode child[2];
};
[[nodiscard]] inline bool is_inner(TrieNode node) {
  return (node & 1) != 0;
}
[[nodiscard]] inline TrieInner* inner_of(TrieNode node) {
  return reinterpret_cast<TrieInner*>(node & ~TrieNode{1});
}

// A search in steps, each of which asks the processor for the memory that the next one reads. Many searches that take
// their steps in turn wait for memory together instead of one after the other (the idea of
// valkey-io/valkey:src/memory_prefetch.c). It changes nothing and holds only while nothing else changes the trie.
class TrieApproach {
 public:
  TrieApproach() = default;
  TrieApproach(const TrieNode& root, std::uint64_t hash) : node_(&root), hash_(hash) { __builtin_prefetch(node_); }

  // False: all that `find` will read is on its way.
  [[nodiscard]] bool step() {
    if (node_ != nullptr) {
      const TrieNode node = *node_;
      node_ = nullptr;
      if (is_inner(node)) {
        node_ = &inner_of(node)->child[hash_ >> bit_-- & 1];
        __builtin_prefetch(node_);
        return true;
      }
      leaf_ = reinterpret_cast<TrieLeaf*>(node);
      if (leaf_ == nullptr) return false;
      __builtin_prefetch(leaf_);
      __builtin_prefetch(leaf_->tags() + kCacheLine);
      return true;
    }
    if (leaf_ == nullptr) return false;
    const std::uint8_t* tags = leaf_->tags();
    for (std::uint32_t i = 0; i < leaf_->count; ++i) {
      if (tags[i] != TrieLeaf::tag(hash_)) continue;
      candidate_ = leaf_->pointers()[i];
      __builtin_prefetch(candidate_);
    }
    leaf_ = nullptr;
    return false;
  }
  // What the search has come to: most often the item, else one that looks like it or nullptr.
  [[nodiscard]] const void* candidate() const { return candidate_; }

 private:
  static constexpr std::size_t kCacheLine = 64;
  const TrieNode* node_ = nullptr;
  TrieLeaf* leaf_ = nullptr;
  const void* candidate_ = nullptr;
  std::uint64_t hash_ = 0;
  int bit_ = 63;
};

}  // namespace redraft::store
