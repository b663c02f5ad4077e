#pragma once

#include <cstdint>
#include <string_view>

namespace redraft::rdb {

// CRC-64 with Jones' polynomial, as at the end of RDB files and of DUMP's payloads. `crc` is that of the bytes before.
[[nodiscard]] std::uint64_t crc64(std::uint64_t crc, std::string_view bytes);

}  // namespace redraft::rdb
