#include "server/store/slot.h"

#include <array>
#include <cstddef>

namespace redraft::store {
namespace {

using Table = std::array<std::uint16_t, 256>;

// Table n has what a byte does to the checksum when n more bytes follow it, so that eight bytes are looked up at once
// and not one after the other (Kounavis and Berry, "Novel Table Lookup-Based Algorithms for High-Performance CRC
// Generation", IEEE Transactions on Computers 57 (2008)).
constexpr std::size_t kStride = 8;
constexpr std::array<Table, kStride> make_tables() {
  std::array<Table, kStride> tables{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t crc = byte << 8;
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 0x8000) != 0 ? crc << 1 ^ 0x1021 : crc << 1;
    tables[0][byte] = static_cast<std::uint16_t>(crc);
  }
  for (std::size_t n = 1; n < kStride; ++n) {
    for (std::size_t byte = 0; byte < 256; ++byte) {
      const std::uint16_t crc = tables[n - 1][byte];
      tables[n][byte] = static_cast<std::uint16_t>(crc << 8 ^ tables[0][crc >> 8]);
    }
  }
  return tables;
}

constexpr std::array<Table, kStride> kTables = make_tables();

std::uint16_t crc16(std::string_view bytes) {
  const auto byte = [&bytes](std::size_t i) { return static_cast<std::uint8_t>(bytes[i]); };
  std::uint32_t crc = 0;
  for (; bytes.size() >= kStride; bytes.remove_prefix(kStride)) {
    const std::uint32_t high = crc >> 8;
    const std::uint32_t low = crc & 0xff;
    crc = kTables[7][byte(0) ^ high];
    crc ^= kTables[6][byte(1) ^ low];
    for (std::size_t i = 2; i < kStride; ++i) crc ^= kTables[kStride - 1 - i][byte(i)];
  }
  for (std::size_t i = 0; i < bytes.size(); ++i) crc = (crc << 8 ^ kTables[0][crc >> 8 ^ byte(i)]) & 0xffff;
  return static_cast<std::uint16_t>(crc);
}

}  // namespace

std::uint32_t slot_of(std::string_view key) {
  const std::size_t open = key.find('{');
  if (open != std::string_view::npos) {
    const std::size_t close = key.find('}', open + 1);
    if (close != std::string_view::npos && close > open + 1) key = key.substr(open + 1, close - open - 1);
  }
  return crc16(key) % kSlotCount;
}

}  // namespace redraft::store
