#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace redraft::net {

// One word of the directive `bind`, with a port: "127.0.0.1", "*" (every IPv4 address), "::*" (every IPv6 address),
// "::1", or a name; "-" in front: it is no error when the machine has no such address (redis.conf, "bind").
struct ListenAddress {
  std::string text;  // as configured, without "-"
  bool optional = false;
  sockaddr_storage address{};
  unsigned bind_flags = 0;  // of uv_tcp_bind: an IPv6 socket never takes IPv4 connections, as in Redis
};

// Names are resolved here and now, so only at start.
[[nodiscard]] Result<ListenAddress> parse_listen_address(std::string_view word, std::uint16_t port);

// Errors that an optional address may have: the machine does not speak the protocol or lacks the address.
[[nodiscard]] bool address_is_missing(int uv_error);

// "127.0.0.1:6379" or "[::1]:6379", as Redis shows addresses.
[[nodiscard]] std::string format_address(const sockaddr_storage& address);
[[nodiscard]] bool is_loopback(const sockaddr_storage& address);

}  // namespace redraft::net
