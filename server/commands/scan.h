#pragma once

namespace redraft::commands {

class Context;

// The cursor commands. A cursor is the store's, below 2^53, and means the same on every node.
void scan(Context& context);
void sscan(Context& context);
void hscan(Context& context);
void zscan(Context& context);

}  // namespace redraft::commands
