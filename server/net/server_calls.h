#pragma once

#include <uv.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>

#include "server/net/kept_sockets.h"
#include "server/replica/server_call.h"

namespace redraft::net {

// The calls of other servers that the replica asks for (MIGRATE), each on a connection of its own, which is kept for a
// while for the next call that goes there with the same login. Lives on a loop's thread; nothing in here waits.
class ServerCalls {
 public:
  // From the loop, once for each call, never from inside `call`.
  using Done = std::function<void(replica::ServerCallDone)>;

  ServerCalls(uv_loop_t* loop, Done done, std::uint64_t keep_ms = KeptSockets::kIdle_ms);
  ~ServerCalls();
  ServerCalls(const ServerCalls&) = delete;
  ServerCalls& operator=(const ServerCalls&) = delete;

  void call(replica::ServerCall call);
  // Connections without a call.
  [[nodiscard]] std::size_t kept() const { return sockets_.count(); }

 private:
  class Call;
  void finish(std::uint64_t id, replica::ServerCallDone::End end);

  uv_loop_t* loop_;
  Done done_;
  KeptSockets sockets_;
  std::map<std::uint64_t, std::unique_ptr<Call>> calls_;
};

}  // namespace redraft::net
