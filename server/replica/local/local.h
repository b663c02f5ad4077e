#pragma once

#include <span>
#include <string_view>

#include "resp/writer.h"
#include "server/commands/command.h"
#include "server/replica/local/actions.h"
#include "server/replica/session.h"

namespace redraft::replica::local {

// Commands that run on the node a client is connected to (Where::kLocal): they read and change the node and the
// connection, never data. Arity, authentication and redirects were checked by the caller.
struct LocalContext {
  Actions& actions;
  Session& session;
  std::span<const std::string_view> arguments;  // [0] is the name as sent
  resp::Writer& reply;  // one reply, or none: CLIENT REPLY OFF|SKIP, SHUTDOWN, and what `Actions` answers later
  const commands::Command& command;
  bool in_transaction = false;  // runs inside EXEC: nothing may be answered later
};

using LocalHandler = void (*)(LocalContext&);

// The handler of a node-local command or subcommand, or nullptr. COMMAND and MULTI are not here: they belong to the
// table and the sessions.
[[nodiscard]] LocalHandler find_local(commands::CommandId id);

}  // namespace redraft::replica::local
