#pragma once

#include <string>
#include <vector>

namespace redraft::raft::testing {

// A conversation between nodes as a text that reads as a story. It is a list of blocks:
//
//     # Why this block is here.
//     campaign 1
//     settle
//     ----
//     what happened
//
// Comments and commands up to `----`, then what they printed, then an empty line. Commands:
//
//   nodes N [learners L] [key=value ...]   a new group, all nodes with its configuration as entry 1; keys below
//   bootstrap N                            the same from nothing, the configuration given to node 1
//   elect ID                               campaign and settle, printing nothing; it must win
//   campaign ID · propose ID TEXT · read ID NUMBER · transfer ID TO · tick ID|all [N] · flush ID
//   settle                                 everything moves until nothing does; prints every node's state
//   deliver [FROM] [TO]                    messages on their way now, each once; 0 is any
//   drop [FROM] [TO] · show                lose, or print, messages on their way
//   persist ID [N]                         the disk finishes N requests
//   hold ID · release ID                   settle leaves the disk of this node alone
//   cut FROM TO · mend FROM TO · isolate ID · heal
//   spawn ID                               a node outside the group, with nothing on its disk
//   change ID +N ^N vN -N @N ...           proposed to ID: add, promote, demote, remove, new address
//   config ID                              the newest configuration: voters, learners; old & new when joint
//   crash ID [REQUESTS] [ENTRIES] · restart ID · wipe ID
//   snapshot ID · receive ID ok|failed · loglost on|off
//   refused ID NODE · restored ID NODE · unreachable ID NODE
//   status · log ID · progress ID · messages on|off (print each message when it arrives)
//   until leader|quiet                     ticks and settles, without printing messages
//
// Keys: election, heartbeat, tail, cache, inflight, batch, backlog, lease, seed.
struct Block {
  std::vector<std::string> lines;  // comments and commands as written
  std::vector<std::string> expected;
};
[[nodiscard]] std::vector<Block> parse_script(const std::string& text);
[[nodiscard]] std::string format_script(const std::vector<Block>& blocks);
// What each block prints, in order. An unknown command prints so.
[[nodiscard]] std::vector<std::vector<std::string>> run_script(const std::vector<Block>& blocks);

}  // namespace redraft::raft::testing
