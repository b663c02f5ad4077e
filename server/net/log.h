#pragma once

#include <string>

#include "base/result.h"

namespace redraft::net {

// What a line of the log says about the node after its process id, as in Redis: X while it loads or has no term yet, S
// for a follower, M for the leader.
enum class LogRole : char { kStarting = 'X', kFollower = 'S', kLeader = 'M' };

// Makes spdlog's default logger append to `file` (empty: standard output) in Redis's format:
//
//     <pid>:<role> <day> <month> <year> <time> <level> <message>
//
// redis.conf has four levels, with these marks: debug "." (spdlog's trace), verbose "-" (debug), notice "*" (info) and
// warning "#" (warn and above). Every line is written through at once. Thread-safe, as all threads log.
[[nodiscard]] Status start_log(const std::string& file, const std::string& level);

// `level` is a value of the directive `loglevel`.
void set_log_level(const std::string& level);
void set_log_role(LogRole role);

}  // namespace redraft::net
