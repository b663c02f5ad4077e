#include "server/store/set.h"

#include <xxhash.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "base/check.h"
#include "resp/number.h"
#include "server/store/trie_parts.h"

namespace redraft::store {
namespace {

// A block's share of a member: its length, the pointer and tag in the leaf, and what the allocator rounds up.
constexpr std::int64_t kMemberBytes = 24;

}  // namespace

struct Member {
  std::uint32_t size;
  char bytes[1];
};

Member* make_member(std::string_view bytes) {
  auto* member = static_cast<Member*>(std::malloc(offsetof(Member, bytes) + bytes.size()));
  ensure(member != nullptr, "memory for a member is there");
  member->size = static_cast<std::uint32_t>(bytes.size());
  if (!bytes.empty()) std::memcpy(member->bytes, bytes.data(), bytes.size());
  return member;
}

void free_member(Member* member) {
  std::free(member);
}

std::string_view member_bytes(const Member* member) {
  return {member->bytes, member->size};
}

std::uint64_t MemberTraits::hash(std::uint64_t seed, const Member* member) {
  return XXH3_64bits_withSeed(member->bytes, member->size, seed);
}

Set::~Set() {
  std::size_t all = ~std::size_t{0};
  const bool done = free_some(all);
  ensure(done, "a set without members is freed");
  shared_.memory -= kBaseBytes;
}

std::string_view Set::encoding() const {
  switch (encoding_) {
    case Encoding::kIntegers:
      return "intset";
    case Encoding::kDense:
      return "listpack";
    case Encoding::kTable:
      break;
  }
  return "hashtable";
}

std::string_view Set::integer_text(std::int64_t value, std::string& text) {
  text.resize(resp::kIntegerTextMax);
  return {text.data(), resp::format_int64(value, text.data())};
}

std::uint64_t Set::hash(std::string_view member) const {
  return XXH3_64bits_withSeed(member.data(), member.size(), shared_.hash_seed);
}

void Set::add_bytes(std::int64_t bytes) {
  bytes_ += bytes;
  shared_.memory += bytes;
}

void Set::before_change(Table::Leaf& leaf) {
  if (must_copy(leaf.epoch) && leaf.count > 0) write_leaf(shared_.walked, leaf);
  leaf.epoch = shared_.epoch;
}

void Set::before_change_small() {
  if (encoding_ != Encoding::kTable && must_copy(epoch_)) {
    std::string body;
    encode(body);
    put_part(shared_.walked, id(), body);
  }
  epoch_ = shared_.epoch;
}

bool Set::contains(std::string_view member) const {
  switch (encoding_) {
    case Encoding::kIntegers: {
      const std::optional<std::int64_t> value = resp::parse_int64(member);
      return value && integers_.contains(*value);
    }
    case Encoding::kDense:
      return std::ranges::any_of(dense_, [&](const Member* other) { return member_bytes(other) == member; });
    case Encoding::kTable:
      break;
  }
  return static_cast<bool>(table_.find(hash(member), member));
}

bool Set::add(std::string_view member) {
  if (encoding_ == Encoding::kIntegers) {
    if (const std::optional<std::int64_t> value = resp::parse_int64(member)) {
      const std::size_t place = integers_.lower_bound(*value);
      if (place < integers_.size() && integers_[place] == *value) return false;
      before_change_small();
      integers_.insert(place, *value);
      add_bytes(sizeof(std::int64_t));
      if (integers_.size() > shared_.set_max_intset_entries) become_table();
      return true;
    }
    before_change_small();
    // Redis chooses the listpack only if all of it fits there.
    const bool fits =
        integers_.size() + 1 <= shared_.set_max_listpack_entries && member.size() <= shared_.set_max_listpack_value;
    fits ? become_dense() : become_table();
  }
  if (encoding_ == Encoding::kDense) {
    if (contains(member)) return false;
    before_change_small();
    if (dense_.size() < shared_.set_max_listpack_entries && member.size() <= shared_.set_max_listpack_value) {
      dense_.push_back(make_member(member));
      add_bytes(static_cast<std::int64_t>(member.size()) + kMemberBytes);
      return true;
    }
    become_table();
  }
  return add_to_table(member);
}

bool Set::add_to_table(std::string_view member) {
  const std::uint64_t hashed = hash(member);
  if (table_.find(hashed, member)) return false;
  table_.insert(hashed, make_member(member), shared_.hash_seed, shared_.epoch,
                [&](Table::Leaf& leaf) { before_change(leaf); });
  add_bytes(static_cast<std::int64_t>(member.size()) + kMemberBytes);
  return true;
}

void Set::become_dense() {
  std::string text;
  for (std::size_t rank = 0; rank < integers_.size(); ++rank) {
    const std::string_view member = integer_text(integers_[rank], text);
    dense_.push_back(make_member(member));
    add_bytes(static_cast<std::int64_t>(member.size()) + kMemberBytes);
  }
  add_bytes(-static_cast<std::int64_t>(integers_.size() * sizeof(std::int64_t)));
  integers_ = {};
  encoding_ = Encoding::kDense;
}

void Set::become_table() {
  std::string text;
  for (std::size_t rank = 0; rank < integers_.size(); ++rank) add_to_table(integer_text(integers_[rank], text));
  add_bytes(-static_cast<std::int64_t>(integers_.size() * sizeof(std::int64_t)));
  integers_ = {};
  for (Member* member : dense_) {
    const std::uint64_t hashed = hash(member_bytes(member));
    table_.insert(hashed, member, shared_.hash_seed, shared_.epoch, [&](Table::Leaf& leaf) { before_change(leaf); });
  }
  dense_ = {};
  encoding_ = Encoding::kTable;
}

bool Set::remove(std::string_view member) {
  switch (encoding_) {
    case Encoding::kIntegers: {
      const std::optional<std::int64_t> value = resp::parse_int64(member);
      if (!value) return false;
      const std::size_t place = integers_.lower_bound(*value);
      if (place == integers_.size() || integers_[place] != *value) return false;
      before_change_small();
      integers_.erase(place);
      add_bytes(-static_cast<std::int64_t>(sizeof(std::int64_t)));
      return true;
    }
    case Encoding::kDense: {
      const auto place =
          std::ranges::find_if(dense_, [&](const Member* other) { return member_bytes(other) == member; });
      if (place == dense_.end()) return false;
      before_change_small();
      add_bytes(-static_cast<std::int64_t>(member_bytes(*place).size()) - kMemberBytes);
      free_member(*place);
      *place = dense_.back();
      dense_.pop_back();
      return true;
    }
    case Encoding::kTable:
      break;
  }
  const std::uint64_t hashed = hash(member);
  const Table::Place place = table_.find(hashed, member);
  if (!place) return false;
  erase(hashed, place);
  return true;
}

void Set::erase(std::uint64_t hashed, const Table::Place& place) {
  Member* const removed =
      table_.erase(hashed, place.position, shared_.epoch, [&](Table::Leaf& leaf) { before_change(leaf); });
  add_bytes(-static_cast<std::int64_t>(member_bytes(removed).size()) - kMemberBytes);
  free_member(removed);
}

std::string Set::at(std::uint64_t rank) const {
  switch (encoding_) {
    case Encoding::kIntegers:
      return resp::to_text(integers_[rank]);
    case Encoding::kDense:
      return std::string(member_bytes(dense_[rank]));
    case Encoding::kTable:
      break;
  }
  return std::string(member_bytes(table_.at(rank).item()));
}

// ---- Snapshot, digest, freeing

void Set::encode(std::string& to) const {
  to.push_back(static_cast<char>(encoding_));
  put_number(to, size());
  if (encoding_ == Encoding::kIntegers) {
    for (std::size_t rank = 0; rank < integers_.size(); ++rank) {
      put_number(to, static_cast<std::uint64_t>(integers_[rank]));
    }
  } else {
    for_each([&](std::string_view member) { put_bytes(to, member); });
  }
}

Status Set::decode(std::string_view from) {
  std::uint64_t size = 0;
  if (from.empty() || static_cast<std::uint8_t>(from.front()) > 1) return malformed("set");
  encoding_ = static_cast<Encoding>(from.front());
  epoch_ = shared_.epoch;
  from.remove_prefix(1);
  if (!take_number(from, size)) return malformed("set");
  for (std::uint64_t i = 0; i < size; ++i) {
    std::uint64_t value = 0;
    std::string_view member;
    if (encoding_ == Encoding::kIntegers) {
      if (!take_number(from, value)) return malformed("set");
      const auto integer = static_cast<std::int64_t>(value);
      if (!integers_.empty() && integers_[integers_.size() - 1] >= integer) return malformed("set");
      integers_.insert(integers_.size(), integer);
      add_bytes(sizeof(std::int64_t));
    } else {
      if (!take_bytes(from, member)) return malformed("set");
      dense_.push_back(make_member(member));
      add_bytes(static_cast<std::int64_t>(member.size()) + kMemberBytes);
    }
  }
  if (!from.empty()) return malformed("set");
  return Done{};
}

void Set::begin_walk(std::string& to) {
  to.push_back(static_cast<char>(encoding_));
  put_number(to, size());
  progress_ = 0;
}

void Set::write_leaf(std::string& to, const Table::Leaf& leaf) const {
  TrieParts<MemberTraits>::write(
      to, id(), table_, const_cast<Table::Leaf&>(leaf),  // reads only
      shared_.hash_seed, [](std::string& body, const Member* member) { put_bytes(body, member_bytes(member)); });
}

bool Set::walk(std::string& to, std::size_t bytes_max) {
  if (encoding_ != Encoding::kTable) {
    if (epoch_ < shared_.epoch) before_change_small();
    return true;
  }
  return TrieParts<MemberTraits>::walk(table_, progress_, shared_.epoch, to, bytes_max,
                                       [&](Table::Leaf& leaf) { write_leaf(to, leaf); });
}

Status Set::restore_header(std::string_view from) {
  if (from.empty() || static_cast<std::uint8_t>(from.front()) > 2) return malformed("set header");
  encoding_ = static_cast<Encoding>(from.front());
  from.remove_prefix(1);
  if (!take_number(from, progress_) || !from.empty()) return malformed("set header");
  return Done{};
}

Status Set::restore_part(std::string_view from) {
  if (encoding_ != Encoding::kTable) return decode(from);
  return TrieParts<MemberTraits>::restore(table_, from, shared_.hash_seed, shared_.epoch,
                                          [&](std::string_view& rest) -> Member* {
                                            std::string_view member;
                                            if (!take_bytes(rest, member)) return nullptr;
                                            add_bytes(static_cast<std::int64_t>(member.size()) + kMemberBytes);
                                            return make_member(member);
                                          });
}

Status Set::restore_end() {
  return size() == progress_ ? Status(Done{}) : Status(malformed("set: parts are missing"));
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
  // Member by member in the set's own order gives the same order again: hashes are the same, dense places too.
  auto made = std::make_unique<Set>(shared_);
  made->encoding_ = encoding_;
  made->integers_ = integers_.copy();
  made->add_bytes(static_cast<std::int64_t>(integers_.size() * sizeof(std::int64_t)));
  for (const Member* member : dense_) {
    made->dense_.push_back(make_member(member_bytes(member)));
    made->add_bytes(static_cast<std::int64_t>(member_bytes(member).size()) + kMemberBytes);
  }
  if (encoding_ != Encoding::kTable) return made;
  Steps steps(breather);
  for_each([&](std::string_view member) {
    steps.step();
    made->add_to_table(member);
  });
  return made;
}

bool Set::free_some(std::size_t& elements) {
  if (!integers_.empty()) {
    add_bytes(-static_cast<std::int64_t>(integers_.size() * sizeof(std::int64_t)));
    integers_ = {};
  }
  while (!dense_.empty() && elements > 0) {
    add_bytes(-static_cast<std::int64_t>(member_bytes(dense_.back()).size()) - kMemberBytes);
    free_member(dense_.back());
    dense_.pop_back();
    --elements;
  }
  while (elements > 0) {
    Table::Leaf* leaf = table_.take_leaf();
    if (leaf == nullptr) break;
    for (std::uint32_t i = 0; i < leaf->count; ++i) {
      add_bytes(-static_cast<std::int64_t>(member_bytes(leaf->items()[i]).size()) - kMemberBytes);
      free_member(leaf->items()[i]);
    }
    elements -= std::min<std::size_t>(elements, leaf->count + 1);
    std::free(leaf);
  }
  return dense_.empty() && table_.empty();
}

}  // namespace redraft::store
