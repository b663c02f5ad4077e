#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"

namespace redraft::net {

// Goes to the background as redis-server does: a child in a session of its own, standard streams on /dev/null. Before
// any thread or loop exists.
[[nodiscard]] Status daemonize();

// Written at start, removed at the end. A file that cannot be written is a warning and no reason not to serve.
class PidFile {
 public:
  // Empty `path`: none.
  explicit PidFile(std::string path);
  ~PidFile();
  PidFile(const PidFile&) = delete;
  PidFile& operator=(const PidFile&) = delete;

 private:
  std::string path_;
};

// Raises RLIMIT_NOFILE so that `maxclients` connections fit beside our own files, and returns how many fit: fewer when
// the hard limit forbids it. An error when not even one would.
[[nodiscard]] Result<std::uint32_t> raise_descriptor_limit(std::uint32_t maxclients);

// SIGPIPE and SIGHUP end nothing: a write to a closed socket is an error like others, and a lost terminal is none.
void ignore_signals();

}  // namespace redraft::net
