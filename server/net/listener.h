#pragma once

#include <uv.h>

#include <cstdint>
#include <functional>
#include <string>

#include "base/result.h"
#include "server/net/handle.h"
#include "server/net/listen_address.h"

namespace redraft::net {

// One listening socket. `accepted` gets every connection as a stream of its own, ready for reading; it may throw
// nothing. Running out of descriptors closes what waits in the backlog instead of spinning (libuv keeps one in
// reserve).
class Listener {
 public:
  using Accepted = std::function<void(UniqueStream)>;

  static Result<std::unique_ptr<Listener>> tcp(uv_loop_t* loop, const ListenAddress& address, std::uint32_t backlog,
                                               Accepted accepted);
  // Replaces a socket left behind at `path`. `permissions` 0: as the umask makes it.
  static Result<std::unique_ptr<Listener>> unix_socket(uv_loop_t* loop, const std::string& path,
                                                       std::uint32_t permissions, std::uint32_t backlog,
                                                       Accepted accepted);
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  // Outside the loop's run (busy_clients.h): everything that waits in the backlog, at once.
  void accept_now();
  [[nodiscard]] int descriptor() const;
  [[nodiscard]] uv_stream_t* stream() { return &handle_->stream; }

 private:
  Listener(uv_loop_t* loop, bool unix_socket, Accepted accepted);
  [[nodiscard]] int listen(std::uint32_t backlog);
  void accept(int status);

  uv_loop_t* loop_;
  bool unix_socket_;
  Accepted accepted_;
  UniqueStream handle_;
  std::string path_;  // to be removed at the end
};

// An unconnected stream of the loop.
[[nodiscard]] UniqueStream make_stream(uv_loop_t* loop, bool unix_socket);

// What every TCP connection of the server gets: no delay, and probes after `keepalive_s` (0: none) as Redis sends them.
void tune_tcp(int fd, std::uint32_t keepalive_s);

}  // namespace redraft::net
