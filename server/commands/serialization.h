#pragma once

namespace redraft::commands {

class Context;

// DUMP and RESTORE (redis.io/commands/dump, /restore). The payloads are Redis's: docs/rdb-payloads.md.
void dump(Context& context);
void restore(Context& context);
void restore_asking(Context& context);

}  // namespace redraft::commands
