#pragma once

#include "server/replica/host.h"

namespace redraft::net {

// Both clocks, now. No system call where the kernel serves them from the vDSO.
[[nodiscard]] replica::Time read_clocks();

}  // namespace redraft::net
