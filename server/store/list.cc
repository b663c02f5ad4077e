#include "server/store/list.h"

#include <xxhash.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "base/check.h"
#include "server/store/listpack_size.h"

namespace redraft::store {
namespace {

// list-max-listpack-size: bytes when negative, elements otherwise.
struct ListpackLimit {
  std::size_t bytes = ~std::size_t{0};
  std::size_t count = ~std::size_t{0};
};
ListpackLimit limit_of(std::int32_t setting) {
  if (setting >= 0) return {.count = setting == 0 ? 1 : static_cast<std::size_t>(setting)};
  return {.bytes = std::size_t{2048} << std::min(-setting, 5)};
}

}  // namespace

List::~List() {
  shared_.memory -= static_cast<std::int64_t>(memory());
  if (is_row_) {
    delete row_;
  } else {
    only_.~ListChunk();
  }
}

std::size_t List::memory() const {
  const std::int64_t chunk_bytes = static_cast<std::int64_t>(chunks().size()) * kChunkBytes;
  return totals().bytes + static_cast<std::size_t>(kBaseBytes + (is_row_ ? kRowBytes : 0) + chunk_bytes);
}

// ---- Chunks

void List::become_row() {
  auto row = std::make_unique<Row>();
  row->totals = totals();
  if (only_) row->chunks.push_back(std::move(only_));
  only_.~ListChunk();
  row_ = row.release();
  is_row_ = true;
  shared_.memory += kRowBytes;
}

void List::count(const Totals& added, const Totals& removed) {
  shared_.memory += static_cast<std::int64_t>(added.bytes - removed.bytes);
  if (!is_row_) return;
  row_->totals.count += added.count - removed.count;
  row_->totals.bytes += added.bytes - removed.bytes;
  row_->totals.listpack += added.listpack - removed.listpack;
}

void List::before_change(ListChunk& chunk) {
  if (must_copy(chunk.epoch()) && chunk.count() > 0) write_part(shared_.walked, chunk);
  chunk.set_epoch(shared_.epoch);
}

template <class Change>
void List::change(std::size_t place, Change change) {
  ListChunk& chunk = chunks()[place];
  before_change(chunk);
  const Totals before = totals_of(chunk);
  change(chunk);
  count(totals_of(chunk), before);
  if (chunk.count() == 0) remove_chunk(place);
}

void List::add_chunk(std::size_t place, ListChunk chunk) {
  const Totals added = totals_of(chunk);
  if (!is_row_ && only_) become_row();
  if (is_row_) {
    row_->insert(place, std::move(chunk));
  } else {
    only_ = std::move(chunk);
  }
  count(added, {});
  shared_.memory += kChunkBytes;
}

void List::remove_chunk(std::size_t place) {
  const ListChunk& chunk = chunks()[place];
  if (chunk) count({}, totals_of(chunk));  // else one that a broken snapshot lacks
  shared_.memory -= kChunkBytes;
  if (is_row_) {
    row_->erase(place);
  } else {
    only_ = ListChunk();
  }
}

void List::Row::insert(std::size_t place, ListChunk chunk) {
  if (place == 0 && chunks.size() > first) {
    if (first == 0) {
      // Room for as many again in front, as a vector makes at its end.
      const std::size_t room = std::min(chunks.size(), std::size_t{1} << 20);
      std::vector<ListChunk> moved(room);
      moved.reserve(room + chunks.size());
      for (ListChunk& old : chunks) moved.push_back(std::move(old));
      chunks = std::move(moved);
      first = room;
    }
    chunks[--first] = std::move(chunk);
    return;
  }
  chunks.insert(chunks.begin() + static_cast<std::ptrdiff_t>(first + place), std::move(chunk));
}

void List::Row::erase(std::size_t place) {
  if (place > 0) {
    chunks.erase(chunks.begin() + static_cast<std::ptrdiff_t>(first + place));
    return;
  }
  chunks[first++] = ListChunk();
  if (first <= chunks.size() / 2) return;
  chunks.erase(chunks.begin(), chunks.begin() + static_cast<std::ptrdiff_t>(first));
  first = 0;
  if (chunks.capacity() > 4 * chunks.size() + 8) chunks.shrink_to_fit();
}

void List::locate(std::size_t index, std::size_t& chunk, std::size_t& offset) const {
  const std::span<const ListChunk> all = chunks();
  const std::size_t size = totals().count;
  chunk = 0;
  offset = 0;
  if (index >= size) {
    chunk = all.size();
    return;
  }
  if (index < size / 2) {
    while (index >= all[chunk].count()) index -= all[chunk++].count();
  } else {
    std::size_t behind = size - index;  // elements from the wanted one to the end
    chunk = all.size() - 1;
    while (behind > all[chunk].count()) behind -= all[chunk--].count();
    index = all[chunk].count() - behind;
  }
  offset = all[chunk].offset_of(index);
}

// ---- OBJECT ENCODING

void List::before_growth(std::string_view element) {
  if (quicklist_) return;
  constexpr std::size_t kBytesMaxByCount = 8192;  // SIZE_SAFETY_LIMIT of redis/redis:src/quicklist.c
  const ListpackLimit limit = limit_of(shared_.list_max_listpack_size);
  const std::size_t bytes = kListpackFrame + totals().listpack + element.size();
  quicklist_ = bytes > limit.bytes || size() + 1 > limit.count ||
               (shared_.list_max_listpack_size >= 0 && bytes > kBytesMaxByCount);
}

void List::after_shrinking(Shrunk shrunk) {
  if (!quicklist_) return;
  const ListpackLimit limit = limit_of(shared_.list_max_listpack_size);
  const std::size_t parts = shrunk == Shrunk::kToHalf ? 2 : 1;
  quicklist_ = kListpackFrame + totals().listpack > limit.bytes / parts || size() > limit.count / parts;
}

// ---- The list

void List::insert_at(std::size_t place, std::size_t offset, std::string_view element) {
  before_growth(element);
  const auto growth = chunks().size() > 1 ? ListChunk::Growth::kDouble : ListChunk::Growth::kExact;
  change(place, [&](ListChunk& chunk) { chunk.insert(offset, element, growth); });
}

void List::push_back(std::string_view element) {
  const std::size_t end = chunks().size();
  if (end > 0 && chunks()[end - 1].bytes() + ListChunk::size_of(element) <= ListChunk::kBytesMax) {
    return insert_at(end - 1, chunks()[end - 1].bytes(), element);
  }
  add_chunk(end, ListChunk(shared_.epoch));
  insert_at(end, 0, element);
}

void List::push_front(std::string_view element) {
  if (chunks().empty() || chunks()[0].bytes() + ListChunk::size_of(element) > ListChunk::kBytesMax) {
    add_chunk(0, ListChunk(shared_.epoch));
  }
  insert_at(0, 0, element);
}

std::string_view List::front() const {
  return chunks().front().at(0).bytes;
}

std::string_view List::back() const {
  const ListChunk& chunk = chunks().back();
  return chunk.at(chunk.before(chunk.bytes())).bytes;
}

void List::pop_front() {
  change(0, [](ListChunk& chunk) { chunk.erase(0, chunk.at(0).size, 1); });
  after_shrinking(Shrunk::kToHalf);
}

void List::pop_back() {
  change(chunks().size() - 1, [](ListChunk& chunk) { chunk.erase(chunk.before(chunk.bytes()), chunk.bytes(), 1); });
  after_shrinking(Shrunk::kToHalf);
}

std::string_view List::at(std::size_t index) const {
  return Cursor(*this, index).value();
}

void List::set(std::size_t index, std::string_view element) {
  // In its chunk where it still fits, else taken out and put in again with room.
  std::size_t place = 0;
  std::size_t offset = 0;
  locate(index, place, offset);
  const ListChunk& chunk = chunks()[place];
  const std::size_t others = chunk.bytes() - chunk.at(offset).size;
  before_growth(element);
  if (chunk.count() > 1 && others + ListChunk::size_of(element) > ListChunk::kBytesMax) {
    const std::string kept(element);
    erase(index, 1);
    insert(index, kept);
  } else {
    change(place, [&](ListChunk& changed) { changed.replace(offset, element); });
  }
  after_shrinking(Shrunk::kTo);
}

void List::insert(std::size_t index, std::string_view element) {
  if (index == 0) return push_front(element);
  if (index == size()) return push_back(element);
  std::size_t place = 0;
  std::size_t offset = 0;
  locate(index, place, offset);
  if (chunks()[place].bytes() + ListChunk::size_of(element) <= ListChunk::kBytesMax) {
    return insert_at(place, offset, element);
  }
  // The chunk is cut in two at the place of the new element.
  if (offset > 0) {
    ListChunk behind;
    change(place, [&](ListChunk& chunk) { behind = chunk.split(offset); });
    add_chunk(++place, std::move(behind));
    if (offset + ListChunk::size_of(element) <= ListChunk::kBytesMax) return insert_at(place - 1, offset, element);
  }
  add_chunk(place, ListChunk(shared_.epoch));
  insert_at(place, 0, element);
}

void List::erase(std::size_t index, std::size_t count) {
  while (count > 0) {
    std::size_t place = 0;
    std::size_t offset = 0;
    locate(index, place, offset);
    change(place, [&](ListChunk& chunk) {
      std::size_t end = offset;
      std::size_t removed = 0;
      if (offset == 0 && chunk.count() <= count) {  // all of it, without a look at each
        end = chunk.bytes();
        removed = chunk.count();
      }
      for (; removed < count && end < chunk.bytes(); ++removed) end += chunk.at(end).size;
      chunk.erase(offset, end, removed);
      count -= removed;
    });
  }
  after_shrinking(Shrunk::kToHalf);
}

std::string_view List::Cursor::value() const {
  return list_->chunks()[chunk_].at(offset_).bytes;
}

void List::Cursor::next() {
  const ListChunk& chunk = list_->chunks()[chunk_];
  ++index_;
  offset_ += chunk.at(offset_).size;
  if (offset_ < chunk.bytes()) return;
  ++chunk_;
  offset_ = 0;
}

void List::Cursor::previous() {
  --index_;  // beyond the first it wraps around and is no longer valid
  if (offset_ == 0) {
    if (chunk_ == 0) return;
    --chunk_;
    offset_ = list_->chunks()[chunk_].bytes();
  }
  offset_ = list_->chunks()[chunk_].before(offset_);
}

// ---- Snapshot, digest, freeing

void List::encode(std::string& to) const {
  to.push_back(quicklist_ ? 1 : 0);
  put_number(to, chunks().size());
  for (const ListChunk& chunk : chunks()) {
    put_number(to, chunk.count());
    put_bytes(to, chunk.contents());
  }
}

Status List::decode(std::string_view from) {
  std::uint64_t count = 0;
  if (from.empty()) return malformed("list");
  quicklist_ = from.front() != 0;
  from.remove_prefix(1);
  if (!take_number(from, count)) return malformed("list");
  for (std::uint64_t i = 0; i < count; ++i) {
    std::uint64_t elements = 0;
    std::string_view bytes;
    if (!take_number(from, elements) || !take_bytes(from, bytes)) return malformed("list");
    std::optional<ListChunk> chunk = ListChunk::of(bytes, elements, shared_.epoch);
    if (!chunk) return malformed("list chunk");
    add_chunk(chunks().size(), std::move(*chunk));
  }
  return from.empty() ? Status(Done{}) : Status(malformed("list"));
}

void List::begin_walk(std::string& to) {
  to.push_back(quicklist_ ? 1 : 0);
  put_number(to, chunks().size());
  std::uint32_t ordinal = 0;
  for (ListChunk& chunk : chunks()) chunk.set_ordinal(ordinal++);
  if (is_row_) row_->walk_next = 0;
}

void List::write_part(std::string& to, const ListChunk& chunk) const {
  std::string body;
  put_number(body, chunk.ordinal());
  put_number(body, chunk.count());
  body += chunk.contents();
  put_part(to, id(), body);
}

// Chunks may come and go in front of the place reached, so all are looked at until none is left unwalked.
bool List::walk(std::string& to, std::size_t bytes_max) {
  const std::span<ListChunk> all = chunks();
  const std::size_t begin = to.size();
  std::size_t next = is_row_ ? row_->walk_next : 0;
  for (; next < all.size(); ++next) {
    ListChunk& chunk = all[next];
    if (chunk.epoch() >= shared_.epoch) continue;
    if (to.size() - begin >= bytes_max) break;
    write_part(to, chunk);
    chunk.set_epoch(shared_.epoch);
  }
  const bool is_at_end = next >= all.size();
  if (is_row_) row_->walk_next = is_at_end ? 0 : next;
  if (!is_at_end) return false;
  // A removal in front moves unwalked chunks to before the place: look again from the start, once more.
  return std::ranges::none_of(all, [&](const ListChunk& chunk) { return chunk.epoch() < shared_.epoch; });
}

Status List::restore_header(std::string_view from) {
  std::uint64_t count = 0;
  if (from.empty() || is_row_ || only_) return malformed("list header");
  quicklist_ = from.front() != 0;
  from.remove_prefix(1);
  if (!take_number(from, count) || !from.empty() || count > (std::uint64_t{1} << 40)) return malformed("list header");
  become_row();
  row_->chunks.resize(count);
  shared_.memory += kChunkBytes * static_cast<std::int64_t>(count);
  return Done{};
}

Status List::restore_part(std::string_view from) {
  std::uint64_t ordinal = 0;
  std::uint64_t elements = 0;
  if (!take_number(from, ordinal) || !take_number(from, elements) || ordinal >= row_->chunks.size() ||
      row_->chunks[ordinal]) {
    return malformed("list part");
  }
  std::optional<ListChunk> chunk = ListChunk::of(from, elements, shared_.epoch);
  if (!chunk) return malformed("list part");
  count(totals_of(*chunk), {});
  row_->chunks[ordinal] = std::move(*chunk);
  return Done{};
}

Status List::restore_end() {
  const bool whole = std::ranges::all_of(chunks(), [](const ListChunk& chunk) { return static_cast<bool>(chunk); });
  return whole && !chunks().empty() ? Status(Done{}) : Status(malformed("list: parts are missing"));
}

std::uint64_t List::digest(Breather& breather) const {
  XXH64_hash_t digest = 1;
  Steps steps(breather);
  for (Cursor at(*this, 0); at.valid(); at.next()) {
    steps.step();
    digest = XXH3_64bits_withSeed(at.value().data(), at.value().size(), digest * 31 + at.value().size());
  }
  return digest;
}

std::uint64_t List::digest_part(std::uint64_t first, std::uint64_t count, Breather& breather) const {
  XXH64_hash_t digest = 1;
  Steps steps(breather);
  for (Cursor at(*this, first); count > 0; at.next(), --count) {
    steps.step();
    digest = XXH3_64bits_withSeed(at.value().data(), at.value().size(), digest * 31 + at.value().size());
  }
  return digest;
}

std::unique_ptr<Object> List::copy(Breather& breather) const {
  auto made = std::make_unique<List>(shared_);
  Steps steps(breather);
  for (const ListChunk& chunk : chunks()) {
    steps.step();
    std::optional<ListChunk> other = ListChunk::of(chunk.contents(), chunk.count(), shared_.epoch);
    ensure(other.has_value(), "a list's chunk holds whole elements");
    made->add_chunk(made->chunks().size(), std::move(*other));
  }
  made->quicklist_ = quicklist_;
  return made;
}

bool List::free_some(std::size_t& elements) {
  // A chunk costs about as much as a member of a set.
  for (; elements > 0 && !chunks().empty(); --elements) remove_chunk(chunks().size() - 1);
  return chunks().empty();
}

}  // namespace redraft::store
