#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace redraft::rdb {

// A little-endian integer of one to eight bytes, three among them.
[[nodiscard]] inline std::int64_t signed_little(std::string_view bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = bytes.size(); i > 0; --i) value = value << 8 | static_cast<unsigned char>(bytes[i - 1]);
  const unsigned spare = 64 - 8 * static_cast<unsigned>(bytes.size());
  return static_cast<std::int64_t>(value << spare) >> spare;
}

}  // namespace redraft::rdb
