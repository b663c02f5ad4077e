#include "server/net/connector.h"

#include <memory>
#include <utility>

#include "server/net/listener.h"

namespace redraft::net {

// Both requests outlive the connector when it goes first; libuv hands them back in the end.
struct Connector::Resolve {
  uv_getaddrinfo_t request{};
  Connector* connector = nullptr;
};
struct Connector::Connect {
  uv_connect_t request{};
};

Connector::~Connector() {
  if (resolve_ == nullptr) return;
  resolve_->connector = nullptr;
  uv_cancel(reinterpret_cast<uv_req_t*>(&resolve_->request));
}

int Connector::start(const std::string& host, std::uint16_t port) {
  sockaddr_storage to{};
  if (uv_ip4_addr(host.c_str(), port, reinterpret_cast<sockaddr_in*>(&to)) == 0 ||
      uv_ip6_addr(host.c_str(), port, reinterpret_cast<sockaddr_in6*>(&to)) == 0) {
    return connect(reinterpret_cast<const sockaddr*>(&to));
  }
  auto resolve = std::make_unique<Resolve>();
  resolve->connector = this;
  resolve->request.data = resolve.get();
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  const std::string service = std::to_string(port);
  const int result = uv_getaddrinfo(
      loop_, &resolve->request,
      [](uv_getaddrinfo_t* request, int status, addrinfo* found) {
        const std::unique_ptr<Resolve> done(static_cast<Resolve*>(request->data));
        if (done->connector != nullptr) done->connector->resolve_done(status, found);
        uv_freeaddrinfo(found);
      },
      host.c_str(), service.c_str(), &hints);
  if (result == 0) resolve_ = resolve.release();
  return result;
}

void Connector::resolve_done(int status, const addrinfo* found) {
  resolve_ = nullptr;
  if (status == 0) status = connect(found->ai_addr);
  if (status != 0) finish(status);
}

int Connector::connect(const sockaddr* to) {
  resolved_ = true;
  socket_ = make_stream(loop_, false);
  socket_->handle.data = this;
  auto connect = std::make_unique<Connect>();
  connect->request.data = connect.get();
  const int result = uv_tcp_connect(&connect->request, &socket_->tcp, to, [](uv_connect_t* request, int status) {
    const std::unique_ptr<Connect> done(static_cast<Connect*>(request->data));
    if (auto* self = static_cast<Connector*>(request->handle->data)) self->finish(status);
  });
  if (result == 0) static_cast<void>(connect.release());
  return result;
}

void Connector::finish(int status) {
  const Done done = std::move(done_);
  UniqueStream socket = std::move(socket_);
  if (socket != nullptr) socket->handle.data = nullptr;
  if (status != 0) socket.reset();
  done(status, std::move(socket));  // `this` may be gone
}

}  // namespace redraft::net
