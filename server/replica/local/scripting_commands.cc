#include <array>
#include <string>

#include "server/commands/script_host.h"
#include "server/replica/local/handlers.h"

// What of SCRIPT and FUNCTION is about the run under way on this node.

namespace redraft::replica::local {

namespace {

// A run of the log is the same on every node, so none may end it by itself; its budget does
// (docs/decisions/0008-busy-scripts.md). Redis says the same of a script that its master sent.
void kill_running(LocalContext& context, bool function) {
  commands::ScriptHost::Running* const running = context.actions.script_host()->running();
  if (running == nullptr) return context.reply.error("NOTBUSY No scripts in execution right now.");
  if (running->applying && !running->wrote) {
    return context.reply.error(
        "UNKILLABLE The busy script was sent by a master instance in the context of replication and cannot be killed.");
  }
  if (running->applying) {
    return context.reply.error(
        "UNKILLABLE Sorry the script already executed write commands against the dataset. You can either wait the "
        "script termination or kill the server in a hard way using the SHUTDOWN NOSAVE command.");
  }
  if (running->function != function) return context.reply.error(running->busy_error());
  running->kill = true;
  context.reply.ok();
}

}  // namespace

void script_kill(LocalContext& context) {
  kill_running(context, false);
}
void function_kill(LocalContext& context) {
  kill_running(context, true);
}

// Without a debugger only NO can be had.
void script_debug(LocalContext& context) {
  if (argument_is(context, 2, "no")) return context.reply.ok();
  if (argument_is(context, 2, "yes") || argument_is(context, 2, "sync")) {
    return context.reply.error("ERR the Lua debugger is not available: scripts are replicated through the log");
  }
  context.reply.error("ERR Use SCRIPT DEBUG YES/SYNC/NO");
}

void function_stats(LocalContext& context) {
  resp::Writer& reply = context.reply;
  const commands::ScriptHost::Running* const running = context.actions.script_host()->running();
  if (running != nullptr && !running->function) return reply.error(running->busy_error());
  reply.map(2);
  reply.bulk("running_script");
  if (running == nullptr) {
    reply.null();
  } else {
    reply.map(3);
    reply.bulk("name");
    reply.bulk(running->name);
    reply.bulk("command");
    reply.array(running->arguments.size());
    constexpr std::size_t kShown = 1024;  // of a long argument the beginning
    for (const std::string_view argument : running->arguments) reply.bulk(argument.substr(0, kShown));
    reply.bulk("duration_ms");
    reply.integer(static_cast<std::int64_t>(context.actions.view().monotonic_ms - running->since_ms));
  }
  const Actions::LibraryCounts counts = context.actions.library_counts();
  reply.bulk("engines");
  reply.map(1);
  reply.bulk("LUA");
  reply.map(2);
  reply.bulk("libraries_count");
  reply.integer(static_cast<std::int64_t>(counts.libraries));
  reply.bulk("functions_count");
  reply.integer(static_cast<std::int64_t>(counts.functions));
}

void script_help(LocalContext& context) {
  static constexpr std::array<std::string_view, 14> kLines{
      "DEBUG (YES|SYNC|NO)",
      "    Set the debug mode for subsequent scripts executed.",
      "EXISTS <sha1> [<sha1> ...]",
      "    Return information about the existence of the scripts in the script cache.",
      "FLUSH [ASYNC|SYNC]",
      "    Flush the Lua scripts cache. Very dangerous on replicas.",
      "    When called without the optional mode argument, the behavior is determined by the",
      "    lazyfree-lazy-user-flush configuration directive. Valid modes are:",
      "    * ASYNC: Asynchronously flush the scripts cache.",
      "    * SYNC: Synchronously flush the scripts cache.",
      "KILL",
      "    Kill the currently executing Lua script.",
      "LOAD <script>",
      "    Load a script into the scripts cache without executing it."};
  answer_help(context, "SCRIPT", kLines);
}

void function_help(LocalContext& context) {
  static constexpr auto kLines = std::to_array<std::string_view>({
      "LOAD [REPLACE] <FUNCTION CODE>",
      "    Create a new library with the given library name and code.",
      "DELETE <LIBRARY NAME>",
      "    Delete the given library.",
      "LIST [LIBRARYNAME PATTERN] [WITHCODE]",
      "    Return general information on all the libraries:",
      "    * Library name",
      "    * The engine used to run the Library",
      "    * Library description",
      "    * Functions list",
      "    * Library code (if WITHCODE is given)",
      "    It also possible to get only function that matches a pattern using LIBRARYNAME argument.",
      "STATS",
      "    Return information about the current function running:",
      "    * Function name",
      "    * Command used to run the function",
      "    * Duration in MS that the function is running",
      "    If no function is running, return nil",
      "    In addition, returns a list of available engines.",
      "KILL",
      "    Kill the current running function.",
      "FLUSH [ASYNC|SYNC]",
      "    Delete all the libraries.",
      "    When called without the optional mode argument, the behavior is determined by the",
      "    lazyfree-lazy-user-flush configuration directive. Valid modes are:",
      "    * ASYNC: Asynchronously flush the libraries.",
      "    * SYNC: Synchronously flush the libraries.",
      "DUMP",
      "    Return a serialized payload representing the current libraries, can be restored using FUNCTION RESTORE "
      "command",
      "RESTORE <PAYLOAD> [FLUSH|APPEND|REPLACE]",
      "    Restore the libraries represented by the given payload, it is possible to give a restore policy to",
      "    control how to handle existing libraries (default APPEND):",
      "    * FLUSH: delete all existing libraries.",
      "    * APPEND: appends the restored libraries to the existing libraries. On collision, abort.",
      "    * REPLACE: appends the restored libraries to the existing libraries, On collision, replace the old",
      "      libraries with the new libraries (notice that even on this option there is a chance of failure",
      "      in case of functions name collision with another library).",
  });
  answer_help(context, "FUNCTION", kLines);
}

}  // namespace redraft::replica::local
