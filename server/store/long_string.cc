#include "server/store/long_string.h"

#include <xxhash.h>

#include <algorithm>

#include "base/check.h"

namespace redraft::store {

LongString::~LongString() {
  shared_.memory -= kBaseBytes + bytes_;
}

LongString::Page& LongString::page(std::size_t number) {
  while (pages_.size() <= number) {
    pages_.emplace_back().epoch = shared_.epoch;
    add_bytes(sizeof(Page));
  }
  return pages_[number];
}

void LongString::before_change(std::size_t number) {
  if (number >= pages_.size()) return;
  if (must_copy(pages_[number].epoch)) write_part(shared_.walked, number);
  pages_[number].epoch = shared_.epoch;
}

void LongString::write(std::size_t offset, std::string_view bytes) {
  const std::size_t end = offset + bytes.size();
  // Zeros between the old end and the new bytes.
  const std::size_t from = std::min(offset, size_);
  for (std::size_t at = from; at < end;) {
    const std::size_t number = at / kPageSize;
    const std::size_t inside = at % kPageSize;
    const std::size_t until = std::min(end, (number + 1) * kPageSize);
    before_change(number);
    Page& to = page(number);
    if (to.bytes.size() < inside + (until - at)) {
      const std::size_t grown = inside + (until - at);
      add_bytes(static_cast<std::int64_t>(grown - to.bytes.size()));
      to.bytes.resize(grown);
    }
    const std::size_t first = std::max(at, offset);
    if (first < until) to.bytes.replace(first % kPageSize, until - first, bytes.substr(first - offset, until - first));
    at = until;
    if (number % 256 == 255) shared_.breathe();
  }
  size_ = std::max(size_, end);
}

void LongString::read(std::size_t offset, std::size_t count, std::string& to) const {
  const std::size_t end = std::min(size_, count > size_ ? size_ : offset + count);
  if (offset >= end) return;
  to.reserve(to.size() + end - offset);
  for (std::size_t at = offset; at < end;) {
    const std::size_t until = std::min(end, (at / kPageSize + 1) * kPageSize);
    to.append(pages_[at / kPageSize].bytes, at % kPageSize, until - at);
    at = until;
    if (at / kPageSize % 256 == 255) shared_.breathe();
  }
}

Status LongString::decode(std::string_view from) {
  write(0, from);
  return Done{};
}

void LongString::begin_walk(std::string& to) {
  put_number(to, size_);
  walk_next_ = 0;
  walk_size_ = pages_.size();
}

void LongString::write_part(std::string& to, std::size_t number) const {
  std::string body;
  put_number(body, number);
  body += pages_[number].bytes;
  put_part(to, id(), body);
}

bool LongString::walk(std::string& to, std::size_t bytes_max) {
  const std::size_t begin = to.size();
  for (; walk_next_ < std::min(walk_size_, pages_.size()); ++walk_next_) {
    if (pages_[walk_next_].epoch >= shared_.epoch) continue;
    if (to.size() - begin >= bytes_max) return false;
    write_part(to, walk_next_);
    pages_[walk_next_].epoch = shared_.epoch;
  }
  return true;
}

Status LongString::restore_header(std::string_view from) {
  std::uint64_t size = 0;
  if (!take_number(from, size) || !from.empty() || size > (std::uint64_t{1} << 40)) return malformed("string header");
  size_ = size;
  page((std::max<std::size_t>(size, 1) - 1) / kPageSize);
  return Done{};
}

Status LongString::restore_part(std::string_view from) {
  std::uint64_t number = 0;
  if (!take_number(from, number) || number >= pages_.size() || !pages_[number].bytes.empty()) {
    return malformed("string page");
  }
  pages_[number].bytes = from;
  add_bytes(static_cast<std::int64_t>(from.size()));
  return Done{};
}

Status LongString::restore_end() {
  std::size_t total = 0;
  for (std::size_t i = 0; i < pages_.size(); ++i) {
    if (i + 1 < pages_.size() && pages_[i].bytes.size() != kPageSize) return malformed("string: pages are missing");
    total += pages_[i].bytes.size();
  }
  return total == size_ ? Status(Done{}) : Status(malformed("string: pages are missing"));
}

std::uint64_t LongString::digest(Breather& breather) const {
  XXH3_state_t* state = XXH3_createState();
  ensure(state != nullptr && XXH3_64bits_reset(state) == XXH_OK, "a hash can be begun");
  Steps steps(breather);
  for (const Page& page : pages_) {
    steps.step();
    XXH3_64bits_update(state, page.bytes.data(), page.bytes.size());
  }
  const std::uint64_t digest = XXH3_64bits_digest(state);
  XXH3_freeState(state);
  return digest;
}

std::uint64_t LongString::digest_part(std::uint64_t first, std::uint64_t count, Breather& breather) const {
  std::uint64_t digest = 5;
  Steps steps(breather);
  for (std::uint64_t number = first; number < first + count; ++number) {
    steps.step();
    digest = XXH3_64bits_withSeed(pages_[number].bytes.data(), pages_[number].bytes.size(), digest);
  }
  return digest;
}

std::unique_ptr<Object> LongString::copy(Breather& breather) const {
  auto made = std::make_unique<LongString>(shared_);
  Steps steps(breather);
  for (std::size_t i = 0; i < pages_.size(); ++i) {
    steps.step();
    made->write(i * kPageSize, pages_[i].bytes);
  }
  return made;
}

bool LongString::free_some(std::size_t& elements) {
  for (; elements > 0 && !pages_.empty(); --elements) {
    add_bytes(-static_cast<std::int64_t>(sizeof(Page) + pages_.back().bytes.size()));
    pages_.pop_back();
  }
  size_ = 0;
  return pages_.empty();
}

}  // namespace redraft::store
