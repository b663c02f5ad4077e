#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "server/store/collection.h"

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
  static constexpr std::string_view kName = "hash";
  static constexpr std::size_t kPackedItems = 2;
  static std::string_view key(const Field* field) { return field->name(); }
  static std::uint64_t hash_of(std::uint64_t seed, std::string_view name);
  static std::uint64_t hash(std::uint64_t seed, const Field* field) { return hash_of(seed, field->name()); }
  static std::int64_t bytes(const Field* field);
  static void free(Field* field);
  static void put(std::string& to, const Field* field);
  static Field* take(std::string_view& from);
};

// A map of strings to strings. A few fields lie packed in the order in which they came; more are in a table. Which of
// the two Redis's OBJECT ENCODING would name is remembered apart from it: a hash of large values leaves its packed form
// early. The order of fields is a function of the operations alone: that of the first coming, or of seeded hashes
// (architecture, section 6). A million small ones should cost what their bytes do, so there is no member too many.
class Hash final : public Collection<FieldTraits> {
 public:
  explicit Hash(Shared& shared) : Collection(shared) { shown_ = kIsListpack; }

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
    if (small()) return for_each_packed(visit);
    Parts::for_each(table_->trie, [&](const Field* field) { visit(field->name(), field->value()); });
  }
  // Calls visit(field, value) for the one of this rank in that order, rank < size().
  template <class Visit>
  void at(std::uint64_t rank, Visit visit) const {
    if (!small()) {
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
    if (small()) {
      for_each_packed(visit);
      return 0;
    }
    return Parts::scan(table_->trie, cursor, count, [&](const Field* field) { visit(field->name(), field->value()); });
  }

  [[nodiscard]] Type type() const override { return Type::kHash; }
  [[nodiscard]] std::string_view encoding() const override { return shown_ == kIsListpack ? "listpack" : "hashtable"; }
  void encode(std::string& to) const override;
  [[nodiscard]] Status decode(std::string_view from) override;
  void begin_walk(std::string& to) override;
  [[nodiscard]] Status restore_header(std::string_view from) override;
  [[nodiscard]] std::uint64_t digest(Breather& breather) const override;
  [[nodiscard]] std::uint64_t digest_part(std::uint64_t first, std::uint64_t count, Breather& breather) const override;
  [[nodiscard]] std::unique_ptr<Object> copy(Breather& breather) const override;
  [[nodiscard]] TrieApproach approach(std::string_view first, std::string_view last) const override;

 private:
  static constexpr std::uint8_t kIsListpack = 2;  // of shown_

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
  bool set_packed(std::string_view field, std::string_view value);
  bool set_in_table(std::string_view field, std::string_view value);
  void become_table();
};

}  // namespace redraft::store
