#pragma once

namespace redraft::commands {

class Context;

// Commands on keys of any type (redis.io/commands/?group=generic) and on whole databases.
void del(Context& context);
void unlink(Context& context);
void exists(Context& context);
void type(Context& context);
void rename(Context& context);
void renamenx(Context& context);
void copy(Context& context);
void move(Context& context);
void touch(Context& context);
void randomkey(Context& context);
void keys(Context& context);
void dbsize(Context& context);
void flushdb(Context& context);
void flushall(Context& context);
void swapdb(Context& context);

}  // namespace redraft::commands
