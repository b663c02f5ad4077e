#pragma once

#include "server/replica/local/node_view.h"

namespace redraft::net {

// What the operating system and the allocator say about this process, now. A few system calls and one small file.
[[nodiscard]] replica::local::ProcessView read_process_view();

}  // namespace redraft::net
