#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "server/commands/command.h"

namespace redraft::replica {

// A command's arguments for others to read (MONITOR, SLOWLOG), with "(redacted)" in the place of passwords. Views into
// the arguments.
[[nodiscard]] std::vector<std::string_view> without_secrets(const commands::Command& command,
                                                            std::span<const std::string_view> arguments);

}  // namespace redraft::replica
