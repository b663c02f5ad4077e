#pragma once

namespace redraft::commands {

class Context;

// The set commands; SSCAN is in scan.h.
void sadd(Context& context);
void srem(Context& context);
void smembers(Context& context);
void sismember(Context& context);
void smismember(Context& context);
void scard(Context& context);
void spop(Context& context);
void srandmember(Context& context);
void smove(Context& context);
void sinter(Context& context);
void sinterstore(Context& context);
void sintercard(Context& context);
void sunion(Context& context);
void sunionstore(Context& context);
void sdiff(Context& context);
void sdiffstore(Context& context);

}  // namespace redraft::commands
