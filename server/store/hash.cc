#include "server/store/hash.h"

#include <xxhash.h>

#include <cstdlib>
#include <cstring>

#include "base/check.h"

namespace redraft::store {
namespace {

// A field's share beside its bytes: the lengths, pointer and tag in the leaf, and what the allocator rounds up.
constexpr std::int64_t kFieldBytes = 28;
constexpr char kIsPacked = 1;  // of what an encoding shows

Field* make_field(std::string_view name, std::string_view value) {
  auto* field = static_cast<Field*>(std::malloc(sizeof(Field) + name.size() + value.size()));
  ensure(field != nullptr, "memory for a field is there");
  *field = {static_cast<std::uint32_t>(name.size()), static_cast<std::uint32_t>(value.size())};
  if (!name.empty()) std::memcpy(field->bytes(), name.data(), name.size());
  if (!value.empty()) std::memcpy(field->bytes() + name.size(), value.data(), value.size());
  return field;
}

}  // namespace

std::uint64_t FieldTraits::hash_of(std::uint64_t seed, std::string_view name) {
  return XXH3_64bits_withSeed(name.data(), name.size(), seed);
}

std::int64_t FieldTraits::bytes(const Field* field) {
  return kFieldBytes + field->name_size + field->value_size;
}

void FieldTraits::free(Field* field) {
  std::free(field);
}

void FieldTraits::put(std::string& to, const Field* field) {
  put_bytes(to, field->name());
  put_bytes(to, field->value());
}

Field* FieldTraits::take(std::string_view& from) {
  std::string_view name;
  std::string_view value;
  if (!take_bytes(from, name) || !take_bytes(from, value)) return nullptr;
  return make_field(name, value);
}

std::optional<std::string_view> Hash::get(std::string_view field, NumberText& scratch) const {
  if (small()) {
    const PackedItem wanted = PackedItem::of_text(field);
    const std::size_t at = packed_.find(wanted, FieldTraits::kPackedItems);
    if (at == packed_.bytes()) return std::nullopt;
    return packed_.at(at + wanted.size()).text(scratch);
  }
  const Trie::Place place = find_in_table(field);
  if (!place) return std::nullopt;
  return place.item()->value();
}

bool Hash::contains(std::string_view field) const {
  if (small()) return packed_.find(PackedItem::of_text(field), FieldTraits::kPackedItems) < packed_.bytes();
  return static_cast<bool>(find_in_table(field));
}

// Borders as Redis's (redis/redis:src/t_hash.c, hashTypeTryConversion and hashTypeSet).
bool Hash::set(std::string_view field, std::string_view value) {
  if (field.size() > shared_.hash_max_listpack_value || value.size() > shared_.hash_max_listpack_value) {
    shown_ = 0;
  }
  if (small() && shown_ == 0) become_table();
  const bool is_new = small() ? set_packed(field, value) : set_in_table(field, value);
  if (is_new && size() > shared_.hash_max_listpack_entries) {
    shown_ = 0;
    if (small()) become_table();
  }
  return is_new;
}

void Hash::expect(std::size_t fields) {
  if (!small() || fields <= shared_.hash_max_listpack_entries) return;
  shown_ = 0;
  become_table();
}

bool Hash::set_packed(std::string_view field, std::string_view value) {
  const PackedItem name = PackedItem::of_text(field);
  const PackedItem content = PackedItem::of_text(value);
  const std::size_t at = packed_.find(name, FieldTraits::kPackedItems);
  const bool is_new = at == packed_.bytes();
  const std::size_t begin = is_new ? at : at + name.size();
  const std::size_t old = is_new ? 0 : packed_.size_at(begin);
  const std::size_t size = content.size() + (is_new ? name.size() : 0);
  if (packed_.bytes() - old + size > Packed::kBytesMax) {
    become_table();
    return set_in_table(field, value);
  }
  change_small([&] {
    char* to = packed_.splice(begin, begin + old, size, is_new ? 2 : 0);
    if (is_new) to = name.write(to);
    content.write(to);
  });
  return is_new;
}

bool Hash::set_in_table(std::string_view field, std::string_view value) {
  const std::uint64_t hashed = hash(field);
  const Trie::Place place = table_->trie.find(hashed, field);
  if (!place) {
    insert_in_table(hashed, make_field(field, value));
    return true;
  }
  before_change(*place.leaf);
  Field*& present = place.item();
  if (present->value_size == value.size()) {
    if (!value.empty()) std::memcpy(present->bytes() + present->name_size, value.data(), value.size());
    return false;
  }
  Field* const made = make_field(field, value);
  add_bytes(FieldTraits::bytes(made) - FieldTraits::bytes(present));
  std::free(present);
  present = made;
  return false;
}

bool Hash::remove(std::string_view field) {
  if (small()) {
    const PackedItem name = PackedItem::of_text(field);
    const std::size_t at = packed_.find(name, FieldTraits::kPackedItems);
    if (at == packed_.bytes()) return false;
    const std::size_t size = name.size() + packed_.size_at(at + name.size());
    change_small([&] { packed_.splice(at, at + size, 0, -2); });
    return true;
  }
  const std::uint64_t hashed = hash(field);
  const Trie::Place place = table_->trie.find(hashed, field);
  if (!place) return false;
  FieldTraits::free(erase_from_table(hashed, place.position));
  return true;
}

void Hash::become_table() {
  Packed old = packed_;
  start_table();
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
  to.push_back(static_cast<char>((small() ? kIsPacked : 0) | shown_));
  put_number(to, size());
  for_each([&](std::string_view field, std::string_view value) {
    put_bytes(to, field);
    put_bytes(to, value);
  });
}

Status Hash::decode(std::string_view from) {
  std::uint64_t size = 0;
  if (from.empty() || (from.front() & kIsPacked) == 0) return malformed("hash");
  shown_ = static_cast<std::uint8_t>(from.front()) & kIsListpack;
  from.remove_prefix(1);
  if (!take_number(from, size)) return malformed("hash");
  for (std::uint64_t i = 0; i < size; ++i) {
    std::string_view field;
    std::string_view value;
    if (!take_bytes(from, field) || !take_bytes(from, value)) return malformed("hash");
    if (!set_packed(field, value) || !small()) return malformed("hash");
  }
  return from.empty() ? Status(Done{}) : Status(malformed("hash"));
}

void Hash::begin_walk(std::string& to) {
  begin_table_walk(to, shown_);
}

Status Hash::restore_header(std::string_view from) {
  if (from.empty() || (from.front() & ~kIsListpack) != 0) return malformed("hash header");
  shown_ = static_cast<std::uint8_t>(from.front());
  return restore_table_header(from.substr(1));
}

TrieApproach Hash::approach(std::string_view first, std::string_view /*last*/) const {
  return small() ? TrieApproach() : table_->trie.approach(hash(first));
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
  made->shown_ = shown_;
  if (small()) {
    made->change_small([&] { made->packed_ = packed_.copy(); });
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

}  // namespace redraft::store
