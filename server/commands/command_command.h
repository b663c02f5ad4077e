#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "resp/writer.h"
#include "server/commands/command.h"

namespace redraft::commands {

// A key among a request's arguments, and what the command does with it: COMMAND GETKEYSANDFLAGS's words.
struct FoundKey {
  std::size_t position;
  std::vector<std::string_view> flags;
};
[[nodiscard]] std::vector<FoundKey> find_keys_with_flags(const Command& command,
                                                         std::span<const std::string_view> arguments);

// The ACL categories in Redis's order.
[[nodiscard]] std::span<const std::pair<Category, std::string_view>> category_names();

// Whether `command` is COMMAND or one of its subcommands.
[[nodiscard]] bool is_command_command(const Command& command);

// Answers COMMAND, COMMAND COUNT|DOCS|GETKEYS|GETKEYSANDFLAGS|HELP|INFO|LIST (redis.io/commands/command): one reply,
// from the table alone, on any node. `arguments` fit the arity of `command`, the line that find_command gave.
void answer_command_command(const Command& command, std::span<const std::string_view> arguments, resp::Writer& reply);

}  // namespace redraft::commands
