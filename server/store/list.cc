#include "server/store/list.h"

#include <xxhash.h>

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "server/store/listpack_size.h"

namespace redraft::store {
namespace {

std::size_t number_size(std::uint64_t value) {
  std::size_t size = 1;
  for (; value >= 0x80; value >>= 7) ++size;
  return size;
}

// Read from its end: the last byte is the lowest, and the highest bit says that more come before it.
void put_backwards(std::string& to, std::uint64_t value) {
  std::string forward;
  put_number(forward, value);
  std::ranges::reverse(forward);
  to += forward;
}

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
}

// ---- Elements inside a chunk

std::size_t List::encoded_size(std::string_view element) {
  const std::size_t forward = number_size(element.size()) + element.size();
  return forward + number_size(forward);
}

void List::encode_element(std::string& to, std::string_view element) {
  const std::size_t begin = to.size();
  put_bytes(to, element);
  put_backwards(to, to.size() - begin);
}

std::string_view List::long_element_at(const Chunk& chunk, std::size_t offset, std::size_t& size) {
  std::string_view rest = std::string_view(chunk.bytes).substr(offset);
  std::string_view element;
  const bool whole = take_bytes(rest, element);
  ensure(whole, "a list's chunk holds whole elements");
  const std::size_t forward = chunk.bytes.size() - offset - rest.size();
  size = forward + number_size(forward);
  return element;
}

std::size_t List::last_offset(const Chunk& chunk, std::size_t end) {
  std::uint64_t forward = 0;
  std::size_t at = end;
  for (int shift = 0;; shift += 7) {
    const auto byte = static_cast<std::uint8_t>(chunk.bytes[--at]);
    forward |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) break;
  }
  return at - forward;
}

// ---- Chunks

void List::add_bytes(std::int64_t bytes) {
  bytes_ = static_cast<std::size_t>(static_cast<std::int64_t>(bytes_) + bytes);
  shared_.memory += bytes;
}

void List::before_change(Chunk& chunk) {
  if (must_copy(chunk.epoch)) write_part(shared_.walked, chunk);
  chunk.epoch = shared_.epoch;
}

void List::before_growth(std::string_view element) {
  if (quicklist_) return;
  constexpr std::size_t kBytesMaxByCount = 8192;  // SIZE_SAFETY_LIMIT of redis/redis:src/quicklist.c
  const ListpackLimit limit = limit_of(shared_.list_max_listpack_size);
  const std::size_t bytes = listpack_ + element.size();
  quicklist_ = bytes > limit.bytes || size_ + 1 > limit.count ||
               (shared_.list_max_listpack_size >= 0 && bytes > kBytesMaxByCount);
}

void List::after_shrinking(Shrunk shrunk) {
  if (!quicklist_) return;
  const ListpackLimit limit = limit_of(shared_.list_max_listpack_size);
  const std::size_t parts = shrunk == Shrunk::kToHalf ? 2 : 1;
  quicklist_ = listpack_ > limit.bytes / parts || size_ > limit.count / parts;
}

void List::count(Chunk& chunk, std::string_view element) {
  const std::size_t size = listpack_size(element);
  chunk.listpack += size;
  listpack_ += size;
}

void List::discount(Chunk& chunk, std::string_view element) {
  const std::size_t size = listpack_size(element);
  chunk.listpack -= size;
  listpack_ -= size;
}

void List::count_again(Chunk& chunk) {
  listpack_ -= chunk.listpack;
  chunk.listpack = 0;
  std::size_t size = 0;
  for (std::size_t at = chunk.begin; at < chunk.bytes.size(); at += size) count(chunk, element_at(chunk, at, size));
}

List::Chunk& List::new_chunk(std::size_t place) {
  auto chunk = std::make_unique<Chunk>();
  chunk->epoch = shared_.epoch;
  shared_.memory += kChunkBytes;
  Chunk& made = *chunk;
  chunks_.insert(place, std::move(chunk));
  return made;
}

void List::remove_chunk(std::size_t place) {
  shared_.memory -= kChunkBytes;
  chunks_.erase(place);
}

void List::Row::insert(std::size_t place, std::unique_ptr<Chunk> chunk) {
  if (place == 0 && size() > 0) {
    if (first_ == 0) {
      // Room for as many again in front, as a vector makes at its end.
      const std::size_t room = std::min(chunks_.size(), std::size_t{1} << 20);
      std::vector<std::unique_ptr<Chunk>> moved(room);
      moved.reserve(room + chunks_.size());
      for (auto& old : chunks_) moved.push_back(std::move(old));
      chunks_ = std::move(moved);
      first_ = static_cast<std::uint32_t>(room);
    }
    chunks_[--first_] = std::move(chunk);
    return;
  }
  chunks_.insert(begin() + static_cast<std::ptrdiff_t>(place), std::move(chunk));
}

void List::Row::erase(std::size_t place) {
  if (place > 0) {
    chunks_.erase(begin() + static_cast<std::ptrdiff_t>(place));
    return;
  }
  chunks_[first_++].reset();
  if (first_ <= chunks_.size() / 2) return;
  chunks_.erase(chunks_.begin(), begin());
  first_ = 0;
  if (chunks_.capacity() > 4 * chunks_.size() + 8) chunks_.shrink_to_fit();
}

void List::make_room(Chunk& chunk, std::size_t bytes) const {
  const std::size_t needed = chunk.bytes.size() + bytes;
  if (needed <= chunk.bytes.capacity() || chunks_.size() > 1) return;
  std::string roomy;
  roomy.reserve(needed + needed / 8);
  roomy = chunk.bytes;
  chunk.bytes.swap(roomy);
}

void List::locate(std::size_t index, std::size_t& chunk, std::size_t& offset) const {
  chunk = 0;
  offset = 0;
  if (index >= size_) {
    chunk = chunks_.size();
    return;
  }
  if (index < size_ / 2) {
    while (index >= chunks_[chunk]->count) index -= chunks_[chunk++]->count;
  } else {
    std::size_t behind = size_ - index;  // elements from the wanted one to the end
    chunk = chunks_.size() - 1;
    while (behind > chunks_[chunk]->count) behind -= chunks_[chunk--]->count;
    index = chunks_[chunk]->count - behind;
  }
  const Chunk& at = *chunks_[chunk];
  if (index <= at.count / 2) {
    offset = at.begin;
    for (std::size_t size = 0; index > 0; --index, offset += size) std::ignore = element_at(at, offset, size);
  } else {
    offset = at.bytes.size();
    for (std::size_t left = at.count - index; left > 0; --left) offset = last_offset(at, offset);
  }
}

// ---- The list

void List::push_back(std::string_view element) {
  const std::size_t size = encoded_size(element);
  if (chunks_.empty() || chunks_.back()->used() + size > kChunkMax) new_chunk(chunks_.size());
  Chunk& chunk = *chunks_.back();
  before_change(chunk);
  before_growth(element);
  make_room(chunk, size);
  encode_element(chunk.bytes, element);
  count(chunk, element);
  ++chunk.count;
  ++size_;
  add_bytes(static_cast<std::int64_t>(size));
}

void List::push_front(std::string_view element) {
  const std::size_t size = encoded_size(element);
  if (chunks_.empty() || chunks_.front()->used() + size > kChunkMax) new_chunk(0);
  Chunk& chunk = *chunks_.front();
  before_change(chunk);
  if (chunk.begin < size) {
    // Room in front, so that the next pushes move nothing.
    const std::size_t spare = chunks_.size() > 1 ? chunk.used() + 64 : chunk.used() / 8;
    const std::size_t room = std::max(size, std::min(kChunkMax, size + spare)) - chunk.begin;
    make_room(chunk, room);
    chunk.bytes.insert(0, room, '\0');
    chunk.begin += static_cast<std::uint32_t>(room);
  }
  std::string encoded;
  encode_element(encoded, element);
  chunk.begin -= static_cast<std::uint32_t>(size);
  chunk.bytes.replace(chunk.begin, size, encoded);
  before_growth(element);
  count(chunk, element);
  ++chunk.count;
  ++size_;
  add_bytes(static_cast<std::int64_t>(size));
}

std::string_view List::front() const {
  std::size_t size = 0;
  return element_at(*chunks_.front(), chunks_.front()->begin, size);
}

std::string_view List::back() const {
  const Chunk& chunk = *chunks_.back();
  std::size_t size = 0;
  return element_at(chunk, last_offset(chunk, chunk.bytes.size()), size);
}

void List::pop_front() {
  Chunk& chunk = *chunks_.front();
  before_change(chunk);
  std::size_t size = 0;
  discount(chunk, element_at(chunk, chunk.begin, size));
  chunk.begin += static_cast<std::uint32_t>(size);
  --size_;
  add_bytes(-static_cast<std::int64_t>(size));
  if (--chunk.count == 0) {
    remove_chunk(0);
  } else if (chunk.begin > kChunkMax / 2 && chunk.begin > chunk.used()) {
    chunk.bytes.erase(0, chunk.begin);
    chunk.begin = 0;
  }
  after_shrinking(Shrunk::kToHalf);
}

void List::pop_back() {
  Chunk& chunk = *chunks_.back();
  before_change(chunk);
  const std::size_t offset = last_offset(chunk, chunk.bytes.size());
  std::size_t size = 0;
  discount(chunk, element_at(chunk, offset, size));
  add_bytes(-static_cast<std::int64_t>(chunk.bytes.size() - offset));
  chunk.bytes.resize(offset);
  --size_;
  if (--chunk.count == 0) remove_chunk(chunks_.size() - 1);
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
  Chunk& chunk = *chunks_[place];
  std::size_t size = 0;
  const std::string_view old = element_at(chunk, offset, size);
  const std::size_t wanted = encoded_size(element);
  if (chunk.count > 1 && chunk.used() - size + wanted > kChunkMax) {
    const std::string kept(element);
    before_growth(kept);
    erase(index, 1);
    insert(index, kept);
    after_shrinking(Shrunk::kTo);
    return;
  }
  before_change(chunk);
  before_growth(element);
  discount(chunk, old);
  count(chunk, element);
  std::string encoded;
  encode_element(encoded, element);
  chunk.bytes.replace(offset, size, encoded);
  add_bytes(static_cast<std::int64_t>(wanted) - static_cast<std::int64_t>(size));
  after_shrinking(Shrunk::kTo);
}

void List::insert(std::size_t index, std::string_view element) {
  if (index == 0) return push_front(element);
  if (index == size_) return push_back(element);
  std::size_t place = 0;
  std::size_t offset = 0;
  locate(index, place, offset);
  const std::size_t size = encoded_size(element);
  if (chunks_[place]->used() + size > kChunkMax) {
    // The chunk is cut in two at the place of the new element.
    Chunk& first = *chunks_[place];
    before_change(first);
    std::size_t before = 0;
    for (std::size_t at = first.begin, one = 0; at < offset; at += one, ++before)
      std::ignore = element_at(first, at, one);
    if (before > 0) {
      Chunk& second = new_chunk(place + 1);
      Chunk& head = *chunks_[place];
      second.bytes = head.bytes.substr(offset);
      second.count = static_cast<std::uint32_t>(head.count - before);
      head.bytes.resize(offset);
      head.count = static_cast<std::uint32_t>(before);
      count_again(head);
      count_again(second);
      if (head.used() + size > kChunkMax) {
        new_chunk(++place);
        offset = 0;
      } else {
        offset = head.bytes.size();
      }
    } else {
      new_chunk(place);
      offset = 0;
    }
  }
  Chunk& chunk = *chunks_[place];
  before_change(chunk);
  std::string encoded;
  encode_element(encoded, element);
  chunk.bytes.insert(offset, encoded);
  before_growth(element);
  count(chunk, element);
  ++chunk.count;
  ++size_;
  add_bytes(static_cast<std::int64_t>(size));
}

void List::erase(std::size_t index, std::size_t count) {
  while (count > 0) {
    std::size_t place = 0;
    std::size_t offset = 0;
    locate(index, place, offset);
    Chunk& chunk = *chunks_[place];
    before_change(chunk);
    std::size_t end = offset;
    std::size_t removed = 0;
    if (offset == chunk.begin && chunk.count <= count) {  // all of it, without a look at each
      end = chunk.bytes.size();
      removed = chunk.count;
      listpack_ -= chunk.listpack;
    }
    while (removed < count && end < chunk.bytes.size()) {
      std::size_t size = 0;
      discount(chunk, element_at(chunk, end, size));
      end += size;
      ++removed;
    }
    add_bytes(-static_cast<std::int64_t>(end - offset));
    chunk.count -= static_cast<std::uint32_t>(removed);
    size_ -= removed;
    count -= removed;
    if (chunk.count == 0) {
      remove_chunk(place);
    } else {
      chunk.bytes.erase(offset, end - offset);
    }
  }
  after_shrinking(Shrunk::kToHalf);
}

std::string_view List::Cursor::value() const {
  std::size_t size = 0;
  return element_at(*list_->chunks_[chunk_], offset_, size);
}

void List::Cursor::next() {
  std::size_t size = 0;
  std::ignore = element_at(*list_->chunks_[chunk_], offset_, size);
  ++index_;
  offset_ += size;
  if (offset_ < list_->chunks_[chunk_]->bytes.size()) return;
  ++chunk_;
  offset_ = chunk_ < list_->chunks_.size() ? list_->chunks_[chunk_]->begin : 0;
}

void List::Cursor::previous() {
  --index_;  // beyond the first it wraps around and is no longer valid
  if (offset_ > list_->chunks_[chunk_]->begin) {
    offset_ = last_offset(*list_->chunks_[chunk_], offset_);
  } else if (chunk_ > 0) {
    --chunk_;
    offset_ = last_offset(*list_->chunks_[chunk_], list_->chunks_[chunk_]->bytes.size());
  }
}

// ---- Snapshot, digest, freeing

void List::encode(std::string& to) const {
  to.push_back(quicklist_ ? 1 : 0);
  put_number(to, chunks_.size());
  for (const auto& chunk : chunks_) {
    put_number(to, chunk->count);
    put_bytes(to, std::string_view(chunk->bytes).substr(chunk->begin));
  }
}

Status List::check_chunk(const Chunk& chunk) {
  std::size_t at = 0;
  std::size_t count = 0;
  for (; at < chunk.bytes.size(); ++count) {
    std::string_view rest = std::string_view(chunk.bytes).substr(at);
    std::string_view element;
    if (!take_bytes(rest, element)) return malformed("list element");
    at += encoded_size(element);
  }
  if (at != chunk.bytes.size() || count != chunk.count || count == 0) return malformed("list chunk");
  return Done{};
}

Status List::decode(std::string_view from) {
  std::uint64_t chunks = 0;
  if (from.empty()) return malformed("list");
  quicklist_ = from.front() != 0;
  from.remove_prefix(1);
  if (!take_number(from, chunks)) return malformed("list");
  for (std::uint64_t i = 0; i < chunks; ++i) {
    std::uint64_t count = 0;
    std::string_view bytes;
    if (!take_number(from, count) || !take_bytes(from, bytes)) return malformed("list");
    Chunk& chunk = new_chunk(chunks_.size());
    chunk.bytes = bytes;
    chunk.count = static_cast<std::uint32_t>(count);
    if (Status checked = check_chunk(chunk); !checked) return checked;
    count_again(chunk);
    size_ += count;
    add_bytes(static_cast<std::int64_t>(bytes.size()));
  }
  return from.empty() ? Status(Done{}) : Status(malformed("list"));
}

void List::begin_walk(std::string& to) {
  to.push_back(quicklist_ ? 1 : 0);
  put_number(to, chunks_.size());
  std::uint32_t ordinal = 0;
  for (const auto& chunk : chunks_) chunk->ordinal = ordinal++;
  walk_next_ = 0;
}

void List::write_part(std::string& to, const Chunk& chunk) const {
  std::string body;
  put_number(body, chunk.ordinal);
  put_number(body, chunk.count);
  body += std::string_view(chunk.bytes).substr(chunk.begin);
  put_part(to, id(), body);
}

// Chunks may come and go in front of the place reached, so all are looked at until none is left unwalked.
bool List::walk(std::string& to, std::size_t bytes_max) {
  const std::size_t begin = to.size();
  for (; walk_next_ < chunks_.size(); ++walk_next_) {
    Chunk& chunk = *chunks_[walk_next_];
    if (chunk.epoch >= shared_.epoch) continue;
    if (to.size() - begin >= bytes_max) return false;
    write_part(to, chunk);
    chunk.epoch = shared_.epoch;
  }
  // A removal in front moves unwalked chunks to before the place: look again from the start, once more.
  const bool left = std::ranges::any_of(chunks_, [&](const auto& chunk) { return chunk->epoch < shared_.epoch; });
  walk_next_ = 0;
  return !left;
}

Status List::restore_header(std::string_view from) {
  std::uint64_t chunks = 0;
  if (from.empty()) return malformed("list header");
  quicklist_ = from.front() != 0;
  from.remove_prefix(1);
  if (!take_number(from, chunks) || !from.empty() || chunks > (std::uint64_t{1} << 40)) return malformed("list header");
  chunks_.resize(chunks);
  return Done{};
}

Status List::restore_part(std::string_view from) {
  std::uint64_t ordinal = 0;
  std::uint64_t count = 0;
  if (!take_number(from, ordinal) || !take_number(from, count) || ordinal >= chunks_.size() ||
      chunks_[ordinal] != nullptr) {
    return malformed("list part");
  }
  auto chunk = std::make_unique<Chunk>();
  chunk->epoch = shared_.epoch;
  chunk->bytes = from;
  chunk->count = static_cast<std::uint32_t>(count);
  if (Status checked = check_chunk(*chunk); !checked) return checked;
  count_again(*chunk);
  chunks_[ordinal] = std::move(chunk);
  size_ += count;
  shared_.memory += kChunkBytes;
  add_bytes(static_cast<std::int64_t>(from.size()));
  return Done{};
}

Status List::restore_end() {
  const bool whole = std::ranges::all_of(chunks_, [](const auto& chunk) { return chunk != nullptr; });
  return whole && !chunks_.empty() ? Status(Done{}) : Status(malformed("list: parts are missing"));
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
  for (const auto& chunk : chunks_) {
    steps.step();
    Chunk& other = made->new_chunk(made->chunks_.size());
    other.bytes = chunk->bytes.substr(chunk->begin);
    other.count = chunk->count;
    other.listpack = chunk->listpack;
    made->add_bytes(static_cast<std::int64_t>(other.bytes.size()));
  }
  made->size_ = size_;
  made->quicklist_ = quicklist_;
  made->listpack_ = listpack_;
  return made;
}

bool List::free_some(std::size_t& elements) {
  for (; elements > 0 && !chunks_.empty(); --elements) {  // a chunk costs about as much as a member of a set
    add_bytes(-static_cast<std::int64_t>(chunks_.back()->used()));
    size_ -= chunks_.back()->count;
    remove_chunk(chunks_.size() - 1);
  }
  return chunks_.empty();
}

}  // namespace redraft::store
