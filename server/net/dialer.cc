#include "server/net/dialer.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <utility>

namespace redraft::net {
namespace {

constexpr std::uint64_t kNever = std::numeric_limits<std::uint64_t>::max();
constexpr std::uint64_t kFirstRetryMax_us = 10'000;

}  // namespace

Dialer::Dialer(uv_loop_t* loop, replica::PeerAddress address, replica::Lane lane, std::uint64_t now_us,
               const Events& events)
    : loop_(loop), address_(std::move(address)), lane_(lane), events_(events), now_us_(now_us), deadline_us_(now_us) {}

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
  state_ = State::kConnecting;
  attempt_.emplace(loop_, [this](int status, UniqueStream socket) { finished(status, std::move(socket)); });
  if (const int result = attempt_->start(address_.host, address_.peer_port); result != 0) fail(result);
}

void Dialer::finished(int status, UniqueStream socket) {
  if (status != 0) {
    fail(status);
    return;
  }
  attempt_.reset();
  state_ = State::kConnected;
  deadline_us_ = kNever;
  connected_us_ = now_us_;
  events_.connected(*this, std::move(socket));
}

void Dialer::fail(int status) {
  attempt_.reset();
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
