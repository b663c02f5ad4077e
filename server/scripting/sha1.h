#pragma once

#include <array>
#include <string_view>

namespace redraft::scripting {

using Sha1Hex = std::array<char, 40>;

// FIPS 180-4, as lower-case hexadecimal digits: the names of scripts.
[[nodiscard]] Sha1Hex sha1_hex(std::string_view bytes);

}  // namespace redraft::scripting
