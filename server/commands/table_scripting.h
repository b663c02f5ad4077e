#pragma once

#include <array>

#include "server/commands/functions.h"
#include "server/commands/key_positions.h"
#include "server/commands/scripts.h"
#include "server/commands/table_line.h"

namespace redraft::commands {

// Lines of the command table, see table.cc.
inline constexpr auto kScriptingCommands = std::to_array<Command>({
    // name, id, arity, flags, categories beyond the implied ones, first/last/step of the keys, handler, find_keys
    data("eval", CommandId::kEval, -3, kNoScript | kStale | kSkipMonitor | kNoMandatoryKeys, kScripting, {}, eval,
         find_numkeys_at_2),
    data("eval_ro", CommandId::kEvalRo, -3, kReadonly | kNoScript | kStale | kSkipMonitor | kNoMandatoryKeys,
         kScripting, {}, eval_ro, find_numkeys_at_2),
    data("evalsha", CommandId::kEvalsha, -3, kNoScript | kStale | kSkipMonitor | kNoMandatoryKeys, kScripting, {},
         evalsha, find_numkeys_at_2),
    data("evalsha_ro", CommandId::kEvalshaRo, -3, kReadonly | kNoScript | kStale | kSkipMonitor | kNoMandatoryKeys,
         kScripting, {}, evalsha_ro, find_numkeys_at_2),
    data("fcall", CommandId::kFcall, -3, kNoScript | kStale | kSkipMonitor | kNoMandatoryKeys, kScripting, {}, fcall,
         find_numkeys_at_2),
    data("fcall_ro", CommandId::kFcallRo, -3, kReadonly | kNoScript | kStale | kSkipMonitor | kNoMandatoryKeys,
         kScripting, {}, fcall_ro, find_numkeys_at_2),
    container("function", CommandId::kFunction, 0),
    data("function|delete", CommandId::kFunctionDelete, 3, kWrite | kNoScript, kScripting, {}, function_delete),
    data("function|dump", CommandId::kFunctionDump, 2, kNoScript, kScripting, {}, function_dump),
    data("function|flush", CommandId::kFunctionFlush, -2, kWrite | kNoScript, kScripting, {}, function_flush),
    local("function|help", CommandId::kFunctionHelp, 2, kLoading | kStale, kScripting, {}),
    local("function|kill", CommandId::kFunctionKill, 2, kNoScript | kAllowBusy, kScripting, {}),
    data("function|list", CommandId::kFunctionList, -2, kNoScript, kScripting, {}, function_list),
    data("function|load", CommandId::kFunctionLoad, -3, kWrite | kDenyOom | kNoScript, kScripting, {}, function_load),
    data("function|restore", CommandId::kFunctionRestore, -3, kWrite | kDenyOom | kNoScript, kScripting, {},
         function_restore),
    local("function|stats", CommandId::kFunctionStats, 2, kNoScript | kAllowBusy, kScripting, {}),
    container("script", CommandId::kScript, 0),
    local("script|debug", CommandId::kScriptDebug, 3, kNoScript, kScripting, {}),
    data("script|exists", CommandId::kScriptExists, -3, kNoScript, kScripting, {}, script_exists),
    data("script|flush", CommandId::kScriptFlush, -2, kNoScript, kScripting, {}, script_flush),
    local("script|help", CommandId::kScriptHelp, 2, kLoading | kStale, kScripting, {}),
    local("script|kill", CommandId::kScriptKill, 2, kNoScript | kAllowBusy, kScripting, {}),
    data("script|load", CommandId::kScriptLoad, 3, kNoScript | kStale, kScripting, {}, script_load),
});

}  // namespace redraft::commands
