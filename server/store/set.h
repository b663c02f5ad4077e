#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "server/store/hash_trie.h"
#include "server/store/integers.h"
#include "server/store/object.h"

namespace redraft::store {

// A member of a set: its length in a variable-length number, then its bytes, in one block.
struct Member;
[[nodiscard]] Member* make_member(std::string_view bytes);
void free_member(Member* member);
[[nodiscard]] std::string_view member_bytes(const Member* member);

struct MemberTraits {
  using Item = Member*;
  static std::string_view key(const Member* member) { return member_bytes(member); }
  static std::uint64_t hash(std::uint64_t seed, const Member* member);
};

// A set of strings in Redis 7.2's three encodings: sorted integers, a short dense array, a table. The order of members
// is a function of the operations alone: numeric, or by last use of a removed place, or by seeded hash (architecture,
// section 6).
class Set final : public Object {
 public:
  explicit Set(Shared& shared) : Object(shared) { shared_.memory += kBaseBytes; }
  ~Set() override;

  [[nodiscard]] bool contains(std::string_view member) const;
  bool add(std::string_view member);     // false: it was there
  bool remove(std::string_view member);  // false: it was not
  // The member of this rank in the set's own order, rank < size(). SPOP and SRANDMEMBER draw the rank.
  [[nodiscard]] std::string at(std::uint64_t rank) const;
  // Removes the member of this rank after visit(std::string_view), which must not change the set.
  template <class Visit>
  void take(std::uint64_t rank, Visit visit) {
    if (encoding_ != Encoding::kTable) {
      const std::string member = at(rank);
      visit(member);
      remove(member);
      return;
    }
    const Table::Place place = table_.at(rank);
    visit(member_bytes(place.item()));
    erase(hash(member_bytes(place.item())), place);
  }
  // Calls visit(std::string_view) for every member in the set's own order; it must not change the set.
  template <class Visit>
  void for_each(Visit visit) const {
    std::string text;
    for (std::size_t rank = 0; rank < integers_.size(); ++rank) visit(integer_text(integers_[rank], text));
    for (const Member* member : dense_) visit(member_bytes(member));
    std::uint64_t from = 0;
    while (Table::Leaf* leaf = table_.leaf_from(from, from)) {
      for (std::uint32_t i = 0; i < leaf->count; ++i) visit(member_bytes(leaf->items()[i]));
      if (from == 0) break;
    }
  }
  // SSCAN: whole leaves until about `count` members are visited; the next cursor, 0 at the end. The small encodings are
  // visited whole. Every member that stays in the set from the first call to the last is visited.
  template <class Visit>
  std::uint64_t scan(std::uint64_t cursor, std::size_t count, Visit visit) const {
    if (encoding_ != Encoding::kTable) {
      for_each(visit);
      return 0;
    }
    std::uint64_t from = cursor << kCursorShift;
    std::size_t visited = 0;
    while (Table::Leaf* leaf = table_.leaf_from(from, from)) {
      for (std::uint32_t i = 0; i < leaf->count; ++i) visit(member_bytes(leaf->items()[i]));
      visited += leaf->count;
      if (from == 0) return 0;
      if (visited >= count) return from >> kCursorShift;
    }
    return 0;
  }

  [[nodiscard]] Type type() const override { return Type::kSet; }
  [[nodiscard]] std::string_view encoding() const override;
  [[nodiscard]] std::size_t size() const override { return integers_.size() + dense_.size() + table_.size(); }
  [[nodiscard]] std::size_t memory() const override { return static_cast<std::size_t>(kBaseBytes + bytes_); }
  [[nodiscard]] bool small() const override { return encoding_ != Encoding::kTable && bytes_ <= 8192; }
  void encode(std::string& to) const override;
  [[nodiscard]] Status decode(std::string_view from) override;
  void begin_walk(std::string& to) override;
  [[nodiscard]] bool walk(std::string& to, std::size_t bytes_max) override;
  [[nodiscard]] Status restore_header(std::string_view from) override;
  [[nodiscard]] Status restore_part(std::string_view from) override;
  [[nodiscard]] Status restore_end() override;
  [[nodiscard]] std::uint64_t digest(Breather& breather) const override;
  [[nodiscard]] std::uint64_t digest_part(std::uint64_t first, std::uint64_t count, Breather& breather) const override;
  [[nodiscard]] std::unique_ptr<Object> copy(Breather& breather) const override;
  [[nodiscard]] bool free_some(std::size_t& elements) override;

 private:
  enum class Encoding : std::uint8_t { kIntegers = 0, kDense = 1, kTable = 2 };
  using Table = HashTrie<MemberTraits>;
  static constexpr std::int64_t kBaseBytes = 144;
  // Leaves are never deeper than HashTrie::kDepthMax bits, so a cursor of so many names each of them.
  static constexpr int kCursorShift = 64 - 36;

  [[nodiscard]] static std::string_view integer_text(std::int64_t value, std::string& text);
  [[nodiscard]] std::uint64_t hash(std::string_view member) const;
  void become_dense();
  void become_table();
  bool add_to_table(std::string_view member);
  void erase(std::uint64_t hashed, const Table::Place& place);
  void before_change(Table::Leaf& leaf);
  void before_change_small();
  void write_leaf(std::string& to, const Table::Leaf& leaf) const;
  void add_bytes(std::int64_t bytes);

  Encoding encoding_ = Encoding::kIntegers;
  Epoch epoch_ = 0;  // of the small encodings, which are one part
  Integers integers_;
  std::vector<Member*> dense_;
  Table table_;
  std::int64_t bytes_ = 0;
  std::uint64_t progress_ = 0;  // where the walk is; while it is restored, how many members there will be
};

}  // namespace redraft::store
