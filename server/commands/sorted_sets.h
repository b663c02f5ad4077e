#pragma once

namespace redraft::commands {

class Context;

// The sorted set commands; ZSCAN is in scan.h.
void zadd(Context& context);
void zincrby(Context& context);
void zrem(Context& context);
void zcard(Context& context);
void zscore(Context& context);
void zmscore(Context& context);
void zrank(Context& context);
void zrevrank(Context& context);
void zrandmember(Context& context);

void zrange(Context& context);
void zrevrange(Context& context);
void zrangebyscore(Context& context);
void zrevrangebyscore(Context& context);
void zrangebylex(Context& context);
void zrevrangebylex(Context& context);
void zrangestore(Context& context);
void zcount(Context& context);
void zlexcount(Context& context);
void zremrangebyrank(Context& context);
void zremrangebyscore(Context& context);
void zremrangebylex(Context& context);

void zunion(Context& context);
void zinter(Context& context);
void zdiff(Context& context);
void zunionstore(Context& context);
void zinterstore(Context& context);
void zdiffstore(Context& context);
void zintercard(Context& context);

void zpopmin(Context& context);
void zpopmax(Context& context);
void zmpop(Context& context);
// These may wait for a member.
void bzpopmin(Context& context);
void bzpopmax(Context& context);
void bzmpop(Context& context);

}  // namespace redraft::commands
