#pragma once

#include <string>

#include "raft/raft.h"

// The core's values in the words of the golden scripts.

namespace redraft::raft::testing {

[[nodiscard]] std::string describe(const Envelope& envelope);
[[nodiscard]] const char* name(Role role);
[[nodiscard]] const char* name(ProposalStatus status);
[[nodiscard]] const char* name(ProgressState state);

}  // namespace redraft::raft::testing
