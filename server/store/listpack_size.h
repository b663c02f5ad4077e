#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace redraft::store {

// What Redis's listpacks would take (redis/redis:src/listpack.c). Ours are packed otherwise, but some of Redis's
// borders that clients can see are counted in bytes of a listpack: encodings of lists, nodes of streams.

inline constexpr std::size_t kListpackFrame = 7;  // header and end of a listpack

// An element with its length behind it; one that is an integer's text is packed as the integer.
[[nodiscard]] std::size_t listpack_size(std::string_view element);
[[nodiscard]] std::size_t listpack_integer_size(std::int64_t value);

}  // namespace redraft::store
