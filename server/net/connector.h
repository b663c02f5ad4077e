#pragma once

#include <uv.h>

#include <cstdint>
#include <functional>
#include <string>

#include "server/net/handle.h"

namespace redraft::net {

// One attempt to connect to a host by TCP: resolves its name where it is one, and connects. It has no patience of its
// own: whoever has waited long enough destroys it.
class Connector {
 public:
  // Called once, by the loop and never by `start`: 0 and the socket, or libuv's error and none. May destroy the
  // Connector. Not called any more once that is gone.
  using Done = std::function<void(int status, UniqueStream)>;

  Connector(uv_loop_t* loop, Done done) : loop_(loop), done_(std::move(done)) {}
  ~Connector();
  Connector(const Connector&) = delete;
  Connector& operator=(const Connector&) = delete;

  // 0, or libuv's error: then that was all.
  [[nodiscard]] int start(const std::string& host, std::uint16_t port);
  // The host's name led to an address.
  [[nodiscard]] bool resolved() const { return resolved_; }

 private:
  struct Resolve;
  struct Connect;

  [[nodiscard]] int connect(const sockaddr* to);
  void resolve_done(int status, const addrinfo* found);
  void finish(int status);

  uv_loop_t* loop_;
  Done done_;
  Resolve* resolve_ = nullptr;  // frees itself; told when nobody waits for it any more
  UniqueStream socket_;         // while connecting
  bool resolved_ = false;
};

}  // namespace redraft::net
