#pragma once

namespace redraft::commands {

class Context;

// Deadlines: set, removed and asked for. All arithmetic is in milliseconds of the entry's clock (pitfall G1).
void expire(Context& context);
void pexpire(Context& context);
void expireat(Context& context);
void pexpireat(Context& context);
void persist(Context& context);
void ttl(Context& context);
void pttl(Context& context);
void expiretime(Context& context);
void pexpiretime(Context& context);

}  // namespace redraft::commands
