#include "server/net/listen_address.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <uv.h>

#include <array>
#include <cstring>
#include <memory>

namespace redraft::net {

Result<ListenAddress> parse_listen_address(std::string_view word, std::uint16_t port) {
  ListenAddress result;
  if (word.starts_with('-')) {
    result.optional = true;
    word.remove_prefix(1);
  }
  result.text = std::string(word);
  std::string numeric = result.text;
  if (word == "*") numeric = "0.0.0.0";
  if (word == "::*") numeric = "::";
  auto* v4 = reinterpret_cast<sockaddr_in*>(&result.address);
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&result.address);
  if (numeric.find(':') != std::string::npos) {
    if (uv_ip6_addr(numeric.c_str(), port, v6) != 0) {
      return Error{ErrorCode::kInvalid, "'" + result.text + "' is not an address to bind to"};
    }
    result.bind_flags = UV_TCP_IPV6ONLY;
    return result;
  }
  if (uv_ip4_addr(numeric.c_str(), port, v4) == 0) return result;
  addrinfo hints{};
  hints.ai_family = AF_INET;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int failed = getaddrinfo(numeric.c_str(), nullptr, &hints, &found); failed != 0) {
    return Error{ErrorCode::kInvalid, "'" + result.text + "' cannot be resolved: " + gai_strerror(failed)};
  }
  std::memcpy(v4, found->ai_addr, sizeof(sockaddr_in));
  v4->sin_port = htons(port);
  freeaddrinfo(found);
  return result;
}

bool address_is_missing(int uv_error) {
  return uv_error == UV_EADDRNOTAVAIL || uv_error == UV_EAFNOSUPPORT || uv_error == UV_EPROTONOSUPPORT ||
         uv_error == UV_ENOPROTOOPT || uv_error == UV_EINVAL;  // EINVAL: what libuv makes of EAFNOSUPPORT
}

std::string format_address(const sockaddr_storage& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (address.ss_family == AF_INET6) {
    const auto* v6 = reinterpret_cast<const sockaddr_in6*>(&address);
    uv_ip6_name(v6, text.data(), text.size());
    return "[" + std::string(text.data()) + "]:" + std::to_string(ntohs(v6->sin6_port));
  }
  const auto* v4 = reinterpret_cast<const sockaddr_in*>(&address);
  uv_ip4_name(v4, text.data(), text.size());
  return std::string(text.data()) + ":" + std::to_string(ntohs(v4->sin_port));
}

bool is_loopback(const sockaddr_storage& address) {
  if (address.ss_family == AF_INET6) {
    return IN6_IS_ADDR_LOOPBACK(&reinterpret_cast<const sockaddr_in6*>(&address)->sin6_addr) != 0;
  }
  return (ntohl(reinterpret_cast<const sockaddr_in*>(&address)->sin_addr.s_addr) >> 24) == IN_LOOPBACKNET;
}

}  // namespace redraft::net
