#include "server/net/dialer.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <memory>
#include <string>
#include <utility>

#include "server/net/listener.h"

namespace redraft::net {
namespace {

constexpr std::uint64_t kNever = std::numeric_limits<std::uint64_t>::max();
constexpr std::uint64_t kFirstRetryMax_us = 10'000;

}  // namespace

// Both requests outlive the dialer when it goes first; libuv hands them back in the end.
struct Dialer::Resolve {
  uv_getaddrinfo_t request{};
  Dialer* dialer = nullptr;
};
struct Dialer::Connect {
  uv_connect_t request{};
};

Dialer::Dialer(uv_loop_t* loop, replica::PeerAddress address, replica::Lane lane, std::uint64_t now_us,
               const Events& events)
    : loop_(loop), address_(std::move(address)), lane_(lane), events_(events), now_us_(now_us), deadline_us_(now_us) {}

Dialer::~Dialer() {
  if (resolve_ == nullptr) return;
  resolve_->dialer = nullptr;
  uv_cancel(reinterpret_cast<uv_req_t*>(&resolve_->request));
}

bool Dialer::advance(std::uint64_t now_us) {
  now_us_ = now_us;
  if (now_us < deadline_us_) return false;
  if (state_ == State::kWaiting) {
    start();
  } else {
    fail(UV_ETIMEDOUT);
  }
  return true;
}

void Dialer::start() {
  deadline_us_ = now_us_ + kAttemptMax_us;
  sockaddr_storage to{};
  if (uv_ip4_addr(address_.host.c_str(), address_.peer_port, reinterpret_cast<sockaddr_in*>(&to)) == 0 ||
      uv_ip6_addr(address_.host.c_str(), address_.peer_port, reinterpret_cast<sockaddr_in6*>(&to)) == 0) {
    connect(reinterpret_cast<const sockaddr*>(&to));
    return;
  }
  auto resolve = std::make_unique<Resolve>();
  resolve->dialer = this;
  resolve->request.data = resolve.get();
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  const std::string service = std::to_string(address_.peer_port);
  const int result = uv_getaddrinfo(
      loop_, &resolve->request,
      [](uv_getaddrinfo_t* request, int status, addrinfo* found) {
        const std::unique_ptr<Resolve> done(static_cast<Resolve*>(request->data));
        if (done->dialer != nullptr) done->dialer->resolved(status, found);
        uv_freeaddrinfo(found);
      },
      address_.host.c_str(), service.c_str(), &hints);
  if (result != 0) {
    fail(result);
    return;
  }
  resolve_ = resolve.release();
  state_ = State::kResolving;
}

void Dialer::resolved(int status, const addrinfo* found) {
  resolve_ = nullptr;
  if (state_ != State::kResolving) return;
  if (status != 0) {
    fail(status);
  } else {
    connect(found->ai_addr);
  }
}

void Dialer::connect(const sockaddr* to) {
  state_ = State::kConnecting;
  socket_ = make_stream(loop_, false);
  socket_->handle.data = this;
  auto connect = std::make_unique<Connect>();
  connect->request.data = connect.get();
  const int result = uv_tcp_connect(&connect->request, &socket_->tcp, to, [](uv_connect_t* request, int outcome) {
    const std::unique_ptr<Connect> done(static_cast<Connect*>(request->data));
    if (auto* self = static_cast<Dialer*>(request->handle->data)) self->finished(outcome);
  });
  if (result != 0) {
    fail(result);
    return;
  }
  static_cast<void>(connect.release());
}

void Dialer::finished(int status) {
  if (status != 0) {
    fail(status);
    return;
  }
  state_ = State::kConnected;
  deadline_us_ = kNever;
  connected_us_ = now_us_;
  UniqueStream socket = std::move(socket_);
  socket->handle.data = nullptr;
  events_.connected(*this, std::move(socket));
}

void Dialer::fail(int status) {
  socket_.reset();
  if (resolve_ != nullptr) {
    resolve_->dialer = nullptr;
    uv_cancel(reinterpret_cast<uv_req_t*>(&resolve_->request));
    resolve_ = nullptr;
  }
  wait(backoff_us_);
  backoff_us_ = std::min(backoff_us_ * 2, kBackoffMax_us);
  events_.failed(*this, status == UV_ECONNREFUSED);
}

void Dialer::disconnected(std::uint64_t now_us) {
  now_us_ = now_us;
  if (now_us - connected_us_ >= kStableAfter_us) {
    backoff_us_ = kBackoffMin_us;
    wait(kFirstRetryMax_us);
    return;
  }
  wait(backoff_us_);
  backoff_us_ = std::min(backoff_us_ * 2, kBackoffMax_us);
}

void Dialer::wait(std::uint64_t longest_us) {
  std::array<char, sizeof(std::uint64_t)> bytes{};
  events_.random_bytes(bytes);
  std::uint64_t random = 0;
  std::memcpy(&random, bytes.data(), bytes.size());
  state_ = State::kWaiting;
  deadline_us_ = now_us_ + longest_us / 2 + random % (longest_us / 2);
}

}  // namespace redraft::net
