#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "server/replica/local/node_view.h"

namespace redraft::replica::local {

// 40 hex digits, as Redis names nodes and runs. Functions of the cluster's identity only, so that every node gives the
// same names and a restart does not change them.
[[nodiscard]] std::string node_name(const NodeView& view, std::uint64_t node);
[[nodiscard]] std::string shard_name(const NodeView& view);
// INFO's master_replid: the same on all nodes for ever.
[[nodiscard]] std::string replication_name(const NodeView& view);
// INFO's run_id: another one after each start.
[[nodiscard]] std::string run_name(const NodeView& view);

// The node that clients are sent to: the leader, or while none is known the last one that was.
[[nodiscard]] std::uint64_t slot_owner(const NodeView& view);

}  // namespace redraft::replica::local
