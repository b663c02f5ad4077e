#include "server/commands/rdb/reader.h"

#include <bit>
#include <limits>
#include <optional>
#include <tuple>

#include "resp/number.h"
#include "server/commands/rdb/lzf.h"

namespace redraft::rdb {

std::uint8_t Reader::byte() {
  const std::string_view taken = bytes(1);
  return taken.empty() ? std::uint8_t{0} : static_cast<std::uint8_t>(taken.front());
}

std::string_view Reader::bytes(std::uint64_t count) {
  if (!expect(count <= rest_.size())) return {};
  const std::string_view taken = rest_.substr(0, count);
  rest_.remove_prefix(count);
  return taken;
}

// 6 bits, 14 bits, or marked: 32 or 64 bits in network order; the last kind is an encoded string's number.
std::uint64_t Reader::length_or_encoding(bool& encoded) {
  const std::uint8_t first = byte();
  encoded = first >> 6 == 3;
  if (encoded || first >> 6 == 0) return first & 0x3fu;
  if (first >> 6 == 1) return (first & 0x3fu) << 8 | byte();
  std::size_t width = 0;
  if (first == 0x80) width = 4;
  if (first == 0x81) width = 8;
  expect(width != 0);
  std::uint64_t value = 0;
  for (const char c : bytes(width)) value = value << 8 | static_cast<unsigned char>(c);
  return value;
}

std::uint64_t Reader::length() {
  bool encoded = false;
  const std::uint64_t value = length_or_encoding(encoded);
  return expect(!encoded) ? value : 0;
}

std::uint64_t Reader::count(std::size_t item_size) {
  const std::uint64_t value = length();
  return expect(value <= rest_.size() / item_size) ? value : 0;
}

std::string_view Reader::integer_text(std::int64_t value, std::string& scratch) {
  scratch = resp::to_text(value);
  return scratch;
}

std::string_view Reader::string(std::string& scratch) {
  bool encoded = false;
  const std::uint64_t value = length_or_encoding(encoded);
  if (!encoded) return bytes(value);
  switch (value) {
    case 0:
      return integer_text(little<std::int8_t>(), scratch);
    case 1:
      return integer_text(little<std::int16_t>(), scratch);
    case 2:
      return integer_text(little<std::int32_t>(), scratch);
    case 3: {
      const std::uint64_t packed = length();
      const std::uint64_t size = length();
      scratch.clear();
      return expect(lzf_expand(bytes(packed), size, scratch) && ok_) ? std::string_view(scratch) : std::string_view();
    }
    default:
      fail();
      return {};
  }
}

void Reader::skip_string() {
  bool encoded = false;
  std::uint64_t size = length_or_encoding(encoded);
  if (encoded && size == 3) {
    size = length();
    std::ignore = length();
  } else if (encoded) {
    expect(size < 3);
    size = std::uint64_t{1} << size;
  }
  std::ignore = bytes(size);
}

double Reader::binary_double() {
  return std::bit_cast<double>(little<std::uint64_t>());
}

double Reader::text_double() {
  const std::uint8_t size = byte();
  if (size == 255) return -std::numeric_limits<double>::infinity();
  if (size == 254) return std::numeric_limits<double>::infinity();
  if (size == 253) return std::numeric_limits<double>::quiet_NaN();
  const std::optional<double> value = resp::parse_double(bytes(size));
  expect(value.has_value());
  return value.value_or(0);
}

}  // namespace redraft::rdb
