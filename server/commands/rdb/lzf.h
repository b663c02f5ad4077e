#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace redraft::rdb {

// LZF (Marc Lehmann's LibLZF, whose format Redis uses for long strings): literals and references to what was written up
// to 8 KiB before.

// Appends exactly `size` bytes to `to`; false when the input is malformed or gives another size. Reserves nothing that
// the input could not produce.
[[nodiscard]] bool lzf_expand(std::string_view packed, std::size_t size, std::string& to);
// Appends the packed bytes; false, and `to` as it was, when they would not be fewer than `size_max`.
[[nodiscard]] bool lzf_pack(std::string_view bytes, std::size_t size_max, std::string& to);

}  // namespace redraft::rdb
