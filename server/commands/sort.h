#pragma once

namespace redraft::commands {

class Context;

// SORT with BY, GET, LIMIT and STORE.
void sort(Context& context);
void sort_ro(Context& context);

}  // namespace redraft::commands
