#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace redraft {

// CRC-32C (Castagnoli, RFC 3720 B.4). `crc32c_extend(crc32c(a), b)` is the checksum of a followed by b.
[[nodiscard]] std::uint32_t crc32c_extend(std::uint32_t crc, std::string_view bytes);
[[nodiscard]] inline std::uint32_t crc32c(std::string_view bytes) {
  return crc32c_extend(0, bytes);
}

}  // namespace redraft
