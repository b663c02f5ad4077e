#pragma once

namespace redraft::commands {

class Context;

// The list commands that answer at once; those that may wait are in blocking.h.
void lpush(Context& context);
void rpush(Context& context);
void lpushx(Context& context);
void rpushx(Context& context);
void lpop(Context& context);
void rpop(Context& context);
void llen(Context& context);
void lrange(Context& context);
void lindex(Context& context);
void lset(Context& context);
void linsert(Context& context);
void lrem(Context& context);
void ltrim(Context& context);
void lpos(Context& context);
void lmove(Context& context);
void rpoplpush(Context& context);
void lmpop(Context& context);

}  // namespace redraft::commands
