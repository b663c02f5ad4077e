#include "server/commands/scripts.h"

#include "server/replica/engine.h"

// Which way a script goes (redis-semantics, "Scripts"). One that says or is known to write is an entry. Any other is
// tried as a read, behind its barrier and without an entry; when it comes to a write nothing has happened yet, so it
// goes into the log instead, at its connection's place: until that is decided no later write of the connection is
// proposed.

namespace redraft::replica {

using commands::Command;
using commands::CommandId;
using commands::ScriptPath;

bool Engine::take_script(Session& session, const Command& command, Arguments arguments) {
  ScriptPath path = commands::script_path(command, arguments, *store_, script_host_);
  if (path == ScriptPath::kLog && script_lacks_memory()) path = ScriptPath::kTry;
  if (path == ScriptPath::kLog || (path == ScriptPath::kTry && !Pipeline::fits(encoded_size({}, arguments)))) {
    std::vector<std::string_view> replaced;
    CommandId id = command.id;
    const Arguments logged = for_log(command, arguments, id, replaced);
    return propose(session, id, command, logged);
  }
  take_read(session, command, arguments, path == ScriptPath::kTry);
  return true;
}

// EVALSHA of a script that only this node knows becomes its EVAL.
Engine::Arguments Engine::for_log(const Command& command, Arguments arguments, CommandId& id,
                                  std::vector<std::string_view>& replaced) {
  const std::string_view body = commands::body_for_log(command, arguments, *store_, script_host_);
  if (body.empty()) return arguments;
  replaced.assign(arguments.begin(), arguments.end());
  replaced[0] = "eval";
  replaced[1] = body;
  id = CommandId::kEval;
  return replaced;
}

// The script at the session's front was read-only so far and wants to write. True when it was answered after all.
bool Engine::move_to_log(Session& session, Pending& head, Arguments arguments) {
  if (!head.tries) {
    // A function that said it never writes was replaced meanwhile. Later writes of the connection may be proposed
    // already, so its place in the log is taken.
    session.writer().error("TRYAGAIN The function was replaced by one that may write");
    return true;
  }
  if (!leading()) {
    redirect(session, *head.command, arguments, session.writer());
    return true;
  }
  if (disk_full_) {
    session.writer().error("MISCONF Errors writing to the log: No space left on device");
    return true;
  }
  if (disputed_) {
    session.writer().error(std::string(kDisputedError));
    return true;
  }
  std::vector<std::string_view> replaced;
  CommandId id = head.command->id;
  const Arguments logged = for_log(*head.command, arguments, id, replaced);
  CommandHeader header{.id = id, .connection = connection_of(session), .number = head.number};
  header.db = head.db;
  header.user = session.user_id;
  const std::size_t size = encoded_size(header, logged);
  if (!Pipeline::fits(size)) {
    session.writer().error("ERR script too large to be logged by its digest: send EVAL");
    return true;
  }
  sessions_.acquire(session);
  if (pipeline_.full(size)) {
    // It runs once more when the open batch is applied, and finds room in the next.
    head.round = 0;
    head.batch = pipeline_.want_entry(&session);
    return false;
  }
  head.kind = Pending::Kind::kWrite;
  head.tries = false;
  --session.tries;
  head.round = 0;
  head.batch = pipeline_.add(&session, header, logged);
  ++session.writes_pending;
  session.last_write_batch = head.batch;
  return false;
}

// Past busy-reply-threshold the other clients are served, so far as that goes: nearly all they get is BUSY. A client
// that waits for something keeps waiting, so no reply overtakes another (docs/decisions/0008-busy-scripts.md).
void Engine::script_runs(commands::ScriptHost::Running& running) {
  const std::uint64_t now_ms = now_.monotonic_us / 1000;
  if (running.since_ms == 0) running.since_ms = now_ms;
  const std::uint64_t threshold_ms = store_->setting_number("busy-reply-threshold", 5000);
  if (threshold_ms == 0 || now_ms - running.since_ms < threshold_ms) return;
  if (!running.slow) {
    running.slow = true;
    host_.log(LogLevel::kWarning, "Slow script detected: still in execution after " +
                                      std::to_string(now_ms - running.since_ms) +
                                      " milliseconds. You can try killing the script using the " +
                                      (running.function ? "FUNCTION" : "SCRIPT") +
                                      " KILL command. Script name is: " + std::string(running.name) + ".");
  }
  busy_ = true;
  host_.serve_busy_clients();
  busy_ = false;
}

void Engine::script_begins(const commands::Context& context) {
  if (!monitors_.any() || replaying()) return;
  const std::string who = Monitors::name_of(sessions_.find(executing_), context.origin.node);
  monitors_.script_begins(now_, who, context.db, context.arguments);
}

void Engine::script_calls(std::uint32_t db, const Command& command, Arguments arguments) {
  monitors_.script_calls(now_, db, command, arguments);
}

void Engine::script_ended(bool again) {
  monitors_.script_ended(again);
}

// Every node runs a script of the log; only the one whose client sent it has the line in its own log, and only once.
void Engine::script_logs(int level, std::string_view line) {
  constexpr std::size_t kLineMax = 1024;  // as in Redis
  if (executing_ != 0) host_.log(static_cast<LogLevel>(level), std::string(line.substr(0, kLineMax)));
}

// What is allowed beside a script touches neither the data nor what the script's command has begun. WATCH would, and a
// follower's read that waits for no barrier; what another node has to answer is redirected as ever.
std::string_view Engine::busy_error(const Session& session, const Command& command) const {
  if (command.is(commands::kAllowBusy) && command.id != CommandId::kWatch) return {};
  const bool reads_here = session.readonly && command.is(commands::kReadonly);
  if (command.where == commands::Where::kLeader && !leading() && !reads_here) return {};
  return script_host_.running()->busy_error();
}

}  // namespace redraft::replica
