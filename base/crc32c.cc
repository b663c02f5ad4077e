#include "base/crc32c.h"

#include <isa-l/crc.h>

#include <algorithm>

namespace redraft {

std::uint32_t crc32c_extend(std::uint32_t crc, std::string_view bytes) {
  // ISA-L takes an int length and neither inverts before nor after.
  constexpr std::size_t kStride = std::size_t{1} << 30;
  std::uint32_t state = ~crc;
  while (!bytes.empty()) {
    const std::string_view head = bytes.substr(0, kStride);
    // The library reads only; its signature lacks the const.
    auto* data = reinterpret_cast<unsigned char*>(const_cast<char*>(head.data()));
    state = crc32_iscsi(data, static_cast<int>(head.size()), state);
    bytes.remove_prefix(head.size());
  }
  return ~state;
}

}  // namespace redraft
