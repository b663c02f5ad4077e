#pragma once

#include <cstdint>
#include <span>

namespace redraft::net {

// From the operating system; ends the process where it has none.
void random_bytes(std::span<char> into);
[[nodiscard]] std::uint64_t random_seed();

}  // namespace redraft::net
