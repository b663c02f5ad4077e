#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "resp/number.h"
#include "server/store/collection.h"

namespace redraft::store {

// A member of a large set: its length, then its bytes, in one block.
struct Member {
  std::uint32_t size;
  [[nodiscard]] std::string_view bytes() const { return {reinterpret_cast<const char*>(this + 1), size}; }
};

struct MemberTraits {
  using Item = Member*;
  static constexpr std::string_view kName = "set";
  static constexpr std::size_t kPackedItems = 1;
  static std::string_view key(const Member* member) { return member->bytes(); }
  static std::uint64_t hash_of(std::uint64_t seed, std::string_view member);
  static std::uint64_t hash(std::uint64_t seed, const Member* member) { return hash_of(seed, member->bytes()); }
  static std::int64_t bytes(const Member* member);
  static void free(Member* member);
  static void put(std::string& to, const Member* member);
  static Member* take(std::string_view& from);
};

// A set of strings: sorted integers, or packed in the order in which they came, the last in the place of a removed one,
// or a table. OBJECT ENCODING shows Redis 7.2's three encodings by Redis's borders. The order of members is a function
// of the operations alone: numeric, or by last use of a removed place, or by seeded hash (architecture, section 6).
class Set final : public Collection<MemberTraits> {
 public:
  explicit Set(Shared& shared) : Collection(shared) {
    form_ = Form::kIntegers;
    integers_ = {};
  }

  [[nodiscard]] bool contains(std::string_view member) const;
  bool add(std::string_view member);     // false: it was there
  bool remove(std::string_view member);  // false: it was not
  // The member of this rank in the set's own order, rank < size(). SPOP and SRANDMEMBER draw the rank.
  [[nodiscard]] std::string at(std::uint64_t rank) const;
  // Removes the member of this rank after visit(std::string_view), which must not change the set.
  template <class Visit>
  void take(std::uint64_t rank, Visit visit) {
    if (small()) {
      const std::string member = at(rank);
      visit(member);
      remove(member);
      return;
    }
    const Trie::Place place = table_->trie.at(rank);
    visit(place.item()->bytes());
    MemberTraits::free(erase_from_table(hash(place.item()->bytes()), place.position));
  }
  // Calls visit(std::string_view) for every member in the set's own order; it must not change the set.
  template <class Visit>
  void for_each(Visit visit) const {
    if (form_ == Form::kTable) return Parts::for_each(table_->trie, [&](const Member* item) { visit(item->bytes()); });
    for_each_small(form_, packed_, integers_, visit);
  }
  // SSCAN: whole leaves until about `count` members are visited; the next cursor, 0 at the end. The small encodings are
  // visited whole. Every member that stays in the set from the first call to the last is visited.
  template <class Visit>
  std::uint64_t scan(std::uint64_t cursor, std::size_t count, Visit visit) const {
    if (small()) {
      for_each(visit);
      return 0;
    }
    return Parts::scan(table_->trie, cursor, count, [&](const Member* member) { visit(member->bytes()); });
  }

  [[nodiscard]] Type type() const override { return Type::kSet; }
  [[nodiscard]] std::string_view encoding() const override;
  void encode(std::string& to) const override;
  [[nodiscard]] Status decode(std::string_view from) override;
  void begin_walk(std::string& to) override;
  [[nodiscard]] Status restore_header(std::string_view from) override;
  [[nodiscard]] Status restore_part(std::string_view from) override;
  [[nodiscard]] std::uint64_t digest(Breather& breather) const override;
  [[nodiscard]] std::uint64_t digest_part(std::uint64_t first, std::uint64_t count, Breather& breather) const override;
  [[nodiscard]] std::unique_ptr<Object> copy(Breather& breather) const override;
  [[nodiscard]] TrieApproach approach(std::string_view first, std::string_view last) const override;

 private:
  // Of shown_; also what begins an encoding.
  enum : std::uint8_t { kIntset = 0, kListpack = 1, kHashtable = 2 };

  template <class Visit>
  static void for_each_small(Form form, const Packed& packed, const Integers& integers, Visit visit) {
    NumberText text;
    if (form == Form::kIntegers) {
      for (std::size_t rank = 0; rank < integers.size(); ++rank) {
        visit(std::string_view(text.data(), resp::format_int64(integers[rank], text.data())));
      }
      return;
    }
    for (std::size_t at = 0; at < packed.bytes();) {
      const PackedItem item = packed.at(at);
      visit(item.text(text));
      at += item.size();
    }
  }
  bool add_integer(std::int64_t value);
  void add_packed(std::string_view member);  // it is not there
  bool add_to_table(std::string_view member);
  void become_packed();
  void become_table();
  void erase_packed(std::size_t offset);
};

}  // namespace redraft::store
