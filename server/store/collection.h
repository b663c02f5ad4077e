#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/check.h"
#include "server/store/hash_trie.h"
#include "server/store/integers.h"
#include "server/store/object.h"
#include "server/store/packed.h"
#include "server/store/trie_parts.h"

namespace redraft::store {

// The large form of a Collection. One with a second order of its items derives from it.
template <class Traits>
struct CollectionTable {
  HashTrie<Traits> trie;
  std::int64_t bytes = 0;           // of its items, approximately
  std::uint64_t walk_from = 0;      // where the walk is
  std::uint64_t restored_size = 0;  // how many items a restored one will have

  // Whatever else holds the items lets go of them first, as Object::free_some.
  static bool free_others(std::size_t& /*elements*/) { return true; }
};

// What hashes, sets and sorted sets have in common: they lie in one block while they are small and travel whole with
// their key, and are a table of items afterwards, whose leaves are the parts of the walk. What OBJECT ENCODING shows
// follows Redis's borders and is apart from that: the form follows bytes.
//
// `Traits` are HashTrie's, and how items are made and counted: `kName`, `kPackedItems` of an element in the packed
// form, `bytes(item)`, `free(item)`, `put(to, item)` and `take(from)`, which is nullptr when malformed.
template <class Traits, class Table = CollectionTable<Traits>>
class Collection : public Object {
 public:
  ~Collection() override {
    std::size_t all = ~std::size_t{0};
    const bool done = Collection::free_some(all);
    ensure(done, "a collection without elements is freed");
    if (form_ == Form::kTable) {
      shared_.memory -= kTableBytes;
      delete table_;
    }
    shared_.memory -= kBaseBytes;
  }

  [[nodiscard]] std::size_t size() const final {
    if (form_ == Form::kPacked) return packed_.count() / Traits::kPackedItems;
    return form_ == Form::kIntegers ? integers_.size() : static_cast<std::size_t>(table_->trie.size());
  }
  [[nodiscard]] std::size_t memory() const final {
    const std::int64_t bytes = form_ == Form::kTable ? table_->bytes + kTableBytes : small_bytes();
    return static_cast<std::size_t>(kBaseBytes + bytes);
  }
  [[nodiscard]] bool small() const final { return form_ != Form::kTable; }

  [[nodiscard]] bool walk(std::string& to, std::size_t bytes_max) final {
    if (form_ != Form::kTable) return true;
    return Parts::walk(table_->trie, table_->walk_from, shared_.epoch, to, bytes_max,
                       [&](Leaf& leaf) { write_leaf(to, leaf); });
  }
  [[nodiscard]] Status restore_part(std::string_view from) override {
    return Parts::restore(table_->trie, from, shared_.hash_seed, shared_.epoch, [&](std::string_view& rest) {
      const Item item = Traits::take(rest);
      if (item != nullptr) add_bytes(Traits::bytes(item));
      return item;
    });
  }
  [[nodiscard]] Status restore_end() override {
    if (form_ != Form::kTable || size() == table_->restored_size) return Done{};
    return malformed(std::string(Traits::kName) + ": parts are missing");
  }

  [[nodiscard]] bool free_some(std::size_t& elements) final {
    if (form_ != Form::kTable) {
      add_bytes(-small_bytes());
      form_ == Form::kPacked ? packed_.free() : integers_.free();
      return true;
    }
    if (!table_->free_others(elements)) return false;
    while (elements > 0) {
      Leaf* leaf = table_->trie.take_leaf();
      if (leaf == nullptr) break;
      for (std::uint32_t i = 0; i < leaf->count; ++i) {
        add_bytes(-Traits::bytes(leaf->items()[i]));
        Traits::free(leaf->items()[i]);
      }
      elements -= std::min<std::size_t>(elements, leaf->count + 1);
      std::free(leaf);
    }
    return table_->trie.empty();
  }

 protected:
  using Trie = HashTrie<Traits>;
  using Parts = TrieParts<Traits>;
  using Leaf = typename Trie::Leaf;
  using Item = typename Trie::Item;
  enum class Form : std::uint8_t { kPacked, kIntegers, kTable };

  explicit Collection(Shared& shared) : Object(shared) { shared_.memory += kBaseBytes; }

  void add_bytes(std::int64_t bytes) {
    if (form_ == Form::kTable) table_->bytes += bytes;
    shared_.memory += bytes;
  }
  [[nodiscard]] std::int64_t small_bytes() const {
    const std::size_t bytes = form_ == Form::kPacked ? packed_.bytes() : integers_.bytes();
    return bytes == 0 ? 0 : static_cast<std::int64_t>(bytes) + kBlockBytes;
  }
  // Around a change of the small form, so that its bytes are counted.
  template <class Change>
  void change_small(Change change) {
    const std::int64_t before = small_bytes();
    change();
    add_bytes(small_bytes() - before);
  }
  // An empty table takes the place of the small form, which the caller has a handle of and frees.
  void start_table() {
    add_bytes(-small_bytes());
    table_ = new Table;
    form_ = Form::kTable;
    shared_.memory += kTableBytes;
  }

  [[nodiscard]] std::uint64_t hash(std::string_view key) const { return Traits::hash_of(shared_.hash_seed, key); }
  [[nodiscard]] typename Trie::Place find_in_table(std::string_view key) const {
    return table_->trie.find(hash(key), key);
  }
  void insert_in_table(std::uint64_t hashed, Item item) {
    table_->trie.insert(hashed, item, shared_.hash_seed, shared_.epoch, [&](Leaf& leaf) { before_change(leaf); });
    add_bytes(Traits::bytes(item));
  }
  // The item is the caller's to free.
  [[nodiscard]] Item erase_from_table(std::uint64_t hashed, std::uint32_t position) {
    const Item item = table_->trie.erase(hashed, position, shared_.epoch, [&](Leaf& leaf) { before_change(leaf); });
    add_bytes(-Traits::bytes(item));
    return item;
  }
  void before_change(Leaf& leaf) {
    if (must_copy(leaf.epoch) && leaf.count > 0) write_leaf(shared_.walked, leaf);
    leaf.epoch = shared_.epoch;
  }

  // The header of a table in parts: what it shows, in a byte of the derived class's, and its size.
  void begin_table_walk(std::string& to, std::uint8_t shown) {
    to.push_back(static_cast<char>(shown));
    put_number(to, size());
    table_->walk_from = 0;
  }
  // What is behind the byte.
  [[nodiscard]] Status restore_table_header(std::string_view from) {
    if (form_ == Form::kTable || size() > 0) return malformed(std::string(Traits::kName) + " header");
    start_table();
    if (take_number(from, table_->restored_size) && from.empty()) return Done{};
    return malformed(std::string(Traits::kName) + " header");
  }

  Form form_ = Form::kPacked;
  std::uint8_t shown_ = 0;  // what OBJECT ENCODING shows, as the derived class counts it; fills up Object's last word
  union {
    Packed packed_ = {};
    Integers integers_;  // of sets
    Table* table_;
  };

 private:
  static constexpr std::int64_t kBaseBytes = 32;
  static constexpr std::int64_t kTableBytes = sizeof(Table);
  // A small block's: its header and what the allocator rounds up.
  static constexpr std::int64_t kBlockBytes = 8;

  void write_leaf(std::string& to, Leaf& leaf) const {
    Parts::write(to, id(), table_->trie, leaf, shared_.hash_seed, Traits::put);
  }
};

}  // namespace redraft::store
