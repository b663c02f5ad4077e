#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "server/commands/context.h"

namespace redraft::commands {

// The options that SCAN, SSCAN, HSCAN and ZSCAN share (redis.io/commands/scan).
struct ScanOptions {
  std::optional<std::string_view> pattern;  // none: everything
  std::optional<std::string_view> type;     // SCAN only
  std::size_t count = 10;

  [[nodiscard]] bool matches(std::string_view text) const;
};

// From argument `first` on. Answers the error and returns nothing when they make no sense.
[[nodiscard]] std::optional<ScanOptions> parse_scan_options(Context& context, std::size_t first, bool knows_type);

}  // namespace redraft::commands
