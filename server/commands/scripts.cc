#include "server/commands/scripts.h"

#include <algorithm>
#include <cctype>
#include <string>

#include "server/commands/arguments.h"
#include "server/commands/letter_case.h"
#include "server/commands/script_host.h"
#include "server/commands/script_run.h"
#include "server/commands/table.h"
#include "server/scripting/shebang.h"
#include "server/store/store.h"

namespace redraft::commands {

namespace {

constexpr std::string_view kNoScriptError = "NOSCRIPT No matching script. Please use EVAL.";
constexpr std::size_t kDigestSize = 40;

// A digest as clients send it, in lower case; empty when it is none.
std::string digest_argument(std::string_view sha) {
  std::string lower;
  if (sha.size() != kDigestSize) return lower;
  for (const char c : sha) lower.push_back(to_lower(c));
  return lower;
}

// At apply the script becomes known on every node. What EVAL_RO or a read brought, this node remembers by itself.
void evaluate(Context& context, std::string_view sha, std::string_view body, bool read_only) {
  std::size_t keys = 0;
  if (!take_key_count(context, kNotAnInteger, keys)) return;
  ScriptHost& host = script_host(context);
  std::string error;
  ScriptHost::Script* const script = host.prepare(sha, body, error);
  if (script == nullptr) return context.reply.error(error);
  if (context.applying) context.store.scripts().evaluated(sha, body);
  const bool done = run_script(
      context, {.image = script->image, .name = sha, .flags = script->flags, .read_only = read_only, .keys = keys});
  if (!done) script->writes = true;
}

void evaluate_digest(Context& context, bool read_only) {
  const std::string sha = digest_argument(context.argument(1));
  if (sha.empty()) return context.reply.error(kNoScriptError);
  std::size_t keys = 0;
  if (!take_key_count(context, kNotAnInteger, keys)) return;
  if (const std::string* const body = context.store.scripts().body(sha)) {
    // A copy: what is run may be dropped from the cache by what it is counted as.
    const std::string kept = *body;
    return evaluate(context, sha, kept, read_only);
  }
  ScriptHost::Script* const known = context.applying ? nullptr : script_host(context).find(sha);
  if (known == nullptr) return context.reply.error(kNoScriptError);
  const std::string kept = known->body;
  evaluate(context, sha, kept, read_only);
}

void evaluate_body(Context& context, bool read_only) {
  // A copy, since a script may be run inside what waits for it to breathe.
  const std::string sha(script_host(context).digest_of(context.argument(1)));
  evaluate(context, sha, context.argument(1), read_only);
}

// Whether a word in quotes names a command with that flag: a good guess at what a script will do, before it ever ran.
bool names_one_that(std::string_view body, Flag flag) {
  std::size_t at = 0;
  while ((at = body.find_first_of("'\"", at)) != std::string_view::npos) {
    const std::size_t end = body.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_", at + 1);
    if (end != std::string_view::npos && end > at + 1 && body[end] == body[at]) {
      const Command* const command = find_command_named(body.substr(at + 1, end - at - 1));
      if (command != nullptr && command->is(flag)) return true;
    }
    ++at;
  }
  return false;
}

ScriptPath path_of_body(std::string_view sha, std::string_view body, ScriptHost& host) {
  if (ScriptHost::Script* const known = host.find(sha)) {
    if ((known->flags & scripting::kNoWrites) != 0) return ScriptPath::kRead;
    if (!known->names_a_write) known->names_a_write = names_one_that(known->body, kWrite);
    return known->writes || *known->names_a_write ? ScriptPath::kLog : ScriptPath::kTry;
  }
  scripting::Shebang shebang;
  std::string error;
  if (!scripting::read_script_shebang(body, shebang, error)) return ScriptPath::kRead;
  if ((shebang.flags & scripting::kNoWrites) != 0) return ScriptPath::kRead;
  return names_one_that(body, kWrite) ? ScriptPath::kLog : ScriptPath::kTry;
}

}  // namespace

void eval(Context& context) {
  evaluate_body(context, false);
}
void eval_ro(Context& context) {
  evaluate_body(context, true);
}
void evalsha(Context& context) {
  evaluate_digest(context, false);
}
void evalsha_ro(Context& context) {
  evaluate_digest(context, true);
}

void script_exists(Context& context) {
  context.reply.array(context.argument_count() - 2);
  for (std::size_t i = 2; i < context.argument_count(); ++i) {
    const std::string sha = digest_argument(context.argument(i));
    const bool exists = sha == context.argument(i) &&
                        (context.store.scripts().body(sha) != nullptr || script_host(context).find(sha) != nullptr);
    context.reply.integer(exists ? 1 : 0);
  }
}

void script_flush(Context& context) {
  const bool valid =
      context.argument_count() == 2 ||
      (context.argument_count() == 3 && (option_is(context, 2, "sync") || option_is(context, 2, "async")));
  if (!valid) return context.reply.error("ERR SCRIPT FLUSH only support SYNC|ASYNC option");
  context.store.scripts().flush_scripts();
  script_host(context).forget_scripts();
  context.reply.ok();
}

void script_load(Context& context) {
  const std::string sha(script_host(context).digest_of(context.argument(2)));
  std::string error;
  if (script_host(context).prepare(sha, context.argument(2), error) == nullptr) return context.reply.error(error);
  context.store.scripts().load(sha, context.argument(2));
  context.reply.bulk(sha);
}

bool is_script_call(const Command& command) {
  switch (command.id) {
    case CommandId::kEval:
    case CommandId::kEvalRo:
    case CommandId::kEvalsha:
    case CommandId::kEvalshaRo:
    case CommandId::kFcall:
    case CommandId::kFcallRo:
      return true;
    default:
      return false;
  }
}

// What is unknown now may be known when it runs: the EVAL, SCRIPT LOAD or FUNCTION LOAD before it is on its way.
ScriptPath script_path(const Command& command, std::span<const std::string_view> arguments, const store::Store& store,
                       ScriptHost& host) {
  switch (command.id) {
    case CommandId::kEval:
      return path_of_body(host.digest_of(arguments[1]), arguments[1], host);
    case CommandId::kEvalsha: {
      const std::string sha = digest_argument(arguments[1]);
      if (const ScriptHost::Script* const known = host.find(sha)) return path_of_body(sha, known->body, host);
      const std::string* const body = store.scripts().body(sha);
      return body == nullptr ? ScriptPath::kTry : path_of_body(sha, *body, host);
    }
    case CommandId::kFcall: {
      const store::Scripts::Found found = store.scripts().function(arguments[1]);
      if (found.function == nullptr) return ScriptPath::kTry;
      return (found.function->flags & scripting::kNoWrites) != 0 ? ScriptPath::kRead : ScriptPath::kLog;
    }
    default:
      return ScriptPath::kRead;
  }
}

bool script_needs_memory(const Command& command, std::span<const std::string_view> arguments, const store::Store& store,
                         ScriptHost& host) {
  constexpr std::uint32_t kNeedsNone = scripting::kNoWrites | scripting::kAllowOom;
  if (command.id == CommandId::kFcall) {
    const store::Scripts::Found found = store.scripts().function(arguments[1]);
    return found.function != nullptr && (found.function->flags & kNeedsNone) == 0;
  }
  std::string_view body;
  if (command.id == CommandId::kEval) {
    body = arguments[1];
  } else if (command.id == CommandId::kEvalsha) {
    const std::string sha = digest_argument(arguments[1]);
    const std::string* const stored = store.scripts().body(sha);
    const ScriptHost::Script* const known = stored == nullptr ? host.find(sha) : nullptr;
    if (stored != nullptr) body = *stored;
    if (known != nullptr) body = known->body;
  }
  scripting::Shebang shebang;
  std::string error;
  if (!scripting::read_script_shebang(body, shebang, error) || (shebang.flags & kNeedsNone) != 0) return false;
  return (shebang.flags & scripting::kCompatible) == 0;
}

bool changes_scripts(const Command& command) {
  return command.id == CommandId::kScriptLoad || command.id == CommandId::kScriptFlush;
}

std::string_view body_for_log(const Command& command, std::span<const std::string_view> arguments,
                              const store::Store& store, ScriptHost& host) {
  if (command.id != CommandId::kEvalsha) return {};
  const std::string sha = digest_argument(arguments[1]);
  if (store.scripts().body(sha) != nullptr) return {};
  const ScriptHost::Script* const known = host.find(sha);
  return known == nullptr ? std::string_view() : std::string_view(known->body);
}

}  // namespace redraft::commands
