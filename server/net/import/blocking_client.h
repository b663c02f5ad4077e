#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "resp/reply_reader.h"

namespace redraft::net {

struct ServerAddress {
  std::string host;
  std::string port;
  // "host:port", the port behind the last colon; kInvalid otherwise.
  [[nodiscard]] static Result<ServerAddress> parse(std::string_view text);
};

// A connection of a tool that has nothing else to do but wait for it.
class BlockingClient {
 public:
  BlockingClient() = default;
  BlockingClient(const BlockingClient&) = delete;
  BlockingClient& operator=(const BlockingClient&) = delete;
  ~BlockingClient() { close(); }

  [[nodiscard]] Status connect(const ServerAddress& address);
  void close();
  [[nodiscard]] bool connected() const { return socket_ >= 0; }

  // Errors close the connection.
  [[nodiscard]] Status send(std::string_view bytes);
  [[nodiscard]] Result<resp::Reply> receive();

 private:
  [[nodiscard]] Error broken(std::string_view what);

  int socket_ = -1;
  std::string input_;
};

}  // namespace redraft::net
