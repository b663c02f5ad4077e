#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "resp/reply_reader.h"

namespace redraft::sim {

inline constexpr std::uint64_t kNever = std::numeric_limits<std::uint64_t>::max();

using Command = std::vector<std::string>;
[[nodiscard]] std::string encode(const Command& command);
// For messages: long arguments are cut short.
[[nodiscard]] std::string to_text(const Command& command);

// What a client knows of a command.
enum class Fate : std::uint8_t {
  kDone,     // executed, and this is the reply
  kRefused,  // certainly not executed: MOVED, CLUSTERDOWN, LOADING, or never sent
  kUnknown,  // INDOUBT, or the connection ended first
};

// One command as it went over a connection, and what came back.
struct Operation {
  Command command;
  std::uint64_t client = 0;
  std::uint64_t begin_us = 0;
  std::uint64_t end_us = kNever;
  Fate fate = Fate::kUnknown;
  resp::Reply reply = {};
};

}  // namespace redraft::sim
