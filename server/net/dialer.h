#pragma once

#include <uv.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <span>

#include "server/net/connector.h"
#include "server/net/handle.h"
#include "server/replica/host.h"

namespace redraft::net {

// Keeps trying to have one connection to one peer for one lane: resolves the name, connects, and after a failure or a
// lost link tries again with exponential backoff and jitter, so that nodes that lost a peer together do not return to
// it together. Time comes in with `advance`; nothing happens by itself but the completion of an attempt.
class Dialer {
 public:
  struct Events {
    std::function<void(Dialer&, UniqueStream)> connected;
    std::function<void(Dialer&, bool refused)> failed;
    std::function<void(std::span<char>)> random_bytes;
  };
  static constexpr std::uint64_t kBackoffMin_us = 20'000;
  static constexpr std::uint64_t kBackoffMax_us = 500'000;
  static constexpr std::uint64_t kAttemptMax_us = 1'000'000;
  // A link that lived shorter counts as a failed attempt: the peer refuses us in its own words.
  static constexpr std::uint64_t kStableAfter_us = 1'000'000;

  Dialer(uv_loop_t* loop, replica::PeerAddress address, replica::Lane lane, std::uint64_t now_us, const Events& events);
  Dialer(const Dialer&) = delete;
  Dialer& operator=(const Dialer&) = delete;

  [[nodiscard]] const replica::PeerAddress& address() const { return address_; }
  [[nodiscard]] replica::Lane lane() const { return lane_; }

  // When `advance` has something to do; the largest value while connected.
  [[nodiscard]] std::uint64_t deadline_us() const { return deadline_us_; }
  // Starts an attempt, or gives one up. True when it did: the loop must run once for it.
  bool advance(std::uint64_t now_us);
  // The link made from `connected` is gone. The first attempt after a stable link comes almost at once: whether a
  // process still listens there decides an early election.
  void disconnected(std::uint64_t now_us);

 private:
  enum class State : std::uint8_t { kWaiting, kConnecting, kConnected };

  void start();
  void finished(int status, UniqueStream socket);
  void fail(int status);
  void wait(std::uint64_t longest_us);

  uv_loop_t* loop_;
  replica::PeerAddress address_;
  replica::Lane lane_;
  const Events& events_;
  State state_ = State::kWaiting;
  std::uint64_t now_us_;
  std::uint64_t deadline_us_;
  std::uint64_t connected_us_ = 0;
  std::uint64_t backoff_us_ = kBackoffMin_us;
  std::optional<Connector> attempt_;  // while connecting
};

}  // namespace redraft::net
