#include "server/commands/script_run.h"

#include <utility>

#include "base/check.h"
#include "resp/number.h"
#include "server/commands/arguments.h"
#include "server/commands/script_calls.h"
#include "server/store/store.h"

namespace redraft::commands {

bool take_key_count(Context& context, std::string_view not_a_number, std::size_t& keys) {
  const auto count = resp::parse_int64(context.argument(2));
  if (!count) {
    context.reply.error(not_a_number);
    return false;
  }
  if (*count > static_cast<std::int64_t>(context.argument_count()) - 3) {
    context.reply.error("ERR Number of keys can't be greater than number of args");
    return false;
  }
  if (*count < 0) {
    context.reply.error("ERR Number of keys can't be negative");
    return false;
  }
  keys = static_cast<std::size_t>(*count);
  return true;
}

scripting::Budget script_budget(const Context& context) {
  const scripting::Budget usual;
  return {context.store.setting_number("script-memory-max", usual.memory_bytes),
          context.store.setting_number("script-steps-max", usual.steps)};
}

ScriptHost& script_host(Context& context) {
  ScriptHost* const host = context.surroundings.script_host();
  ensure(host != nullptr, "whoever runs script commands has a host for them");
  return *host;
}

bool run_script(Context& context, const ScriptRun& run) {
  if ((run.flags & (scripting::kCompatible | scripting::kNoWrites)) == 0 && run.read_only) {
    context.reply.error("ERR Can not execute a script with write flag using *_ro command.");
    return true;
  }
  ScriptHost& host = script_host(context);
  ScriptHost::Watcher* const watcher = host.watcher();
  constexpr std::uint32_t kMayLackMemory = scripting::kCompatible | scripting::kNoWrites | scripting::kAllowOom;
  if ((run.flags & kMayLackMemory) == 0 && host.lacks_memory(context.applying)) {
    context.reply.error("OOM command not allowed when used memory > 'maxmemory'.");
    return true;
  }
  if (watcher != nullptr) watcher->script_begins(context);
  ScriptHost::Running running;
  running.name = run.name;
  running.arguments = context.arguments;
  running.function = run.function;
  running.applying = context.applying;
  host.begin_run(running);
  ScriptCalls outside(context, host, run.flags, run.read_only);
  const scripting::Invocation invocation{.name = run.name,
                                         .keys = context.arguments.subspan(3, run.keys),
                                         .arguments = context.arguments.subspan(3 + run.keys),
                                         .budget = script_budget(context),
                                         .seed = context.random.next()};
  const scripting::Ending ending = run.function
                                       ? host.machine().run_function(run.image, invocation, outside, context.reply)
                                       : host.machine().run_script(run.image, invocation, outside, context.reply);
  host.end_run();
  if (watcher != nullptr) watcher->script_ended(ending == scripting::Ending::kStopped);
  if (ending != scripting::Ending::kStopped) return true;
  host.want_log();
  return false;
}

}  // namespace redraft::commands
