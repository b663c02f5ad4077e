#include "server/store/list_chunk.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>

#include "server/store/listpack_size.h"

namespace redraft::store {
namespace {

std::size_t number_size(std::uint64_t value) {
  std::size_t size = 1;
  for (; value >= 0x80; value >>= 7) ++size;
  return size;
}

char* write_number(char* to, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) *to++ = static_cast<char>(value | 0x80);
  *to++ = static_cast<char>(value);
  return to;
}

// What an allocator hands out for a request: steps of 16 bytes up to 128, then four to each doubling (jemalloc's size
// classes; glibc's are finer). Asked for whole, the rest is room for the next elements.
std::size_t block_size(std::size_t bytes) {
  const std::size_t step = bytes <= 128 ? 16 : std::bit_floor(bytes - 1) / 4;
  return (bytes + step - 1) / step * step;
}

}  // namespace

ListChunk::ListChunk(Epoch epoch) : block_(static_cast<Block*>(std::malloc(sizeof(Block)))) {
  ensure(block_ != nullptr, "memory for a list's chunk is there");
  *block_ = {epoch, 0, 0, 0, 0, 0, 0};
}

std::size_t ListChunk::size_of(std::string_view element) {
  const std::size_t forward = number_size(element.size()) + element.size();
  return forward + number_size(forward);
}

// The size behind it is read from its end: the last byte is the lowest, the highest bit says that more come before it.
void ListChunk::write(char* to, std::string_view element) {
  char* const payload = write_number(to, element.size());
  if (!element.empty()) std::memcpy(payload, element.data(), element.size());
  char* const behind = payload + element.size();
  std::reverse(behind, write_number(behind, static_cast<std::uint64_t>(behind - to)));
}

ListChunk::Element ListChunk::long_at(std::size_t offset) const {
  std::string_view rest = contents().substr(offset);
  std::string_view element;
  const bool whole = take_bytes(rest, element);
  ensure(whole, "a list's chunk holds whole elements");
  return {element, size_of(element)};
}

std::size_t ListChunk::before(std::size_t offset) const {
  std::uint64_t forward = 0;
  std::size_t at = offset;
  for (int shift = 0;; shift += 7) {
    const auto byte = static_cast<std::uint8_t>(first()[--at]);
    forward |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) break;
  }
  return at - forward;
}

std::size_t ListChunk::offset_of(std::size_t index) const {
  if (index <= count() / 2) {
    std::size_t offset = 0;
    for (; index > 0; --index) offset += at(offset).size;
    return offset;
  }
  std::size_t offset = bytes();
  for (std::size_t left = count() - index; left > 0; --left) offset = before(offset);
  return offset;
}

// ---- Room

char* ListChunk::splice(std::size_t begin, std::size_t end, std::size_t size, Growth growth) {
  const std::size_t now = bytes() - (end - begin) + size;
  ensure(now < std::numeric_limits<std::uint32_t>::max() / 2, "a list's element has less than 2 GiB");
  const bool is_roomy = block_->capacity > 2 * now + sizeof(Block);
  if (now > block_->capacity || (now > 0 && now < bytes() && is_roomy)) {
    std::size_t wanted = now;
    if (growth == Growth::kDouble && now <= kBytesMax) wanted = std::min(2 * now, kBytesMax);
    make_gap_elsewhere(begin, end, size, block_size(sizeof(Block) + wanted) - sizeof(Block));
  } else {
    make_gap_in_place(begin, end, size);
  }
  block_->bytes = static_cast<std::uint32_t>(now);
  return first() + begin;
}

void ListChunk::make_gap_in_place(std::size_t begin, std::size_t end, std::size_t size) {
  const std::size_t tail = bytes() - end;
  const std::size_t now = begin + size + tail;
  const std::size_t room_behind = block_->capacity - block_->begin - bytes();
  const std::size_t more = now - bytes();  // modulo the type where it gets smaller
  const bool fits_in_front = now <= bytes() || block_->begin >= more;
  const bool fits_behind = now <= bytes() || room_behind >= more;
  std::size_t to = block_->begin;
  if (fits_in_front && (begin <= tail || !fits_behind)) {
    to = block_->begin - more;
  } else if (!fits_behind) {
    to = begin < tail ? block_->capacity - now : 0;  // all of the room is where it is wanted
  }
  char* const old = first();
  char* const moved = items() + to;
  // Whichever part's new place may cover the other's old one goes last.
  if (to <= block_->begin && moved != old) std::memmove(moved, old, begin);
  if (moved + begin + size != old + end) std::memmove(moved + begin + size, old + end, tail);
  if (to > block_->begin) std::memmove(moved, old, begin);
  block_->begin = static_cast<std::uint32_t>(to);
}

void ListChunk::make_gap_elsewhere(std::size_t begin, std::size_t end, std::size_t size, std::size_t capacity) {
  const std::size_t tail = bytes() - end;
  auto* const made = static_cast<Block*>(std::malloc(sizeof(Block) + capacity));
  ensure(made != nullptr, "memory for a list's chunk is there");
  *made = *block_;
  made->capacity = static_cast<std::uint32_t>(capacity);
  made->begin = begin < tail ? static_cast<std::uint32_t>(capacity - begin - size - tail) : 0;
  char* const to = reinterpret_cast<char*>(made + 1) + made->begin;
  std::memcpy(to, first(), begin);
  std::memcpy(to + begin + size, first() + end, tail);
  std::free(block_);
  block_ = made;
}

// ---- Elements

void ListChunk::add_to_listpack(std::size_t begin, std::size_t end, int sign) {
  std::size_t sum = 0;
  for (std::size_t offset = begin; offset < end;) {
    const Element element = at(offset);
    sum += listpack_size(element.bytes);
    offset += element.size;
  }
  block_->listpack += static_cast<std::uint32_t>(sign > 0 ? sum : std::size_t{0} - sum);
}

void ListChunk::insert(std::size_t offset, std::string_view element, Growth growth) {
  write(splice(offset, offset, size_of(element), growth), element);
  ++block_->count;
  block_->listpack += static_cast<std::uint32_t>(listpack_size(element));
}

void ListChunk::replace(std::size_t offset, std::string_view element) {
  const std::size_t end = offset + at(offset).size;
  add_to_listpack(offset, end, -1);
  write(splice(offset, end, size_of(element), Growth::kExact), element);
  block_->listpack += static_cast<std::uint32_t>(listpack_size(element));
}

void ListChunk::erase(std::size_t begin, std::size_t end, std::size_t count) {
  if (count == this->count()) {
    block_->listpack = 0;
  } else {
    add_to_listpack(begin, end, -1);
  }
  splice(begin, end, 0, Growth::kExact);
  block_->count -= static_cast<std::uint32_t>(count);
}

ListChunk ListChunk::split(std::size_t offset) {
  ListChunk behind(epoch());
  const std::string_view moved = contents().substr(offset);
  std::memcpy(behind.splice(0, 0, moved.size(), Growth::kExact), moved.data(), moved.size());
  for (std::size_t at = 0; at < moved.size(); at += behind.at(at).size) ++behind.block_->count;
  behind.add_to_listpack(0, moved.size(), 1);
  block_->count -= behind.block_->count;
  block_->listpack -= behind.block_->listpack;
  splice(offset, bytes(), 0, Growth::kExact);
  return behind;
}

std::optional<ListChunk> ListChunk::of(std::string_view contents, std::uint64_t count, Epoch epoch) {
  if (contents.size() >= std::numeric_limits<std::uint32_t>::max() / 2) return std::nullopt;
  ListChunk chunk(epoch);
  if (!contents.empty()) {
    std::memcpy(chunk.splice(0, 0, contents.size(), Growth::kExact), contents.data(), contents.size());
  }
  chunk.block_->count = static_cast<std::uint32_t>(count);
  if (!chunk.is_whole()) return std::nullopt;
  chunk.add_to_listpack(0, contents.size(), 1);
  return chunk;
}

bool ListChunk::is_whole() const {
  std::size_t at = 0;
  std::size_t seen = 0;
  for (; at < bytes(); ++seen) {
    std::string_view rest = contents().substr(at);
    std::string_view element;
    if (!take_bytes(rest, element)) return false;
    at += size_of(element);
  }
  return at == bytes() && seen == count() && seen > 0;
}

}  // namespace redraft::store
