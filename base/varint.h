#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace redraft {

// Numbers of varying length in the byte formats: seven bits in each byte, the lowest first; the highest bit of a byte
// says that more follow.
inline constexpr std::size_t kVarintMax = 10;  // bytes

[[nodiscard]] inline std::size_t varint_size(std::uint64_t value) {
  std::size_t size = 1;
  while (value >= 0x80) {
    value >>= 7;
    ++size;
  }
  return size;
}

// Writes exactly varint_size bytes and returns the end.
inline char* put_varint(char* to, std::uint64_t value) {
  while (value >= 0x80) {
    *to++ = static_cast<char>(value | 0x80);
    value >>= 7;
  }
  *to++ = static_cast<char>(value);
  return to;
}

// `take_varint` for numbers of any size.
[[nodiscard]] inline bool take_long_varint(std::string_view& from, std::uint64_t& value) {
  value = 0;
  for (std::size_t i = 0; i < from.size() && i < kVarintMax; ++i) {
    const auto byte = static_cast<std::uint8_t>(from[i]);
    if (i == kVarintMax - 1 && byte > 1) return false;  // more than 64 bits
    value |= static_cast<std::uint64_t>(byte & 0x7f) << (7 * i);
    if (byte < 0x80) {
      from.remove_prefix(i + 1);
      return true;
    }
  }
  return false;
}

// Takes one off the front. False when malformed; `from` then is unusable. Most numbers are a single byte.
[[nodiscard]] inline bool take_varint(std::string_view& from, std::uint64_t& value) {
  if (from.empty() || static_cast<std::uint8_t>(from[0]) >= 0x80) return take_long_varint(from, value);
  value = static_cast<std::uint8_t>(from[0]);
  from.remove_prefix(1);
  return true;
}

}  // namespace redraft
