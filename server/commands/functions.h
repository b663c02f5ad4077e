#pragma once

namespace redraft::commands {

class Context;

// FUNCTION and FCALL (redis.io/docs/interact/programmability/functions-intro). Libraries are replicated state.
void fcall(Context& context);
void fcall_ro(Context& context);
void function_delete(Context& context);
void function_dump(Context& context);
void function_flush(Context& context);
void function_list(Context& context);
void function_load(Context& context);
void function_restore(Context& context);

}  // namespace redraft::commands
