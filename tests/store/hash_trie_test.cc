// The table under keyspace and sets: it never stops for a rehash, its order is a function of the operations, and a walk
// by cursor misses nothing that stays.

#include "server/store/hash_trie.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "tests/store/draw.h"

namespace redraft::store {
namespace {

struct Thing {
  std::string key;
  std::uint64_t hash;
};

std::uint64_t moved = 0;  // every split asks each item that it moves for its hash

struct Things {
  using Item = Thing*;
  static std::string_view key(const Thing* thing) { return thing->key; }
  static std::uint64_t hash(std::uint64_t, const Thing* thing) {
    ++moved;
    return thing->hash;
  }
};
using Trie = HashTrie<Things>;

constexpr auto kNothing = [](Trie::Leaf&) {};

// A trie with the model beside it.
class Pair {
 public:
  explicit Pair(std::uint64_t top_bits_shared = 0) : shared_(top_bits_shared) {}

  bool insert(const std::string& key) {
    if (things_.contains(key)) return false;
    auto thing = std::make_unique<Thing>(Thing{key, hash_of(key)});
    trie.insert(thing->hash, thing.get(), 0, 1, kNothing);
    things_[key] = std::move(thing);
    return true;
  }
  bool erase(const std::string& key) {
    const Trie::Place place = trie.find(hash_of(key), key);
    if (!place) return false;
    Thing* removed = trie.erase(hash_of(key), place.position, 1, kNothing);
    EXPECT_EQ(removed->key, key);
    things_.erase(key);
    return true;
  }
  [[nodiscard]] bool contains(const std::string& key) const { return static_cast<bool>(trie.find(hash_of(key), key)); }
  [[nodiscard]] std::vector<std::string> order() const {
    std::vector<std::string> keys;
    std::uint64_t from = 0;
    while (Trie::Leaf* leaf = trie.leaf_from(from, from)) {
      for (std::uint32_t i = 0; i < leaf->count; ++i) keys.push_back(leaf->items()[i]->key);
      if (from == 0) break;
    }
    return keys;
  }
  [[nodiscard]] std::size_t size() const { return things_.size(); }
  [[nodiscard]] std::uint64_t hash_of(const std::string& key) const {
    std::uint64_t hash = Draw(std::stoull(key) * 77 + 5).next();
    return shared_ == 0 ? hash : hash >> shared_;
  }

  Trie trie;

 private:
  std::uint64_t shared_;
  std::map<std::string, std::unique_ptr<Thing>> things_;
};

TEST(HashTrie, AgreesWithAMapAndKeepsRanks) {
  for (const std::uint64_t shared : {std::uint64_t{0}, std::uint64_t{14}}) {
    Draw draw(1 + shared);
    Pair pair(shared);
    std::set<std::string> model;
    for (int i = 0; i < 40000; ++i) {
      const std::uint64_t range = i / 10000 % 2 == 0 ? 20000 : 500;  // grows, then shrinks
      const std::string key = std::to_string(draw.below(range));
      if (draw.one_in(i / 10000 % 2 == 0 ? 5 : 2)) {
        EXPECT_EQ(pair.erase(key), model.erase(key) == 1);
      } else {
        EXPECT_EQ(pair.insert(key), model.insert(key).second);
      }
      ASSERT_EQ(pair.trie.size(), model.size());
    }
    const std::vector<std::string> order = pair.order();
    EXPECT_EQ(std::set<std::string>(order.begin(), order.end()), model);
    for (std::size_t rank = 0; rank < order.size(); ++rank) EXPECT_EQ(pair.trie.at(rank).item()->key, order[rank]);
    for (int i = 0; i < 20000; ++i) {
      const std::string key = std::to_string(i);
      EXPECT_EQ(pair.contains(key), model.contains(key));
    }
    for (const std::string& key : model) EXPECT_TRUE(pair.erase(key));
    EXPECT_TRUE(pair.trie.empty());
  }
}

// The steps of a search end soon after the leaf, for keys that are there and for others, and leave everything as it
// was.
TEST(HashTrie, AnApproachEndsAndChangesNothing) {
  const auto steps_to = [](const Trie& trie, std::uint64_t hash) {
    TrieApproach approach = trie.approach(hash);
    std::uint32_t steps = 1;
    while (approach.step() && steps < 100) ++steps;
    return steps;
  };
  Pair pair;
  EXPECT_EQ(steps_to(pair.trie, pair.hash_of("1")), 1u);  // an empty trie has nothing to read
  for (int i = 0; i < 5000; ++i) pair.insert(std::to_string(i));
  const std::vector<std::string> before = pair.order();
  for (int i = 0; i < 10000; ++i) {
    const std::uint64_t hash = pair.hash_of(std::to_string(i));
    EXPECT_EQ(steps_to(pair.trie, hash), pair.trie.depth_of(hash) + 2);
  }
  EXPECT_EQ(pair.order(), before);
  TrieApproach none;
  EXPECT_FALSE(none.step());
}

// No operation moves more than a leaf per level that it splits, however many keys there are, and whether or not they
// share their first bits as keys with one hash tag do.
TEST(HashTrie, NoOperationMovesMoreThanItsBound) {
  constexpr std::uint64_t kMovesMax = std::uint64_t{Trie::kLeafMax} * 18;  // 14 bits of one slot, and a few
  for (const std::uint64_t shared : {std::uint64_t{0}, std::uint64_t{14}}) {
    Pair pair(shared);
    std::uint64_t worst = 0;
    std::uint64_t total = 0;
    for (int i = 0; i < 200000; ++i) {
      moved = 0;
      pair.insert(std::to_string(i));
      worst = std::max(worst, moved);
      total += moved;
    }
    EXPECT_LE(worst, kMovesMax);
    EXPECT_LE(total, 200000u * 4);
    for (int i = 0; i < 200000; ++i) {
      moved = 0;
      pair.erase(std::to_string(i));
      EXPECT_LE(moved, kMovesMax);
    }
    EXPECT_TRUE(pair.trie.empty());
    EXPECT_EQ(pair.trie.node_bytes(), 0u);  // it shrinks, too
  }
}

// SCAN's promise: what is there from the first call to the last is seen, though leaves split and merge meanwhile.
TEST(HashTrie, AWalkByCursorMissesNothingThatStays) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Draw draw(seed);
    Pair pair;
    std::set<std::string> staying;
    for (int i = 0; i < 2000; ++i) {
      const std::string key = std::to_string(draw.below(100000));
      pair.insert(key);
      if (draw.one_in(3)) staying.insert(key);
    }
    std::set<std::string> seen;
    std::uint64_t from = 0;
    while (Trie::Leaf* leaf = pair.trie.leaf_from(from, from)) {
      for (std::uint32_t i = 0; i < leaf->count; ++i) seen.insert(leaf->items()[i]->key);
      if (from == 0) break;
      for (int i = 0; i < 50; ++i) {
        const std::string key = std::to_string(draw.below(100000));
        if (seed % 2 == 0) {
          pair.insert(key);
        } else if (!staying.contains(key)) {
          pair.erase(key);
        }
      }
      if (seed % 2 == 1) {
        for (const std::string& key : pair.order()) {
          if (!staying.contains(key) && draw.one_in(8)) pair.erase(key);
        }
      }
    }
    EXPECT_TRUE(std::ranges::includes(seen, staying));
  }
}

// Restored leaf by leaf, in any order, a trie goes on exactly like the one it was taken from.
TEST(HashTrie, ARestoredTrieGoesOnInTheSameOrder) {
  Draw draw(9);
  Pair pair;
  for (int i = 0; i < 3000; ++i) {
    const std::string key = std::to_string(draw.below(4000));
    draw.one_in(3) ? pair.erase(key) : pair.insert(key);
  }
  std::vector<Trie::Leaf*> leaves;
  std::uint64_t from = 0;
  while (Trie::Leaf* leaf = pair.trie.leaf_from(from, from)) {
    leaves.push_back(leaf);
    if (from == 0) break;
  }
  for (std::size_t i = leaves.size(); i > 1; --i) std::swap(leaves[i - 1], leaves[draw.below(i)]);
  Trie copy;
  std::vector<std::unique_ptr<Thing>> things;
  for (Trie::Leaf* leaf : leaves) {
    const std::uint64_t hash = leaf->items()[0]->hash;
    Trie::Leaf* made = copy.restore_leaf(hash, pair.trie.depth_of(hash), leaf->count, 1);
    ASSERT_NE(made, nullptr);
    for (std::uint32_t i = 0; i < leaf->count; ++i) {
      things.push_back(std::make_unique<Thing>(*leaf->items()[i]));
      made->items()[i] = things.back().get();
      made->tags()[i] = Trie::tag(things.back()->hash);
    }
  }
  ASSERT_EQ(copy.size(), pair.trie.size());
  for (int i = 0; i < 6000; ++i) {
    const std::string key = std::to_string(draw.below(4000));
    const std::uint64_t hash = pair.hash_of(key);
    const Trie::Place there = copy.find(hash, key);
    ASSERT_EQ(static_cast<bool>(there), pair.contains(key));
    if (there) {
      copy.erase(hash, there.position, 1, kNothing);
      pair.erase(key);
    } else {
      things.push_back(std::make_unique<Thing>(Thing{key, hash}));
      copy.insert(hash, things.back().get(), 0, 1, kNothing);
      pair.insert(key);
    }
    if (copy.size() > 0) {
      const std::uint64_t rank = draw.below(copy.size());
      ASSERT_EQ(copy.at(rank).item()->key, pair.trie.at(rank).item()->key);
    }
  }
}

}  // namespace
}  // namespace redraft::store
