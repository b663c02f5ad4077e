#pragma once

#include <cstdint>

#include "server/commands/rdb/reader.h"

namespace redraft::rdb {

// Goes over a value of this type without making it, so that a file's values can be cut out of it as they are. False,
// and the reader fails, at types that are not read here and at what does not fit. Modules' values end where they end.
bool skip_value(std::uint8_t type, Reader& from);
bool skip_string(Reader& from);
// What a module has saved: numbered pieces up to an end mark.
bool skip_module(Reader& from);

inline constexpr std::uint8_t kModule2 = 7;

}  // namespace redraft::rdb
