#pragma once

#include <optional>
#include <span>
#include <string>

namespace redraft::net {

// What the binary does with the directory of a node that is not running:
//
//   --check DIR      verifies everything there and changes nothing; 4 when something is damaged
//   --dump-log DIR   one line per record of the log
//   --recover DIR... for a cluster that has lost its majority for good: prints how far each directory goes, and with
//                    --yes-abandon-the-lost-majority makes the first one a cluster of one node
//
// Prints to standard output. The exit status (exit_status.h), or nothing when `arguments` ask for none of these.
[[nodiscard]] std::optional<int> run_offline_tool(std::span<const std::string> arguments);

}  // namespace redraft::net
