#pragma once

#include <span>
#include <string_view>

#include "resp/writer.h"
#include "server/commands/command.h"

namespace redraft::commands {

// Whether `command` is COMMAND or one of its subcommands.
[[nodiscard]] bool is_command_command(const Command& command);

// Answers COMMAND, COMMAND COUNT|DOCS|GETKEYS|GETKEYSANDFLAGS|HELP|INFO|LIST (redis.io/commands/command): one reply,
// from the table alone, on any node. `arguments` fit the arity of `command`, the line that find_command gave.
void answer_command_command(const Command& command, std::span<const std::string_view> arguments, resp::Writer& reply);

}  // namespace redraft::commands
