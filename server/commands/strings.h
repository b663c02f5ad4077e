#pragma once

namespace redraft::commands {

class Context;

// The string commands (redis.io/commands/?group=string), one handler each, for the table.
void get(Context& context);
void set_command(Context& context);
void setnx(Context& context);
void setex(Context& context);
void psetex(Context& context);
void getset(Context& context);
void getex(Context& context);
void getdel(Context& context);
void mget(Context& context);
void mset(Context& context);
void msetnx(Context& context);
void append(Context& context);
void strlen(Context& context);
void setrange(Context& context);
void getrange(Context& context);
void substr(Context& context);
void incr(Context& context);
void decr(Context& context);
void incrby(Context& context);
void decrby(Context& context);
void incrbyfloat(Context& context);
void lcs(Context& context);

}  // namespace redraft::commands
