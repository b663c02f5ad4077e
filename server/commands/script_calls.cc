#include "server/commands/script_calls.h"

#include <string>

#include "resp/number.h"
#include "server/commands/arguments.h"
#include "server/commands/command_command.h"
#include "server/store/breather.h"
#include "server/store/store.h"

namespace redraft::commands {

namespace {

using Called = scripting::Outside::Called;

constexpr std::string_view kNotFromScript = "This Redis command is not allowed from script";

Called refuse(std::string_view error) {
  return {Called::Kind::kRefused, error};
}

}  // namespace

ScriptCalls::ScriptCalls(Context& context, ScriptHost& host, std::uint32_t flags, bool read_only)
    : context_(context),
      host_(host),
      read_only_(read_only || (flags & scripting::kNoWrites) != 0),
      allows_oom_((flags & scripting::kAllowOom) != 0),
      db_(context.db) {}

// Texts and their order as in Redis (redis/redis:src/script.c, scriptCall).
Called ScriptCalls::call(std::span<const std::string_view> arguments, resp::Writer& reply) {
  const Command* const command = find_command(arguments);
  if (command == nullptr) return refuse("Unknown Redis command called from script");
  if (!arity_fits(*command, arguments.size()) || command->is_container) {
    return refuse("Wrong number of args calling Redis command from script");
  }
  if (command->is(kNoScript)) return refuse(kNotFromScript);
  if (std::string why = context_.surroundings.refusal(context_.user, *command, arguments); !why.empty()) {
    context_.surroundings.refused(*command, arguments);
    if (why.starts_with("NOPERM ")) why.erase(0, 7);
    refusal_ = "-NOPERM ACL failure in script: " + why;
    return refuse(refusal_);
  }
  // PUBLISH too: it reaches the subscribers of every node as a part of the entry. PFCOUNT may change what it counted,
  // so Redis refuses it in read-only scripts.
  const bool writes = command->is(kWrite) || command->where == Where::kForward;
  if (read_only_ && (writes || command->id == CommandId::kPfcount)) {
    return refuse("Write commands are not allowed from read-only scripts.");
  }
  if (writes) {
    ScriptHost::Running* const running = host_.running();
    // Only the first write of a script can be refused, before anything has happened.
    const bool is_first = running == nullptr || !running->wrote;
    if (is_first && command->is(kDenyOom) && !allows_oom_ && host_.lacks_memory(context_.applying)) {
      return refuse("-OOM command not allowed when used memory > 'maxmemory'.");
    }
    if (!context_.applying) return {Called::Kind::kStop, {}};
    if (running != nullptr) running->wrote = true;
  }
  if (host_.watcher() != nullptr) host_.watcher()->script_calls(db_, *command, arguments);
  if (command->where != Where::kLeader || command->handler == nullptr) {
    return call_elsewhere(*command, arguments, reply);
  }
  Context inner{context_.store, context_.surroundings, context_.breather, reply, context_.random};
  inner.command = command;
  inner.arguments = arguments;
  inner.db = db_;
  inner.clock_ms = context_.clock_ms;
  inner.index = context_.index;
  inner.origin = context_.origin;
  inner.user = context_.user;
  inner.applying = context_.applying;
  inner.may_block = false;
  inner.from_script = true;
  execute(inner);
  return {};
}

// Of what a node answers by itself only what is the same on every node (redis-semantics, "Scripts").
Called ScriptCalls::call_elsewhere(const Command& command, std::span<const std::string_view> arguments,
                                   resp::Writer& reply) {
  switch (command.id) {
    case CommandId::kSelect:
      return select(arguments[1], reply);
    case CommandId::kPing:
      if (arguments.size() > 2) return refuse("-ERR wrong number of arguments for 'ping' command");
      arguments.size() == 2 ? reply.bulk(arguments[1]) : reply.simple("PONG");
      return {};
    case CommandId::kEcho:
      reply.bulk(arguments[1]);
      return {};
    case CommandId::kTime:
      reply.array(2);
      reply.bulk_integer(static_cast<std::int64_t>(context_.clock_ms / 1000));
      reply.bulk_integer(static_cast<std::int64_t>(context_.clock_ms % 1000 * 1000));
      return {};
    case CommandId::kPublish:
    case CommandId::kSpublish:
      static_cast<void>(
          context_.surroundings.publish_applied(arguments[1], arguments[2], command.id == CommandId::kSpublish));
      // How many heard it differs from node to node.
      reply.integer(0);
      return {};
    default:
      break;
  }
  if (is_command_command(command)) {
    answer_command_command(command, arguments, reply);
    return {};
  }
  return refuse(kNotFromScript);
}

Called ScriptCalls::select(std::string_view number, resp::Writer& reply) {
  const auto wanted = resp::parse_int64(number);
  if (!wanted) return refuse("-ERR value is not an integer or out of range");
  if (*wanted < 0 || *wanted >= static_cast<std::int64_t>(context_.store.database_count())) {
    return refuse("-ERR DB index is out of range");
  }
  db_ = static_cast<std::uint32_t>(*wanted);
  reply.ok();
  return {};
}

bool ScriptCalls::may_call(std::span<const std::string_view> arguments, bool& known) {
  const Command* const command = find_command(arguments);
  known = command != nullptr && arity_fits(*command, arguments.size());
  return known && context_.surroundings.refusal(context_.user, *command, arguments).empty();
}

void ScriptCalls::log(int level, std::string_view line) {
  if (host_.watcher() != nullptr) host_.watcher()->script_logs(level, line);
}

bool ScriptCalls::go_on() {
  context_.breather.breathe();
  if (host_.watcher() != nullptr && host_.running() != nullptr) host_.watcher()->script_runs(*host_.running());
  const ScriptHost::Running* const running = host_.running();
  return running == nullptr || !running->kill || context_.applying;
}

}  // namespace redraft::commands
