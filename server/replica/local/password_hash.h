#pragma once

#include <string>
#include <string_view>

namespace redraft::replica::local {

// SHA-256 as 64 lower-case hex digits: all that is ever kept of a user's password.
[[nodiscard]] std::string password_hash(std::string_view password);

}  // namespace redraft::replica::local
