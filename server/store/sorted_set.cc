#include "server/store/sorted_set.h"

#include <xxhash.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdlib>

#include "base/check.h"

namespace redraft::store {
namespace {

// A member's share beside its bytes: score and length, pointer and tag in the leaf, its place in the order, and what
// the allocator rounds up.
constexpr std::int64_t kScoredBytes = 40;
constexpr char kIsPacked = 1;  // of what an encoding shows

void put_scored(std::string& to, std::string_view member, double score) {
  put_bytes(to, member);
  const auto bits = std::bit_cast<std::uint64_t>(score);
  for (int shift = 0; shift < 64; shift += 8) to.push_back(static_cast<char>(bits >> shift));
}

bool read_scored(std::string_view& from, std::string_view& member, double& score) {
  if (!take_bytes(from, member) || from.size() < 8) return false;
  std::uint64_t bits = 0;
  for (int i = 0; i < 8; ++i) bits |= static_cast<std::uint64_t>(static_cast<unsigned char>(from[i])) << (8 * i);
  from.remove_prefix(8);
  score = std::bit_cast<double>(bits);
  return !std::isnan(score);
}

}  // namespace

std::uint64_t ScoredTraits::hash_of(std::uint64_t seed, std::string_view member) {
  return XXH3_64bits_withSeed(member.data(), member.size(), seed);
}

std::int64_t ScoredTraits::bytes(const Scored* scored) {
  return kScoredBytes + scored->size;
}

void ScoredTraits::put(std::string& to, const Scored* scored) {
  put_scored(to, scored->member(), scored->score);
}

Scored* ScoredTraits::take(std::string_view& from) {
  std::string_view member;
  double score = 0;
  return read_scored(from, member, score) ? make_scored(member, score) : nullptr;
}

// ---- The packed form

SortedSet::Entry SortedSet::entry_at(std::size_t offset) const {
  const PackedItem member = packed_.at(offset);
  return {member, packed_.at(offset + member.size()), offset};
}

SortedSet::Entry SortedSet::packed_at(std::uint64_t rank) const {
  std::size_t at = 0;
  for (; rank > 0; --rank) at = entry_at(at).end();
  return entry_at(at);
}

std::optional<SortedSet::Entry> SortedSet::find_packed(std::string_view member, std::uint64_t* rank) const {
  std::size_t passed = 0;
  const std::size_t at = packed_.find(PackedItem::of_text(member), ScoredTraits::kPackedItems, &passed);
  if (at == packed_.bytes()) return std::nullopt;
  if (rank != nullptr) *rank = passed;
  return entry_at(at);
}

// Not there yet, and there is room.
void SortedSet::insert_packed(std::string_view member, double score) {
  NumberText scratch;
  std::size_t at = 0;
  while (at < packed_.bytes()) {
    const Entry entry = entry_at(at);
    const double other = entry.score.score();
    if (other > score || (other == score && entry.member.text(scratch) > member)) break;
    at = entry.end();
  }
  const PackedItem text = PackedItem::of_text(member);
  const PackedItem value = PackedItem::of_score(score);
  change_small([&] { value.write(text.write(packed_.splice(at, at, text.size() + value.size(), 2))); });
}

void SortedSet::erase_packed(const Entry& entry) {
  change_small([&] { packed_.splice(entry.begin, entry.end(), 0, -2); });
}

// ---- One member

std::optional<double> SortedSet::score(std::string_view member) const {
  if (small()) {
    const std::optional<Entry> entry = find_packed(member);
    if (!entry) return std::nullopt;
    return entry->score.score();
  }
  const Trie::Place place = find_in_table(member);
  if (!place) return std::nullopt;
  return place.item()->score;
}

// Borders as Redis's (redis/redis:src/t_zset.c, zsetAdd): only a new member changes the encoding.
bool SortedSet::set(std::string_view member, double score) {
  score += 0.0;  // -0 becomes 0, as in Redis's listpack
  if (!small()) {
    const bool is_new = set_in_table(member, score);
    if (is_new && (size() > shared_.zset_max_listpack_entries || member.size() > shared_.zset_max_listpack_value)) {
      shown_ = 0;
    }
    return is_new;
  }
  const std::optional<Entry> present = find_packed(member);
  if (present) {
    if (present->score.score() == score) return false;
    // The member's text may lie in the block that changes.
    const std::string text(member);
    erase_packed(*present);
    insert_packed(text, score);
    return false;
  }
  if (size() + 1 > shared_.zset_max_listpack_entries || member.size() > shared_.zset_max_listpack_value) {
    shown_ = 0;
  }
  constexpr std::size_t kScoreMax = 9;
  constexpr std::size_t kHeadMax = 3;
  if (shown_ == kIsListpack && packed_.bytes() + member.size() + kHeadMax + kScoreMax <= kPackedMax) {
    insert_packed(member, score);
    return true;
  }
  become_table();
  return set_in_table(member, score);
}

bool SortedSet::set_in_table(std::string_view member, double score) {
  const std::uint64_t hashed = hash(member);
  const Trie::Place place = table_->trie.find(hashed, member);
  if (!place) {
    Scored* const made = make_scored(member, score);
    insert_in_table(hashed, made);
    table_->ranking.insert(made);
    return true;
  }
  Scored* const present = place.item();
  if (present->score == score) return false;
  before_change(*place.leaf);
  table_->ranking.erase(present);
  present->score = score;
  table_->ranking.insert(present);
  return false;
}

void SortedSet::erase_ranked(std::uint64_t hashed, std::uint32_t position) {
  Scored* const removed = erase_from_table(hashed, position);
  table_->ranking.erase(removed);
  free_scored(removed);
}

bool SortedSet::remove(std::string_view member) {
  if (small()) {
    const std::optional<Entry> entry = find_packed(member);
    if (entry) erase_packed(*entry);
    return entry.has_value();
  }
  const std::uint64_t hashed = hash(member);
  const Trie::Place place = table_->trie.find(hashed, member);
  if (!place) return false;
  erase_ranked(hashed, place.position);
  return true;
}

void SortedSet::remove_at(std::uint64_t rank) {
  if (small()) return erase_packed(packed_at(rank));
  const Scored* const scored = table_->ranking.at(rank);
  const std::uint64_t hashed = hash(scored->member());
  erase_ranked(hashed, table_->trie.find(hashed, scored->member()).position);
}

void SortedSet::expect(std::size_t members) {
  if (!small() || members <= shared_.zset_max_listpack_entries) return;
  shown_ = 0;
  become_table();
}

void SortedSet::become_table() {
  Packed old = packed_;
  start_table();
  NumberText scratch;
  for (std::size_t at = 0; at < old.bytes();) {
    const PackedItem member = old.at(at);
    at += member.size();
    const PackedItem score = old.at(at);
    at += score.size();
    set_in_table(member.text(scratch), score.score());
  }
  old.free();
}

// ---- Places in the order

std::optional<std::uint64_t> SortedSet::rank(std::string_view member) const {
  if (small()) {
    std::uint64_t rank = 0;
    return find_packed(member, &rank) ? std::optional(rank) : std::nullopt;
  }
  const Trie::Place place = find_in_table(member);
  if (!place) return std::nullopt;
  const Scored& scored = *place.item();
  return table_->ranking.count_while(
      [&](const Scored& other) { return ranks_before(other.score, other.member(), scored); });
}

std::uint64_t SortedSet::count_below(double score, bool or_equal) const {
  const auto is_below = [&](double other) { return other < score || (or_equal && other == score); };
  if (!small()) return table_->ranking.count_while([&](const Scored& other) { return is_below(other.score); });
  std::uint64_t count = 0;
  for (std::size_t at = 0; at < packed_.bytes(); ++count) {
    const Entry entry = entry_at(at);
    if (!is_below(entry.score.score())) break;
    at = entry.end();
  }
  return count;
}

// Halves ranks, not nodes: where scores differ, a walk down the tree would answer by its shape, which replicas do not
// share.
std::uint64_t SortedSet::count_before(std::string_view member, bool or_equal) const {
  std::uint64_t begin = 0;
  std::uint64_t end = size();
  while (begin < end) {
    const std::uint64_t middle = begin + (end - begin) / 2;
    bool is_before = false;
    visit(middle, 1, false, [&](std::string_view other, double) {
      is_before = other < member || (or_equal && other == member);
      return false;
    });
    is_before ? begin = middle + 1 : end = middle;
  }
  return begin;
}

// ---- Snapshot, digest, freeing

void SortedSet::encode(std::string& to) const {
  to.push_back(static_cast<char>((small() ? kIsPacked : 0) | shown_));
  put_number(to, size());
  for_each([&](std::string_view member, double score) { put_scored(to, member, score); });
}

Status SortedSet::decode(std::string_view from) {
  std::uint64_t size = 0;
  if (from.empty() || (from.front() & kIsPacked) == 0) return malformed("sorted set");
  shown_ = static_cast<std::uint8_t>(from.front()) & kIsListpack;
  from.remove_prefix(1);
  if (!take_number(from, size)) return malformed("sorted set");
  for (std::uint64_t i = 0; i < size; ++i) {
    std::string_view member;
    double score = 0;
    if (!read_scored(from, member, score) || packed_.bytes() + member.size() + 12 > Packed::kBytesMax) {
      return malformed("sorted set");
    }
    insert_packed(member, score);
  }
  return from.empty() ? Status(Done{}) : Status(malformed("sorted set"));
}

void SortedSet::begin_walk(std::string& to) {
  begin_table_walk(to, shown_);
}

Status SortedSet::restore_header(std::string_view from) {
  if (from.empty() || (from.front() & ~kIsListpack) != 0) return malformed("sorted set header");
  shown_ = static_cast<std::uint8_t>(from.front());
  return restore_table_header(from.substr(1));
}

TrieApproach SortedSet::approach(std::string_view /*first*/, std::string_view last) const {
  return small() ? TrieApproach() : table_->trie.approach(hash(last));
}

// The order is made at last and from sorted members, so its leaves are full.
Status SortedSet::restore_end() {
  std::vector<Scored*> members;
  members.reserve(table_->trie.size());
  Parts::for_each(table_->trie, [&](Scored* scored) { members.push_back(scored); });
  std::ranges::sort(members, [](const Scored* a, const Scored* b) { return ranks_before(a->score, a->member(), *b); });
  for (Scored* scored : members) table_->ranking.insert(scored);
  return Collection::restore_end();
}

std::uint64_t SortedSet::digest(Breather& breather) const {
  std::uint64_t digest = 4;
  Steps steps(breather);
  for_each([&](std::string_view member, double score) {
    steps.step();
    digest += XXH3_64bits_withSeed(member.data(), member.size(), std::bit_cast<std::uint64_t>(score)) | 1;
  });
  return digest;
}

std::uint64_t SortedSet::digest_part(std::uint64_t first, std::uint64_t count, Breather& breather) const {
  std::uint64_t digest = 4;
  Steps steps(breather);
  visit(first, count, false, [&](std::string_view member, double score) {
    steps.step();
    digest += XXH3_64bits_withSeed(member.data(), member.size(), std::bit_cast<std::uint64_t>(score)) | 1;
    return true;
  });
  return digest;
}

std::unique_ptr<Object> SortedSet::copy(Breather& breather) const {
  auto made = std::make_unique<SortedSet>(shared_);
  made->shown_ = shown_;
  if (small()) {
    made->change_small([&] { made->packed_ = packed_.copy(); });
    return made;
  }
  // Member by member in the table's order gives that order again.
  made->become_table();
  Steps steps(breather);
  Parts::for_each(table_->trie, [&](const Scored* scored) {
    steps.step();
    made->set_in_table(scored->member(), scored->score);
  });
  return made;
}

}  // namespace redraft::store
