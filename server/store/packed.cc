#include "server/store/packed.h"

#include <cmath>
#include <cstdlib>
#include <cstring>

#include "base/check.h"

namespace redraft::store {
namespace {

constexpr std::uint8_t kShortText = 128;  // below: the length of a text
constexpr std::uint8_t kTinyInteger = 128;
constexpr std::int64_t kTinyMax = 63;
constexpr std::uint8_t kInteger = 191;  // plus its bytes
constexpr std::uint8_t kDouble = 200;
constexpr std::uint8_t kLongText = 201;
constexpr std::uint8_t kDecimal = 201;  // plus its decimals
constexpr std::uint8_t kDecimalsMax = 4;
constexpr double kScale[kDecimalsMax + 1] = {1, 10, 100, 1000, 10000};
constexpr double kDecimalBound = 2147483000.0;

std::size_t integer_bytes(std::int64_t value) {
  const std::int64_t folded = value < 0 ? ~value : value;
  std::size_t bytes = 1;
  while (bytes < 8 && folded >> (8 * bytes - 1) != 0) ++bytes;
  return bytes;
}

void write_integer(char* to, std::int64_t value, std::size_t bytes) {
  for (std::size_t i = 0; i < bytes; ++i) to[i] = static_cast<char>(static_cast<std::uint64_t>(value) >> (8 * i));
}

std::int64_t read_integer(const char* from, std::size_t bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < bytes; ++i) {
    value |= static_cast<std::uint64_t>(static_cast<unsigned char>(from[i])) << (8 * i);
  }
  const std::size_t unused = 64 - 8 * bytes;
  return static_cast<std::int64_t>(value << unused) >> unused;
}

std::size_t size_of_item(const char* at) {
  const auto head = static_cast<std::uint8_t>(*at);
  if (head < kShortText) return 1 + std::size_t{head};
  if (head <= kTinyInteger + kTinyMax) return 1;
  if (head < kDouble) return 1 + std::size_t{head} - kInteger;
  if (head == kDouble) return 9;
  if (head > kLongText) return 5;
  return 3 + (static_cast<std::size_t>(read_integer(at + 1, 2)) & 0xffff);
}

// How many decimals make the score an integer that divides back to the same double; division is correctly rounded
// everywhere (IEEE 754). 0: more than kDecimalsMax, or too large.
std::uint8_t decimals_of(double score, std::int64_t& integer) {
  for (std::uint8_t decimals = 1; decimals <= kDecimalsMax; ++decimals) {
    const double scaled = score * kScale[decimals];
    if (!(scaled < kDecimalBound && scaled > -kDecimalBound)) return 0;
    integer = static_cast<std::int64_t>(scaled + (scaled < 0 ? -0.5 : 0.5));
    if (integer != 0 && static_cast<double>(integer) / kScale[decimals] == score) return decimals;
  }
  return 0;
}

}  // namespace

void PackedItem::set_integer(std::int64_t value) {
  kind_ = Kind::kInteger;
  integer_ = value;
  size_ = value >= 0 && value <= kTinyMax ? 1 : 1 + integer_bytes(value);
}

PackedItem PackedItem::of_text(std::string_view text) {
  PackedItem item;
  if (!text.empty() && text.size() <= resp::kIntegerTextMax && (text[0] == '-' || (text[0] >= '0' && text[0] <= '9'))) {
    if (const auto integer = resp::parse_int64(text)) {
      item.set_integer(*integer);
      return item;
    }
  }
  item.bytes_ = text;
  item.size_ = text.size() + (text.size() < kShortText ? 1 : 3);
  return item;
}

PackedItem PackedItem::of_score(double score) {
  constexpr double kIntegerBound = 9.0e18;
  PackedItem item;
  if (score > -kIntegerBound && score < kIntegerBound) {
    const auto integer = static_cast<std::int64_t>(score);
    const bool negative_zero = integer == 0 && std::signbit(score);
    if (static_cast<double>(integer) == score && !negative_zero) {
      item.set_integer(integer);
      return item;
    }
  }
  item.kind_ = Kind::kScore;
  item.score_ = score;
  item.decimals_ = decimals_of(score, item.integer_);
  item.size_ = item.decimals_ > 0 ? 5 : 9;
  return item;
}

PackedItem PackedItem::read(const char* at) {
  const auto head = static_cast<std::uint8_t>(*at);
  PackedItem item;
  if (head < kShortText) {
    item.bytes_ = {at + 1, head};
    item.size_ = 1 + std::size_t{head};
  } else if (head <= kTinyInteger + kTinyMax) {
    item.set_integer(head - kTinyInteger);
  } else if (head < kDouble) {
    item.kind_ = Kind::kInteger;
    item.size_ = 1 + std::size_t{head} - kInteger;
    item.integer_ = read_integer(at + 1, item.size_ - 1);
  } else if (head == kDouble) {
    item.kind_ = Kind::kScore;
    item.size_ = 9;
    std::memcpy(&item.score_, at + 1, sizeof item.score_);
  } else if (head == kLongText) {
    const auto size = static_cast<std::size_t>(read_integer(at + 1, 2)) & 0xffff;
    item.bytes_ = {at + 3, size};
    item.size_ = 3 + size;
  } else {
    item.kind_ = Kind::kScore;
    item.decimals_ = static_cast<std::uint8_t>(head - kDecimal);
    item.size_ = 5;
    item.integer_ = read_integer(at + 1, 4);
    item.score_ = static_cast<double>(item.integer_) / kScale[item.decimals_];
  }
  return item;
}

char* PackedItem::write(char* to) const {
  char* const payload = to + 1;
  switch (kind_) {
    case Kind::kBytes: {
      const bool is_short = bytes_.size() < kShortText;
      *to = static_cast<char>(is_short ? bytes_.size() : kLongText);
      if (!is_short) write_integer(payload, static_cast<std::int64_t>(bytes_.size()), 2);
      if (!bytes_.empty()) std::memcpy(payload + (is_short ? 0 : 2), bytes_.data(), bytes_.size());
      break;
    }
    case Kind::kInteger:
      *to = static_cast<char>(size_ == 1 ? kTinyInteger + integer_ : static_cast<std::int64_t>(kInteger + size_ - 1));
      write_integer(payload, integer_, size_ - 1);
      break;
    case Kind::kScore:
      *to = static_cast<char>(decimals_ > 0 ? kDecimal + decimals_ : kDouble);
      decimals_ > 0 ? write_integer(payload, integer_, 4)
                    : static_cast<void>(std::memcpy(payload, &score_, sizeof score_));
  }
  return to + size_;
}

std::string_view PackedItem::text(NumberText& scratch) const {
  if (kind_ == Kind::kBytes) return bytes_;
  return {scratch.data(), resp::format_int64(integer_, scratch.data())};
}

std::string_view PackedItem::head(NumberText& scratch) const {
  if (kind_ == Kind::kBytes) {
    const bool is_short = bytes_.size() < kShortText;
    scratch[0] = static_cast<char>(is_short ? bytes_.size() : kLongText);
    if (!is_short) write_integer(scratch.data() + 1, static_cast<std::int64_t>(bytes_.size()), 2);
    return {scratch.data(), is_short ? std::size_t{1} : 3};
  }
  return {scratch.data(), static_cast<std::size_t>(write(scratch.data()) - scratch.data())};
}

std::size_t Packed::size_at(std::size_t offset) const {
  return size_of_item(block_->items() + offset);
}

std::size_t Packed::find(const PackedItem& text, std::size_t stride, std::size_t* passed) const {
  if (block_ == nullptr) return 0;
  NumberText scratch;
  const std::string_view head = text.head(scratch);
  const std::string_view tail = text.tail();
  const char* const begin = block_->items();
  const char* const end = begin + block_->bytes;
  const char* at = begin;
  std::size_t before = 0;
  for (; at < end; ++before) {
    // The first byte tells how long what follows is, so whatever shares it is long enough to be compared.
    const std::size_t size = size_of_item(at);
    if (*at == head[0] && size == head.size() + tail.size() && std::memcmp(at, head.data(), head.size()) == 0 &&
        (tail.empty() || std::memcmp(at + head.size(), tail.data(), tail.size()) == 0)) {
      break;
    }
    at += size;
    for (std::size_t i = 1; i < stride; ++i) at += size_of_item(at);
  }
  if (passed != nullptr) *passed = before;
  return static_cast<std::size_t>(at - begin);
}

char* Packed::splice(std::size_t begin, std::size_t end, std::size_t size, int items) {
  const std::size_t old = bytes();
  const std::size_t now = old - (end - begin) + size;
  ensure(now <= kBytesMax, "a packed block is turned into a larger form before it overflows");
  if (now > old) {
    const bool is_new = block_ == nullptr;
    block_ = static_cast<Block*>(std::realloc(block_, sizeof(Block) + now));
    ensure(block_ != nullptr, "memory for a packed block is there");
    if (is_new) *block_ = {0, 0};
  }
  std::memmove(block_->items() + begin + size, block_->items() + end, old - end);
  if (now < old) {
    block_ = static_cast<Block*>(std::realloc(block_, sizeof(Block) + now));
    ensure(block_ != nullptr, "memory for a packed block is there");
  }
  block_->bytes = static_cast<std::uint16_t>(now);
  block_->count = static_cast<std::uint16_t>(block_->count + items);
  return block_->items() + begin;
}

Packed Packed::copy() const {
  Packed made;
  if (block_ == nullptr) return made;
  made.block_ = static_cast<Block*>(std::malloc(sizeof(Block) + bytes()));
  ensure(made.block_ != nullptr, "memory for a packed block is there");
  std::memcpy(made.block_, block_, sizeof(Block) + bytes());
  return made;
}

void Packed::free() {
  std::free(block_);
  block_ = nullptr;
}

}  // namespace redraft::store
