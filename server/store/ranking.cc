#include "server/store/ranking.h"

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <cstring>

#include "base/check.h"

namespace redraft::store {

Scored* make_scored(std::string_view member, double score) {
  const std::size_t bytes = offsetof(Scored, bytes) + std::max<std::size_t>(member.size(), 4);
  auto* scored = static_cast<Scored*>(std::malloc(bytes));
  ensure(scored != nullptr, "memory for a member is there");
  scored->score = score;
  scored->size = static_cast<std::uint32_t>(member.size());
  if (!member.empty()) std::memcpy(scored->bytes, member.data(), member.size());
  return scored;
}

void free_scored(Scored* scored) {
  std::free(scored);
}

namespace {

// True of the members that rank before the given one.
auto before(const Scored* scored) {
  return [scored](const Scored& other) { return ranks_before(other.score, other.member(), *scored); };
}
// True of those and of itself.
auto not_behind(const Scored* scored) {
  return [scored](const Scored& other) { return !ranks_before(scored->score, scored->member(), other); };
}

// An array's elements from `at` on move one place.
template <class T>
void open_gap(T* items, std::size_t at, std::size_t count) {
  std::copy_backward(items + at, items + count, items + count + 1);
}
template <class T>
void close_gap(T* items, std::size_t at, std::size_t count) {
  std::copy(items + at + 1, items + count, items + at);
}

}  // namespace

Ranking::~Ranking() {
  std::size_t all = ~std::size_t{0};
  const bool done = free_some(all);
  ensure(done, "an order without nodes is freed");
}

std::uint64_t Ranking::members_below(const Node& node) {
  if (node.is_leaf) return node.count;
  const auto& inner = static_cast<const Inner&>(node);
  std::uint64_t members = 0;
  for (std::size_t i = 0; i < inner.count; ++i) members += inner.counts[i];
  return members;
}

Scored* Ranking::first_below(const Node& node) {
  return node.is_leaf ? static_cast<const Leaf&>(node).items[0] : static_cast<const Inner&>(node).firsts[0];
}

bool Ranking::is_sparse(const Node& node) {
  return node.count < (node.is_leaf ? kLeafMax : kInnerMax) / 3;
}

void Ranking::free_node(Node* node) {
  node->is_leaf ? delete static_cast<Leaf*>(node) : delete static_cast<Inner*>(node);
}

void Ranking::describe_child(Inner& inner, std::size_t at) {
  inner.counts[at] = members_below(*inner.children[at]);
  inner.firsts[at] = first_below(*inner.children[at]);
}

void Ranking::put_child(Inner& inner, std::size_t at, Node* child) {
  open_gap(inner.children, at, inner.count);
  open_gap(inner.counts, at, inner.count);
  open_gap(inner.firsts, at, inner.count);
  inner.children[at] = child;
  ++inner.count;
  describe_child(inner, at);
}

void Ranking::drop_child(Inner& inner, std::size_t at) {
  close_gap(inner.children, at, inner.count);
  close_gap(inner.counts, at, inner.count);
  close_gap(inner.firsts, at, inner.count);
  --inner.count;
}

// ---- Insertion

void Ranking::insert(Scored* scored) {
  ++size_;
  if (root_ == nullptr) {
    auto* leaf = new Leaf{};
    leaf->is_leaf = true;
    root_ = leaf;
  }
  Node* const right = insert(*root_, scored);
  if (right == nullptr) return;
  auto* above = new Inner{};
  put_child(*above, 0, root_);
  put_child(*above, 1, right);
  root_ = above;
}

Ranking::Node* Ranking::insert(Node& node, Scored* scored) {
  if (node.is_leaf) return insert(static_cast<Leaf&>(node), scored);
  return insert(static_cast<Inner&>(node), scored);
}

Ranking::Leaf* Ranking::insert(Leaf& leaf, Scored* scored) {
  const auto at =
      static_cast<std::size_t>(std::partition_point(leaf.items, leaf.items + leaf.count,
                                                    [&](const Scored* other) { return before(scored)(*other); }) -
                               leaf.items);
  if (leaf.count < kLeafMax) {
    open_gap(leaf.items, at, leaf.count);
    leaf.items[at] = scored;
    ++leaf.count;
    return nullptr;
  }
  auto* right = new Leaf{};
  right->is_leaf = true;
  right->previous = &leaf;
  right->next = leaf.next;
  if (right->next != nullptr) right->next->previous = right;
  leaf.next = right;
  // Scores that only grow, as times do, leave full leaves behind.
  const std::size_t stay = at == kLeafMax && right->next == nullptr ? kLeafMax : kLeafMax / 2;
  std::copy(leaf.items + stay, leaf.items + kLeafMax, right->items);
  right->count = static_cast<std::uint16_t>(kLeafMax - stay);
  leaf.count = static_cast<std::uint16_t>(stay);
  static_cast<void>(insert(at <= stay && stay < kLeafMax ? leaf : *right, scored));
  return right;
}

Ranking::Inner* Ranking::insert(Inner& inner, Scored* scored) {
  const std::size_t at = last_while(inner.firsts, inner.count, before(scored));
  Node* const made = insert(*inner.children[at], scored);
  if (made == nullptr) {
    ++inner.counts[at];
    inner.firsts[at] = first_below(*inner.children[at]);
    return nullptr;
  }
  describe_child(inner, at);
  if (inner.count < kInnerMax) {
    put_child(inner, at + 1, made);
    return nullptr;
  }
  auto* right = new Inner{};
  const std::size_t stay = at + 1 == kInnerMax ? kInnerMax : kInnerMax / 2;
  for (std::size_t i = stay; i < kInnerMax; ++i) put_child(*right, i - stay, inner.children[i]);
  inner.count = static_cast<std::uint16_t>(stay);
  at + 1 <= stay&& stay < kInnerMax ? put_child(inner, at + 1, made) : put_child(*right, at + 1 - stay, made);
  return right;
}

// ---- Removal

void Ranking::erase(Scored* scored) {
  erase(*root_, scored);
  --size_;
  while (root_ != nullptr && !root_->is_leaf && root_->count == 1) {
    Node* const below = static_cast<Inner*>(root_)->children[0];
    free_node(root_);
    root_ = below;
  }
  if (size_ == 0) {
    free_node(root_);
    root_ = nullptr;
  }
}

void Ranking::erase(Node& node, Scored* scored) {
  node.is_leaf ? erase(static_cast<Leaf&>(node), scored) : erase(static_cast<Inner&>(node), scored);
}

void Ranking::erase(Leaf& leaf, Scored* scored) {
  const std::size_t at = last_while(leaf.items, leaf.count, not_behind(scored));
  ensure(leaf.items[at] == scored, "a member that is taken out of the order is there");
  close_gap(leaf.items, at, leaf.count);
  --leaf.count;
}

void Ranking::erase(Inner& inner, Scored* scored) {
  const std::size_t at = last_while(inner.firsts, inner.count, not_behind(scored));
  Node& child = *inner.children[at];
  erase(child, scored);
  if (child.count == 0) {
    if (child.is_leaf) {
      auto& leaf = static_cast<Leaf&>(child);
      if (leaf.previous != nullptr) leaf.previous->next = leaf.next;
      if (leaf.next != nullptr) leaf.next->previous = leaf.previous;
    }
    free_node(&child);
    drop_child(inner, at);
    return;
  }
  --inner.counts[at];
  inner.firsts[at] = first_below(child);
  if (!is_sparse(child)) return;
  const std::size_t room = (child.is_leaf ? kLeafMax : kInnerMax) * 3 / 4;
  if (at + 1 < inner.count && child.count + inner.children[at + 1]->count <= room) {
    merge_children(inner, at);
  } else if (at > 0 && child.count + inner.children[at - 1]->count <= room) {
    merge_children(inner, at - 1);
  }
}

// The right neighbour's content goes to the left one.
void Ranking::merge_children(Inner& inner, std::size_t left) {
  Node& to = *inner.children[left];
  Node& from = *inner.children[left + 1];
  if (to.is_leaf) {
    auto& to_leaf = static_cast<Leaf&>(to);
    auto& from_leaf = static_cast<Leaf&>(from);
    std::copy(from_leaf.items, from_leaf.items + from_leaf.count, to_leaf.items + to_leaf.count);
    to_leaf.count = static_cast<std::uint16_t>(to_leaf.count + from_leaf.count);
    to_leaf.next = from_leaf.next;
    if (to_leaf.next != nullptr) to_leaf.next->previous = &to_leaf;
  } else {
    auto& to_inner = static_cast<Inner&>(to);
    const auto& from_inner = static_cast<Inner&>(from);
    for (std::size_t i = 0; i < from_inner.count; ++i) put_child(to_inner, to_inner.count, from_inner.children[i]);
  }
  free_node(&from);
  drop_child(inner, left + 1);
  describe_child(inner, left);
}

// ---- Places

const Ranking::Leaf* Ranking::locate(std::uint64_t rank, std::size_t& at) const {
  const Node* node = root_;
  while (!node->is_leaf) {
    const Inner& inner = *static_cast<const Inner*>(node);
    std::size_t child = 0;
    while (rank >= inner.counts[child]) rank -= inner.counts[child++];
    node = inner.children[child];
  }
  at = static_cast<std::size_t>(rank);
  return static_cast<const Leaf*>(node);
}

Scored* Ranking::at(std::uint64_t rank) const {
  std::size_t at = 0;
  const Leaf* leaf = locate(rank, at);
  return leaf->items[at];
}

bool Ranking::free_some(std::size_t& elements) {
  while (root_ != nullptr && elements > 0) {
    // The last leaf goes, and inner nodes that have nothing left below.
    Inner* above = nullptr;
    Node* node = root_;
    while (!node->is_leaf && node->count > 0) {
      above = static_cast<Inner*>(node);
      node = above->children[above->count - 1];
    }
    elements -= std::min<std::size_t>(elements, node->count + std::size_t{1});
    free_node(node);
    above == nullptr ? static_cast<void>(root_ = nullptr) : static_cast<void>(--above->count);
  }
  return root_ == nullptr;
}

}  // namespace redraft::store
