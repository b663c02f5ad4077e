#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace redraft::commands {

// Of bytes in one piece.
[[nodiscard]] std::uint64_t count_ones(std::string_view bytes);
// The position of the first bit that is `bit`, or nothing; the highest bit of a byte is the first.
[[nodiscard]] std::optional<std::uint64_t> first_bit(std::string_view bytes, bool bit);

}  // namespace redraft::commands
