#include "server/store/set.h"

#include <xxhash.h>

#include <cstdlib>
#include <cstring>
#include <optional>

#include "base/check.h"
#include "resp/number.h"

namespace redraft::store {
namespace {

// A block's share of a member: its length, the pointer and tag in the leaf, and what the allocator rounds up.
constexpr std::int64_t kMemberBytes = 24;
// Begins the header of a table that OBJECT ENCODING does not show as one, which is the rest of the byte.
constexpr std::uint8_t kLargeForm = 4;

Member* make_member(std::string_view bytes) {
  auto* member = static_cast<Member*>(std::malloc(sizeof(Member) + bytes.size()));
  ensure(member != nullptr, "memory for a member is there");
  member->size = static_cast<std::uint32_t>(bytes.size());
  if (!bytes.empty()) std::memcpy(static_cast<void*>(member + 1), bytes.data(), bytes.size());
  return member;
}

}  // namespace

std::uint64_t MemberTraits::hash_of(std::uint64_t seed, std::string_view member) {
  return XXH3_64bits_withSeed(member.data(), member.size(), seed);
}

std::int64_t MemberTraits::bytes(const Member* member) {
  return kMemberBytes + member->size;
}

void MemberTraits::free(Member* member) {
  std::free(member);
}

void MemberTraits::put(std::string& to, const Member* member) {
  put_bytes(to, member->bytes());
}

Member* MemberTraits::take(std::string_view& from) {
  std::string_view member;
  return take_bytes(from, member) ? make_member(member) : nullptr;
}

std::string_view Set::encoding() const {
  if (shown_ == kHashtable) return "hashtable";
  return shown_ == kListpack ? "listpack" : "intset";
}

bool Set::contains(std::string_view member) const {
  switch (form_) {
    case Form::kIntegers: {
      const std::optional<std::int64_t> value = resp::parse_int64(member);
      return value && integers_.contains(*value);
    }
    case Form::kPacked:
      return packed_.find(PackedItem::of_text(member), 1) < packed_.bytes();
    case Form::kTable:
      break;
  }
  return static_cast<bool>(find_in_table(member));
}

// Borders as Redis's (redis/redis:src/t_set.c, setTypeMaybeConvert): it chooses the listpack only if all fits there.
bool Set::add(std::string_view member) {
  if (shown_ == kIntset) {
    if (const std::optional<std::int64_t> value = resp::parse_int64(member)) {
      const bool is_new = form_ == Form::kIntegers ? add_integer(*value) : add_to_table(member);
      if (is_new && size() > shared_.set_max_intset_entries) shown_ = kHashtable;
      if (shown_ == kHashtable && small()) become_table();
      return is_new;
    }
  } else if (contains(member)) {
    return false;
  }
  const std::size_t count_max = shared_.set_max_listpack_entries;
  const bool fits = size() < count_max && member.size() <= shared_.set_max_listpack_value;
  shown_ = fits && shown_ != kHashtable ? kListpack : kHashtable;
  if (form_ == Form::kIntegers && shown_ == kListpack) become_packed();
  if (small() && shown_ == kHashtable) become_table();
  if (form_ == Form::kTable) return add_to_table(member);
  add_packed(member);
  return true;
}

bool Set::add_integer(std::int64_t value) {
  const std::size_t place = integers_.lower_bound(value);
  if (place < integers_.size() && integers_[place] == value) return false;
  if (integers_.size() == Integers::kCountMax) {
    become_table();
    return add_to_table(resp::to_text(value));
  }
  change_small([&] { integers_.insert(place, value); });
  return true;
}

void Set::add_packed(std::string_view member) {
  const PackedItem item = PackedItem::of_text(member);
  if (packed_.bytes() + item.size() > Packed::kBytesMax) {
    become_table();
    add_to_table(member);
    return;
  }
  change_small([&] { item.write(packed_.splice(packed_.bytes(), packed_.bytes(), item.size(), 1)); });
}

bool Set::add_to_table(std::string_view member) {
  const std::uint64_t hashed = hash(member);
  if (table_->trie.find(hashed, member)) return false;
  insert_in_table(hashed, make_member(member));
  return true;
}

void Set::become_packed() {
  Integers old = integers_;
  add_bytes(-small_bytes());
  form_ = Form::kPacked;
  packed_ = {};
  for_each_small(Form::kIntegers, {}, old, [&](std::string_view member) {
    form_ == Form::kPacked ? add_packed(member) : static_cast<void>(add_to_table(member));
  });
  old.free();
}

void Set::become_table() {
  const Form form = form_;
  Packed packed = form == Form::kPacked ? packed_ : Packed();
  Integers integers = form == Form::kIntegers ? integers_ : Integers();
  start_table();
  for_each_small(form, packed, integers, [&](std::string_view member) { add_to_table(member); });
  packed.free();
  integers.free();
}

bool Set::remove(std::string_view member) {
  switch (form_) {
    case Form::kIntegers: {
      const std::optional<std::int64_t> value = resp::parse_int64(member);
      if (!value || !integers_.contains(*value)) return false;
      change_small([&] { integers_.erase(integers_.lower_bound(*value)); });
      return true;
    }
    case Form::kPacked: {
      const std::size_t at = packed_.find(PackedItem::of_text(member), 1);
      if (at == packed_.bytes()) return false;
      erase_packed(at);
      return true;
    }
    case Form::kTable:
      break;
  }
  const std::uint64_t hashed = hash(member);
  const Trie::Place place = table_->trie.find(hashed, member);
  if (!place) return false;
  MemberTraits::free(erase_from_table(hashed, place.position));
  return true;
}

// The last one takes its place.
void Set::erase_packed(std::size_t offset) {
  std::size_t last = offset;
  while (last + packed_.size_at(last) < packed_.bytes()) last += packed_.size_at(last);
  NumberText text;
  const std::string moved(packed_.at(last).text(text));
  change_small([&] {
    const std::size_t size = packed_.size_at(offset);
    packed_.splice(last, packed_.bytes(), 0, -1);
    if (offset == last) return;
    const PackedItem item = PackedItem::of_text(moved);
    item.write(packed_.splice(offset, offset + size, item.size(), 0));
  });
}

std::string Set::at(std::uint64_t rank) const {
  if (form_ == Form::kIntegers) return resp::to_text(integers_[rank]);
  if (form_ == Form::kTable) return std::string(table_->trie.at(rank).item()->bytes());
  std::size_t at = 0;
  for (; rank > 0; --rank) at += packed_.size_at(at);
  NumberText text;
  return std::string(packed_.at(at).text(text));
}

// ---- Snapshot, digest, freeing

void Set::encode(std::string& to) const {
  to.push_back(static_cast<char>(shown_));
  put_number(to, size());
  if (form_ == Form::kIntegers) {
    for (std::size_t rank = 0; rank < integers_.size(); ++rank) {
      put_number(to, static_cast<std::uint64_t>(integers_[rank]));
    }
  } else {
    for_each([&](std::string_view member) { put_bytes(to, member); });
  }
}

// Also of a small encoding that an earlier version wrote as the only part of a set and that is a table by now.
Status Set::decode(std::string_view from) {
  std::uint64_t size = 0;
  if (from.empty() || static_cast<std::uint8_t>(from.front()) > kListpack) return malformed("set");
  shown_ = static_cast<std::uint8_t>(from.front());
  from.remove_prefix(1);
  if (!take_number(from, size)) return malformed("set");
  if (shown_ == kListpack) become_packed();
  for (std::uint64_t i = 0; i < size; ++i) {
    std::uint64_t value = 0;
    std::string_view member;
    if (shown_ == kIntset ? !take_number(from, value) : !take_bytes(from, member)) return malformed("set");
    const auto integer = static_cast<std::int64_t>(value);
    if (form_ == Form::kIntegers) {
      if (!add_integer(integer)) return malformed("set");
      continue;
    }
    const std::string text = shown_ == kIntset ? resp::to_text(integer) : std::string(member);
    if (contains(text)) return malformed("set");
    form_ == Form::kPacked ? add_packed(text) : static_cast<void>(add_to_table(text));
  }
  return from.empty() ? Status(Done{}) : Status(malformed("set"));
}

void Set::begin_walk(std::string& to) {
  begin_table_walk(to, shown_ == kHashtable ? shown_ : shown_ | kLargeForm);
}

Status Set::restore_header(std::string_view from) {
  const unsigned head = from.empty() ? 0xff : static_cast<std::uint8_t>(from.front());
  if (head > (kListpack | kLargeForm) || head == (kHashtable | kLargeForm)) return malformed("set header");
  shown_ = static_cast<std::uint8_t>(head & ~kLargeForm);
  // An earlier version's: `decode` has the only part.
  if (head < kHashtable) return Done{};
  return restore_table_header(from.substr(1));
}

Status Set::restore_part(std::string_view from) {
  if (form_ == Form::kTable) return Collection::restore_part(from);
  Status decoded = decode(from);
  if (form_ == Form::kTable) table_->restored_size = size();
  return decoded;
}

TrieApproach Set::approach(std::string_view first, std::string_view /*last*/) const {
  return small() ? TrieApproach() : table_->trie.approach(hash(first));
}

std::uint64_t Set::digest(Breather& breather) const {
  std::uint64_t digest = 2;
  Steps steps(breather);
  for_each([&](std::string_view member) {
    steps.step();
    digest += XXH3_64bits(member.data(), member.size()) | 1;
  });
  return digest;
}

std::uint64_t Set::digest_part(std::uint64_t first, std::uint64_t count, Breather& breather) const {
  std::uint64_t digest = 2;
  Steps steps(breather);
  for (std::uint64_t rank = first; rank < first + count; ++rank) {
    steps.step();
    const std::string member = at(rank);
    digest += XXH3_64bits(member.data(), member.size()) | 1;
  }
  return digest;
}

std::unique_ptr<Object> Set::copy(Breather& breather) const {
  auto made = std::make_unique<Set>(shared_);
  made->shown_ = shown_;
  if (form_ == Form::kIntegers) {
    made->change_small([&] { made->integers_ = integers_.copy(); });
    return made;
  }
  if (form_ == Form::kPacked) {
    made->form_ = form_;
    made->packed_ = {};
    made->change_small([&] { made->packed_ = packed_.copy(); });
    return made;
  }
  // Member by member in the set's own order gives the same order again: hashes are the same.
  made->start_table();
  Steps steps(breather);
  for_each([&](std::string_view member) {
    steps.step();
    made->add_to_table(member);
  });
  return made;
}

}  // namespace redraft::store
