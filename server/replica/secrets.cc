#include "server/replica/secrets.h"

#include "server/commands/letter_case.h"
#include "server/commands/migrate.h"

namespace redraft::replica {
namespace {

bool is_secret(const commands::Command& command, std::span<const std::string_view> arguments, std::size_t i) {
  using commands::CommandId;
  if (command.id == CommandId::kAuth) return i >= 1;
  if (command.id == CommandId::kAclSetuser) return i >= 3;
  if (command.id == CommandId::kMigrate) return commands::is_migrate_secret(arguments, i);
  if (command.id == CommandId::kConfigSet) {
    return i >= 3 && i % 2 == 1 && commands::equals_ignoring_case(arguments[i - 1], "requirepass");
  }
  if (command.id != CommandId::kHello) return false;
  const auto is_auth = [&](std::size_t at) { return commands::equals_ignoring_case(arguments[at], "auth"); };
  return (i >= 3 && is_auth(i - 1)) || (i >= 4 && is_auth(i - 2));
}

}  // namespace

std::vector<std::string_view> without_secrets(const commands::Command& command,
                                              std::span<const std::string_view> arguments) {
  std::vector<std::string_view> shown(arguments.begin(), arguments.end());
  for (std::size_t i = 1; i < shown.size(); ++i) {
    if (is_secret(command, arguments, i)) shown[i] = "(redacted)";
  }
  return shown;
}

}  // namespace redraft::replica
