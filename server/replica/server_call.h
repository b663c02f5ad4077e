#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace redraft::replica {

// One conversation with another server of Redis's protocol, for MIGRATE: everything is sent, and so many replies are
// read. The connection may have served an earlier call of the same host, port and login.
struct ServerCall {
  std::uint64_t id = 0;   // names it in its ServerCallDone
  std::string host = {};  // a name or an address
  std::uint16_t port = 0;
  std::uint64_t patience_ms = 0;  // the longest time in which nothing at all happens
  std::string request = {};       // commands, one behind the other
  std::size_t login_size = 0;     // so many of its bytes say who calls, if anybody in particular
  std::size_t replies = 0;        // how many they have
};

struct ServerCallDone {
  enum class End : std::uint8_t { kAnswered, kNoConnection, kNotWritten, kNotRead };
  std::uint64_t id = 0;
  End end = End::kAnswered;
  // The replies that came, in order: what an error says, without its '-', and nothing for any other.
  std::vector<std::string> errors = {};
};

}  // namespace redraft::replica
