#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "server/store/object.h"
#include "server/store/packed.h"
#include "server/store/trie_parts.h"

namespace redraft::store {

// A field of a large hash with its value: two lengths, then both texts, in one block.
struct Field {
  std::uint32_t name_size;
  std::uint32_t value_size;
  [[nodiscard]] const char* bytes() const { return reinterpret_cast<const char*>(this + 1); }
  [[nodiscard]] char* bytes() { return reinterpret_cast<char*>(this + 1); }
  [[nodiscard]] std::string_view name() const { return {bytes(), name_size}; }
  [[nodiscard]] std::string_view value() const { return {bytes() + name_size, value_size}; }
};

struct FieldTraits {
  using Item = Field*;
  static std::string_view key(const Field* field) { return field->name(); }
  static std::uint64_t hash(std::uint64_t seed, const Field* field);
};

// A map of strings to strings. A few fields lie packed in the order in which they came; more are in a table. Which of
// the two Redis's OBJECT ENCODING would name is remembered apart from it: a hash of large values leaves its packed form
// early. The order of fields is a function of the operations alone: that of the first coming, or of seeded hashes
// (architecture, section 6). A million small ones should cost what their bytes do, so there is no member too many.
class Hash final : public Object {
 public:
  explicit Hash(Shared& shared) : Object(shared), packed_() { shared_.memory += kBaseBytes; }
  ~Hash() override;

  // The value's view, which may be in `scratch`, is good until the next change.
  [[nodiscard]] std::optional<std::string_view> get(std::string_view field, NumberText& scratch) const;
  [[nodiscard]] bool contains(std::string_view field) const;
  bool set(std::string_view field, std::string_view value);  // false: it was there and has a new value
  bool remove(std::string_view field);                       // false: it was not there
  // So many fields are about to be set: Redis chooses the encoding by it.
  void expect(std::size_t fields);

  // Calls visit(field, value) for every field in the hash's own order; it must not change the hash.
  template <class Visit>
  void for_each(Visit visit) const {
    if (is_packed_) return for_each_packed(visit);
    Parts::for_each(table_->trie, [&](const Field* field) { visit(field->name(), field->value()); });
  }
  // Calls visit(field, value) for the one of this rank in that order, rank < size().
  template <class Visit>
  void at(std::uint64_t rank, Visit visit) const {
    if (!is_packed_) {
      const Field* field = table_->trie.at(rank).item();
      return visit(field->name(), field->value());
    }
    for_each_packed([&](std::string_view field, std::string_view value) {
      if (rank-- == 0) visit(field, value);
    });
  }
  // HSCAN, as Set::scan.
  template <class Visit>
  std::uint64_t scan(std::uint64_t cursor, std::size_t count, Visit visit) const {
    if (is_packed_) {
      for_each_packed(visit);
      return 0;
    }
    return Parts::scan(table_->trie, cursor, count, [&](const Field* field) { visit(field->name(), field->value()); });
  }

  [[nodiscard]] Type type() const override { return Type::kHash; }
  [[nodiscard]] std::string_view encoding() const override { return is_listpack_ ? "listpack" : "hashtable"; }
  [[nodiscard]] std::size_t size() const override {
    return is_packed_ ? packed_.count() / 2 : static_cast<std::size_t>(table_->trie.size());
  }
  [[nodiscard]] std::size_t memory() const override;
  [[nodiscard]] bool small() const override { return is_packed_; }
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
  using Trie = HashTrie<FieldTraits>;
  using Parts = TrieParts<FieldTraits>;
  struct Table {
    Trie trie;
    std::int64_t bytes = 0;
    std::uint64_t walk_from = 0;
    std::uint64_t restored_size = 0;
  };
  static constexpr std::int64_t kBaseBytes = 32;

  template <class Visit>
  void for_each_packed(Visit visit) const {
    NumberText field_scratch;
    NumberText value_scratch;
    for (std::size_t at = 0; at < packed_.bytes();) {
      const PackedItem field = packed_.at(at);
      const PackedItem value = packed_.at(at + field.size());
      visit(field.text(field_scratch), value.text(value_scratch));
      at += field.size() + value.size();
    }
  }
  // Where the field lies; packed_.bytes() when it does not.
  [[nodiscard]] std::size_t find_packed(const PackedItem& field) const;
  bool set_packed(std::string_view field, std::string_view value);
  bool set_in_table(std::string_view field, std::string_view value);
  void become_table();
  void before_change(Trie::Leaf& leaf);
  void write_leaf(std::string& to, Trie::Leaf& leaf) const;
  void add_bytes(std::int64_t bytes);
  [[nodiscard]] std::uint64_t hash(std::string_view field) const;

  bool is_packed_ = true;
  bool is_listpack_ = true;
  union {
    Packed packed_;
    Table* table_;
  };
};

}  // namespace redraft::store
