#pragma once

namespace redraft::commands {

class Context;

// OBJECT and MEMORY: what a client may learn about how a value is kept.
void object_encoding(Context& context);
void object_refcount(Context& context);
void object_idletime(Context& context);
void object_freq(Context& context);
void object_help(Context& context);
void memory_usage(Context& context);
void memory_help(Context& context);

}  // namespace redraft::commands
