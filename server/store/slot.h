#pragma once

#include <cstdint>
#include <string_view>

namespace redraft::store {

inline constexpr std::uint32_t kSlotCount = 16384;

// The hash slot of a key: CRC16 (XMODEM) of the part between the first { and the next }, or of all of it where that
// part is missing or empty (redis.io, cluster specification, "Hash tags").
[[nodiscard]] std::uint32_t slot_of(std::string_view key);

}  // namespace redraft::store
