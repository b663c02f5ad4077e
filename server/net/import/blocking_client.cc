#include "server/net/import/blocking_client.h"

#include <netdb.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace redraft::net {
namespace {

constexpr time_t kTimeout_s = 30;
constexpr std::size_t kReadSize = std::size_t{64} << 10;

}  // namespace

Result<ServerAddress> ServerAddress::parse(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0 || colon + 1 == text.size()) {
    return Error{ErrorCode::kInvalid, "an address is host:port, not '" + std::string(text) + "'"};
  }
  return ServerAddress{std::string(text.substr(0, colon)), std::string(text.substr(colon + 1))};
}

Error BlockingClient::broken(std::string_view what) {
  close();
  return {ErrorCode::kIo, std::string(what)};
}

void BlockingClient::close() {
  if (socket_ >= 0) ::close(socket_);
  socket_ = -1;
  input_.clear();
}

Status BlockingClient::connect(const ServerAddress& address) {
  close();
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int code = getaddrinfo(address.host.c_str(), address.port.c_str(), &hints, &found); code != 0) {
    return Error{ErrorCode::kNotFound, address.host + ": " + gai_strerror(code)};
  }
  int last_error = 0;
  for (const addrinfo* one = found; one != nullptr && socket_ < 0; one = one->ai_next) {
    socket_ = ::socket(one->ai_family, one->ai_socktype | SOCK_CLOEXEC, one->ai_protocol);
    if (socket_ < 0) continue;
    const timeval timeout{.tv_sec = kTimeout_s, .tv_usec = 0};
    setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
    setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout);
    if (::connect(socket_, one->ai_addr, one->ai_addrlen) == 0) break;
    last_error = errno;
    close();
  }
  freeaddrinfo(found);
  if (socket_ >= 0) return Done{};
  return Error{ErrorCode::kIo, address.host + ":" + address.port + ": " + std::strerror(last_error)};
}

Status BlockingClient::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return broken("the connection broke while sending");
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return Done{};
}

Result<resp::Reply> BlockingClient::receive() {
  for (;;) {
    resp::ReplyRead read = resp::read_reply(input_);
    if (read.outcome == resp::ReplyRead::Outcome::kReply) {
      input_.erase(0, read.consumed);
      return std::move(read.reply);
    }
    if (read.outcome == resp::ReplyRead::Outcome::kError) return broken("this is no RESP: " + read.error);
    const std::size_t before = input_.size();
    input_.resize(before + kReadSize);
    const ssize_t got = ::recv(socket_, input_.data() + before, kReadSize, 0);
    input_.resize(before + (got > 0 ? static_cast<std::size_t>(got) : 0));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return broken("the connection broke while waiting for a reply");
  }
}

}  // namespace redraft::net
