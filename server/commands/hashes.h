#pragma once

namespace redraft::commands {

class Context;

// The hash commands; HSCAN is in scan.h.
void hset(Context& context);
void hmset(Context& context);
void hsetnx(Context& context);
void hget(Context& context);
void hmget(Context& context);
void hgetall(Context& context);
void hkeys(Context& context);
void hvals(Context& context);
void hdel(Context& context);
void hlen(Context& context);
void hexists(Context& context);
void hstrlen(Context& context);
void hincrby(Context& context);
void hincrbyfloat(Context& context);
void hrandfield(Context& context);

}  // namespace redraft::commands
