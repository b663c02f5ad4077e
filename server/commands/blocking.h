#pragma once

namespace redraft::commands {

class Context;

// The list commands that may wait for an element. What waits is replicated state: see waiters.h.
void blpop(Context& context);
void brpop(Context& context);
void blmove(Context& context);
void brpoplpush(Context& context);
void blmpop(Context& context);

}  // namespace redraft::commands
