#include "server/store/hash.h"

#include <xxhash.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "base/check.h"

namespace redraft::store {
namespace {

// A field's share beside its bytes: the lengths, pointer and tag in the leaf, and what the allocator rounds up.
constexpr std::int64_t kFieldBytes = 28;
// A packed block's: its header and what the allocator rounds up.
constexpr std::int64_t kBlockBytes = 8;
constexpr char kIsPacked = 1;
constexpr char kIsListpack = 2;

Field* make_field(std::string_view name, std::string_view value) {
  auto* field = static_cast<Field*>(std::malloc(sizeof(Field) + name.size() + value.size()));
  ensure(field != nullptr, "memory for a field is there");
  *field = {static_cast<std::uint32_t>(name.size()), static_cast<std::uint32_t>(value.size())};
  if (!name.empty()) std::memcpy(field->bytes(), name.data(), name.size());
  if (!value.empty()) std::memcpy(field->bytes() + name.size(), value.data(), value.size());
  return field;
}

std::int64_t field_bytes(const Field& field) {
  return kFieldBytes + field.name_size + field.value_size;
}

void put_field(std::string& to, const Field* field) {
  put_bytes(to, field->name());
  put_bytes(to, field->value());
}

}  // namespace

std::uint64_t FieldTraits::hash(std::uint64_t seed, const Field* field) {
  return XXH3_64bits_withSeed(field->bytes(), field->name_size, seed);
}

Hash::~Hash() {
  std::size_t all = ~std::size_t{0};
  const bool done = free_some(all);
  ensure(done, "a hash without fields is freed");
  if (!is_packed_) {
    shared_.memory -= static_cast<std::int64_t>(sizeof(Table));
    delete table_;
  }
  shared_.memory -= kBaseBytes;
}

std::uint64_t Hash::hash(std::string_view field) const {
  return XXH3_64bits_withSeed(field.data(), field.size(), shared_.hash_seed);
}

void Hash::add_bytes(std::int64_t bytes) {
  if (!is_packed_) table_->bytes += bytes;
  shared_.memory += bytes;
}

std::size_t Hash::memory() const {
  const std::int64_t bytes = !is_packed_            ? table_->bytes + static_cast<std::int64_t>(sizeof(Table))
                             : packed_.bytes() == 0 ? 0
                                                    : static_cast<std::int64_t>(packed_.bytes()) + kBlockBytes;
  return static_cast<std::size_t>(kBaseBytes + bytes);
}

void Hash::before_change(Trie::Leaf& leaf) {
  if (must_copy(leaf.epoch) && leaf.count > 0) write_leaf(shared_.walked, leaf);
  leaf.epoch = shared_.epoch;
}

std::size_t Hash::find_packed(const PackedItem& field) const {
  std::size_t at = 0;
  while (at < packed_.bytes()) {
    const PackedItem candidate = packed_.at(at);
    if (candidate.same_text(field)) break;
    at += candidate.size();
    at += packed_.at(at).size();
  }
  return at;
}

std::optional<std::string_view> Hash::get(std::string_view field, NumberText& scratch) const {
  if (is_packed_) {
    const PackedItem wanted = PackedItem::of_text(field);
    const std::size_t at = find_packed(wanted);
    if (at == packed_.bytes()) return std::nullopt;
    return packed_.at(at + wanted.size()).text(scratch);
  }
  const Trie::Place place = table_->trie.find(hash(field), field);
  if (!place) return std::nullopt;
  return place.item()->value();
}

bool Hash::contains(std::string_view field) const {
  if (is_packed_) return find_packed(PackedItem::of_text(field)) < packed_.bytes();
  return static_cast<bool>(table_->trie.find(hash(field), field));
}

// Borders as Redis's (redis/redis:src/t_hash.c, hashTypeTryConversion and hashTypeSet).
bool Hash::set(std::string_view field, std::string_view value) {
  if (field.size() > shared_.hash_max_listpack_value || value.size() > shared_.hash_max_listpack_value) {
    is_listpack_ = false;
  }
  if (is_packed_ && !is_listpack_) become_table();
  const bool is_new = is_packed_ ? set_packed(field, value) : set_in_table(field, value);
  if (is_new && size() > shared_.hash_max_listpack_entries) {
    is_listpack_ = false;
    if (is_packed_) become_table();
  }
  return is_new;
}

void Hash::expect(std::size_t fields) {
  if (!is_packed_ || fields <= shared_.hash_max_listpack_entries) return;
  is_listpack_ = false;
  become_table();
}

bool Hash::set_packed(std::string_view field, std::string_view value) {
  const PackedItem name = PackedItem::of_text(field);
  const PackedItem content = PackedItem::of_text(value);
  const std::size_t at = find_packed(name);
  const bool is_new = at == packed_.bytes();
  const std::size_t begin = is_new ? at : at + name.size();
  const std::size_t old = is_new ? 0 : packed_.at(begin).size();
  const std::size_t size = content.size() + (is_new ? name.size() : 0);
  if (packed_.bytes() - old + size > Packed::kBytesMax) {
    become_table();
    return set_in_table(field, value);
  }
  if (packed_.bytes() == 0) add_bytes(kBlockBytes);
  add_bytes(static_cast<std::int64_t>(size) - static_cast<std::int64_t>(old));
  char* to = packed_.splice(begin, begin + old, size, is_new ? 2 : 0);
  if (is_new) to = name.write(to);
  content.write(to);
  return is_new;
}

bool Hash::set_in_table(std::string_view field, std::string_view value) {
  Trie& trie = table_->trie;
  const std::uint64_t hashed = hash(field);
  const Trie::Place place = trie.find(hashed, field);
  if (!place) {
    Field* const made = make_field(field, value);
    trie.insert(hashed, made, shared_.hash_seed, shared_.epoch, [&](Trie::Leaf& leaf) { before_change(leaf); });
    add_bytes(field_bytes(*made));
    return true;
  }
  before_change(*place.leaf);
  Field*& present = place.item();
  if (present->value_size == value.size()) {
    if (!value.empty()) std::memcpy(present->bytes() + present->name_size, value.data(), value.size());
    return false;
  }
  Field* const made = make_field(field, value);
  add_bytes(field_bytes(*made) - field_bytes(*present));
  std::free(present);
  present = made;
  return false;
}

bool Hash::remove(std::string_view field) {
  if (is_packed_) {
    const PackedItem name = PackedItem::of_text(field);
    const std::size_t at = find_packed(name);
    if (at == packed_.bytes()) return false;
    const std::size_t size = name.size() + packed_.at(at + name.size()).size();
    packed_.splice(at, at + size, 0, -2);
    add_bytes(-static_cast<std::int64_t>(size) - (packed_.bytes() == 0 ? kBlockBytes : 0));
    return true;
  }
  const std::uint64_t hashed = hash(field);
  const Trie::Place place = table_->trie.find(hashed, field);
  if (!place) return false;
  Field* const removed =
      table_->trie.erase(hashed, place.position, shared_.epoch, [&](Trie::Leaf& leaf) { before_change(leaf); });
  add_bytes(-field_bytes(*removed));
  std::free(removed);
  return true;
}

void Hash::become_table() {
  Packed old = packed_;
  if (old.bytes() > 0) add_bytes(-static_cast<std::int64_t>(old.bytes()) - kBlockBytes);
  table_ = new Table;
  is_packed_ = false;
  shared_.memory += static_cast<std::int64_t>(sizeof(Table));
  NumberText name_scratch;
  NumberText value_scratch;
  for (std::size_t at = 0; at < old.bytes();) {
    const PackedItem name = old.at(at);
    const PackedItem value = old.at(at + name.size());
    set_in_table(name.text(name_scratch), value.text(value_scratch));
    at += name.size() + value.size();
  }
  old.free();
}

// ---- Snapshot, digest, freeing

void Hash::encode(std::string& to) const {
  to.push_back(static_cast<char>((is_packed_ ? kIsPacked : 0) | (is_listpack_ ? kIsListpack : 0)));
  put_number(to, size());
  for_each([&](std::string_view field, std::string_view value) {
    put_bytes(to, field);
    put_bytes(to, value);
  });
}

Status Hash::decode(std::string_view from) {
  std::uint64_t size = 0;
  if (from.empty() || (from.front() & kIsPacked) == 0) return malformed("hash");
  is_listpack_ = (from.front() & kIsListpack) != 0;
  from.remove_prefix(1);
  if (!take_number(from, size)) return malformed("hash");
  for (std::uint64_t i = 0; i < size; ++i) {
    std::string_view field;
    std::string_view value;
    if (!take_bytes(from, field) || !take_bytes(from, value)) return malformed("hash");
    if (!set_packed(field, value) || !is_packed_) return malformed("hash");
  }
  return from.empty() ? Status(Done{}) : Status(malformed("hash"));
}

void Hash::begin_walk(std::string& to) {
  to.push_back(is_listpack_ ? kIsListpack : 0);
  put_number(to, size());
  table_->walk_from = 0;
}

void Hash::write_leaf(std::string& to, Trie::Leaf& leaf) const {
  Parts::write(to, id(), table_->trie, leaf, shared_.hash_seed, put_field);
}

bool Hash::walk(std::string& to, std::size_t bytes_max) {
  if (is_packed_) return true;
  return Parts::walk(table_->trie, table_->walk_from, shared_.epoch, to, bytes_max,
                     [&](Trie::Leaf& leaf) { write_leaf(to, leaf); });
}

Status Hash::restore_header(std::string_view from) {
  if (from.empty() || (from.front() & ~kIsListpack) != 0 || !is_packed_) return malformed("hash header");
  become_table();
  is_listpack_ = from.front() != 0;
  from.remove_prefix(1);
  const bool valid = take_number(from, table_->restored_size) && from.empty();
  return valid ? Status(Done{}) : Status(malformed("hash header"));
}

Status Hash::restore_part(std::string_view from) {
  return Parts::restore(table_->trie, from, shared_.hash_seed, shared_.epoch, [&](std::string_view& rest) -> Field* {
    std::string_view name;
    std::string_view value;
    if (!take_bytes(rest, name) || !take_bytes(rest, value)) return nullptr;
    Field* const made = make_field(name, value);
    add_bytes(field_bytes(*made));
    return made;
  });
}

Status Hash::restore_end() {
  return size() == table_->restored_size ? Status(Done{}) : Status(malformed("hash: parts are missing"));
}

namespace {

std::uint64_t digest_of_field(std::string_view field, std::string_view value) {
  return XXH3_64bits_withSeed(value.data(), value.size(), XXH3_64bits(field.data(), field.size())) | 1;
}

}  // namespace

std::uint64_t Hash::digest(Breather& breather) const {
  std::uint64_t digest = 3;
  Steps steps(breather);
  for_each([&](std::string_view field, std::string_view value) {
    steps.step();
    digest += digest_of_field(field, value);
  });
  return digest;
}

std::uint64_t Hash::digest_part(std::uint64_t first, std::uint64_t count, Breather& breather) const {
  std::uint64_t digest = 3;
  Steps steps(breather);
  for (std::uint64_t rank = first; rank < first + count; ++rank) {
    steps.step();
    at(rank, [&](std::string_view field, std::string_view value) { digest += digest_of_field(field, value); });
  }
  return digest;
}

std::unique_ptr<Object> Hash::copy(Breather& breather) const {
  auto made = std::make_unique<Hash>(shared_);
  made->is_listpack_ = is_listpack_;
  if (is_packed_) {
    made->packed_ = packed_.copy();
    if (packed_.bytes() > 0) made->add_bytes(static_cast<std::int64_t>(packed_.bytes()) + kBlockBytes);
    return made;
  }
  // Field by field in the hash's own order gives the same order again.
  made->become_table();
  Steps steps(breather);
  for_each([&](std::string_view field, std::string_view value) {
    steps.step();
    made->set_in_table(field, value);
  });
  return made;
}

bool Hash::free_some(std::size_t& elements) {
  if (is_packed_) {
    if (packed_.bytes() > 0) add_bytes(-static_cast<std::int64_t>(packed_.bytes()) - kBlockBytes);
    packed_.free();
    return true;
  }
  while (elements > 0) {
    Trie::Leaf* leaf = table_->trie.take_leaf();
    if (leaf == nullptr) break;
    for (std::uint32_t i = 0; i < leaf->count; ++i) {
      add_bytes(-field_bytes(*leaf->items()[i]));
      std::free(leaf->items()[i]);
    }
    elements -= std::min<std::size_t>(elements, leaf->count + 1);
    std::free(leaf);
  }
  return table_->trie.empty();
}

}  // namespace redraft::store
