#include "server/commands/rdb/crc64.h"

#include <array>

#include "base/little_endian.h"

namespace redraft::rdb {
namespace {

constexpr std::uint64_t kPolynomial = 0x95ac9329ac4bc9b5u;  // 0xad93d23594c935a9 with its bits reversed

// kTables[n][b]: byte b with n zero bytes behind it, so that eight bytes are taken at once.
using Tables = std::array<std::array<std::uint64_t, 256>, 8>;
constexpr Tables make_tables() {
  Tables tables{};
  for (std::uint64_t byte = 0; byte < 256; ++byte) {
    std::uint64_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 1) != 0 ? crc >> 1 ^ kPolynomial : crc >> 1;
    tables[0][byte] = crc;
  }
  for (std::size_t n = 1; n < tables.size(); ++n) {
    for (std::size_t byte = 0; byte < 256; ++byte) {
      const std::uint64_t before = tables[n - 1][byte];
      tables[n][byte] = before >> 8 ^ tables[0][before & 0xff];
    }
  }
  return tables;
}
constexpr Tables kTables = make_tables();

}  // namespace

std::uint64_t crc64(std::uint64_t crc, std::string_view bytes) {
  const char* at = bytes.data();
  std::size_t left = bytes.size();
  for (; left >= 8; left -= 8, at += 8) {
    crc ^= load_little<std::uint64_t>(at);
    std::uint64_t next = 0;
    for (std::size_t n = 0; n < 8; ++n) next ^= kTables[7 - n][crc >> (8 * n) & 0xff];
    crc = next;
  }
  for (; left > 0; --left, ++at) crc = kTables[0][(crc ^ static_cast<unsigned char>(*at)) & 0xff] ^ crc >> 8;
  return crc;
}

}  // namespace redraft::rdb
