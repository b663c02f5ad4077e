#pragma once

#include <bit>
#include <cstring>
#include <string>

namespace redraft {

static_assert(std::endian::native == std::endian::little,
              "files and frames are little-endian, and are copied as they are");

// Integers in the byte formats. `at` has room for a whole Integer and need not be aligned.
template <class Integer>
void store_little(char* at, Integer value) {
  std::memcpy(at, &value, sizeof value);
}
template <class Integer>
void append_little(std::string& to, Integer value) {
  to.append(reinterpret_cast<const char*>(&value), sizeof value);
}
template <class Integer>
[[nodiscard]] Integer load_little(const char* at) {
  Integer value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

}  // namespace redraft
