#pragma once

#include "server/replica/host.h"

namespace redraft::net {

// Both clocks, now. No system call where the kernel serves them from the vDSO.
[[nodiscard]] replica::Time read_clocks();
// Nanoseconds that only differences mean something of.
[[nodiscard]] std::uint64_t read_measure_ns();

}  // namespace redraft::net
