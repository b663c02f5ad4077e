#pragma once

#include <string_view>

namespace redraft::replica {

// The Redis whose replies we give, and ourselves (redis-semantics, "Identity").
inline constexpr std::string_view kRedisVersion = "7.2.5";
inline constexpr std::string_view kRedraftVersion = "0.1.0";

}  // namespace redraft::replica
