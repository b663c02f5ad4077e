#pragma once

#include <cstdint>

namespace redraft {

// How often this process called operator new, for tests that promise how little is allocated. Linking this replaces the
// operators. Under sanitizers, which bring operators of their own that check more, it stays 0.
[[nodiscard]] std::uint64_t allocation_count();

}  // namespace redraft
