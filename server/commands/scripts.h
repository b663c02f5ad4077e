#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "server/commands/command.h"

namespace redraft::store {
class Store;
}

namespace redraft::commands {

class Context;
class ScriptHost;

// EVAL and SCRIPT (redis.io/docs/interact/programmability/eval-intro). What a script does is in its entry: every node
// runs it (redis-semantics, "Scripts"; docs/decisions/0007-lua.md).
void eval(Context& context);
void eval_ro(Context& context);
void evalsha(Context& context);
void evalsha_ro(Context& context);
void script_exists(Context& context);
void script_flush(Context& context);
void script_load(Context& context);

// How a script call should run.
enum class ScriptPath : std::uint8_t {
  kRead,  // behind a read barrier: it may not write
  kTry,   // so too, but should it come to a write it replies nothing, and `ScriptHost::take_wants_log` tells
  kLog,   // by an entry
};
[[nodiscard]] bool is_script_call(const Command& command);
// For a script call on the leader.
[[nodiscard]] ScriptPath script_path(const Command& command, std::span<const std::string_view> arguments,
                                     const store::Store& store, ScriptHost& host);
// For a script call that MULTI queues: whether EXEC is refused when there is no memory. So it is in Redis for scripts
// that declare flags, and not allow-oom or no-writes among them. Of one without any the single write is refused, see
// ScriptHost::lacks_memory.
[[nodiscard]] bool script_needs_memory(const Command& command, std::span<const std::string_view> arguments,
                                       const store::Store& store, ScriptHost& host);
// SCRIPT LOAD and SCRIPT FLUSH: no writes by Redis's flags, but replicated state here.
[[nodiscard]] bool changes_scripts(const Command& command);

// An EVALSHA of a script that only this node knows, since an EVAL brought it that was a read: the body for an EVAL,
// empty when the store knows it too, or nobody.
[[nodiscard]] std::string_view body_for_log(const Command& command, std::span<const std::string_view> arguments,
                                            const store::Store& store, ScriptHost& host);

}  // namespace redraft::commands
