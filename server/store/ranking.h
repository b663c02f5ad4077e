#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace redraft::store {

// A member of a large sorted set: its score and length, then its bytes, in one block.
struct Scored {
  double score;
  std::uint32_t size;
  char bytes[1];  // `size` of them
  [[nodiscard]] std::string_view member() const { return {bytes, size}; }
};
[[nodiscard]] Scored* make_scored(std::string_view member, double score);
void free_scored(Scored* scored);

// By score, then by the bytes of the member: the order of a sorted set (redis.io/commands/zadd).
[[nodiscard]] inline bool ranks_before(double score, std::string_view member, const Scored& other) {
  return score != other.score ? score < other.score : member < other.member();
}

// The order of a large sorted set: a B+-tree of its members in which inner nodes count what is below, so that the place
// of a member, the member at a place and the ends of a range are found in O(log n). What it answers depends on its
// members alone, never on its shape; so a restored node, whose tree has another history, answers alike. Members belong
// to whoever uses it.
class Ranking {
 public:
  Ranking() = default;
  Ranking(const Ranking&) = delete;
  Ranking& operator=(const Ranking&) = delete;
  ~Ranking();

  [[nodiscard]] std::uint64_t size() const { return size_; }
  void insert(Scored* scored);  // no equal member with an equal score is there
  void erase(Scored* scored);   // it is there, with the score it came with
  [[nodiscard]] Scored* at(std::uint64_t rank) const;

  // How many members `before(const Scored&)` is true of; it is true of the first ones and of no others.
  template <class Before>
  [[nodiscard]] std::uint64_t count_while(Before before) const {
    std::uint64_t count = 0;
    const Node* node = root_;
    if (node == nullptr) return 0;
    while (!node->is_leaf) {
      const Inner& inner = *static_cast<const Inner*>(node);
      const std::size_t child = last_while(inner.firsts, inner.count, before);
      for (std::size_t i = 0; i < child; ++i) count += inner.counts[i];
      node = inner.children[child];
    }
    const Leaf& leaf = *static_cast<const Leaf*>(node);
    const std::size_t last = last_while(leaf.items, leaf.count, before);
    return count + last + (before(*leaf.items[last]) ? 1 : 0);
  }

  // Calls visit(const Scored&) for ranks [first, first + count), which exist, up or down, until it answers false.
  template <class Visit>
  void visit(std::uint64_t first, std::uint64_t count, bool backwards, Visit visit) const {
    if (count == 0) return;
    std::size_t at = 0;
    const Leaf* leaf = locate(backwards ? first + count - 1 : first, at);
    for (; visit(*leaf->items[at]) && --count > 0;) {
      if (backwards) {
        if (at == 0) leaf = leaf->previous, at = leaf->count;
        --at;
      } else if (++at == leaf->count) {
        leaf = leaf->next, at = 0;
      }
    }
  }

  // Gives nodes back and takes what that cost off `elements`; true when none is left. Nothing else may follow.
  [[nodiscard]] bool free_some(std::size_t& elements);

 private:
  // Nodes fill 512 and 1024 bytes.
  static constexpr std::size_t kLeafMax = 61;
  static constexpr std::size_t kInnerMax = 42;
  struct Node {
    bool is_leaf;
    std::uint16_t count;
  };
  struct Leaf : Node {
    Leaf* previous;
    Leaf* next;
    Scored* items[kLeafMax];
  };
  struct Inner : Node {
    Node* children[kInnerMax];
    std::uint64_t counts[kInnerMax];  // of members below each
    Scored* firsts[kInnerMax];        // the first of them
  };

  // The last of the items that `before` is true of, or 0.
  template <class Before>
  [[nodiscard]] static std::size_t last_while(Scored* const* items, std::size_t count, Before before) {
    std::size_t begin = 0;
    std::size_t end = count;
    while (end - begin > 1) {
      const std::size_t middle = (begin + end) / 2;
      (before(*items[middle]) ? begin : end) = middle;
    }
    return begin;
  }
  [[nodiscard]] const Leaf* locate(std::uint64_t rank, std::size_t& at) const;

  // These return the new right neighbour when the node had to be split.
  Node* insert(Node& node, Scored* scored);
  Leaf* insert(Leaf& leaf, Scored* scored);
  Inner* insert(Inner& inner, Scored* scored);
  static void erase(Node& node, Scored* scored);
  static void erase(Leaf& leaf, Scored* scored);
  static void erase(Inner& inner, Scored* scored);
  static void put_child(Inner& inner, std::size_t at, Node* child);
  static void drop_child(Inner& inner, std::size_t at);
  static void merge_children(Inner& inner, std::size_t left);
  static void describe_child(Inner& inner, std::size_t at);
  [[nodiscard]] static std::uint64_t members_below(const Node& node);
  [[nodiscard]] static Scored* first_below(const Node& node);
  [[nodiscard]] static bool is_sparse(const Node& node);
  static void free_node(Node* node);

  Node* root_ = nullptr;
  std::uint64_t size_ = 0;
};

}  // namespace redraft::store
