#include "server/store/listpack_size.h"

#include <optional>

#include "resp/number.h"

namespace redraft::store {

std::size_t listpack_integer_size(std::int64_t value) {
  if (value >= 0 && value <= 127) return 2;
  const auto fits = [&](int bits) {
    const std::int64_t limit = std::int64_t{1} << (bits - 1);
    return value >= -limit && value < limit;
  };
  if (fits(13)) return 3;
  if (fits(16)) return 4;
  if (fits(24)) return 5;
  return fits(32) ? 6 : 10;
}

std::size_t listpack_size(std::string_view element) {
  if (element.size() <= resp::kIntegerTextMax) {
    if (const std::optional<std::int64_t> value = resp::parse_int64(element)) return listpack_integer_size(*value);
  }
  const std::size_t entry = element.size() + (element.size() < 64 ? 1 : element.size() < 4096 ? 2 : 5);
  if (entry <= 127) return entry + 1;
  if (entry < 16383) return entry + 2;
  if (entry < 2097151) return entry + 3;
  return entry + (entry < 268435455 ? 4 : 5);
}

}  // namespace redraft::store
