#pragma once

#include <span>
#include <string_view>

#include "server/commands/command.h"

namespace redraft::commands {

// The rest of the table's interface (see command.h), for COMMAND, ACL and HELP.

// The subcommands of a container, sorted by name; empty for any other command. COMMAND itself has subcommands and can
// be called without one. `command` is a line of the table.
[[nodiscard]] std::span<const Command> subcommands(const Command& command);

// By the name COMMAND INFO reports, "get" or "client|kill", in any case; nullptr when there is none.
[[nodiscard]] const Command* find_command_named(std::string_view full_name);

}  // namespace redraft::commands
