#include "server/net/loop_relay.h"

#include <pthread.h>

#include <chrono>
#include <thread>

namespace redraft::net {
namespace {

// A sync of a healthy disk is far shorter; peers do not miss a loop for so long (heartbeats come every 100 ms or so).
constexpr std::chrono::milliseconds kPatience{5};

bool is_away(std::uint64_t step) {
  return step % 2 != 0;
}

}  // namespace

void LoopRelay::run() {
  std::thread second([this] { stand_by(); });
  pthread_setname_np(second.native_handle(), "loop");
  serve();
  stand_by();
  second.join();
}

std::uint64_t LoopRelay::leave() {
  const std::uint64_t step = step_.fetch_add(1) + 1;
  // Either this sees that the other thread sleeps, or that one sees the new step before it does.
  if (asleep_.load()) {
    const std::lock_guard lock(mutex_);
    asleep_.store(false);
    changed_.notify_all();
  }
  return step;
}

bool LoopRelay::come_back(std::uint64_t step) {
  return step_.compare_exchange_strong(step, step + 1);
}

void LoopRelay::serve() {
  for (;;) {
    switch (turn_()) {
      case Turn::kGoOn:
        break;
      case Turn::kLost:
        return;
      case Turn::kDone: {
        const std::lock_guard lock(mutex_);
        done_ = true;
        changed_.notify_all();
        return;
      }
    }
  }
}

void LoopRelay::stand_by() {
  std::unique_lock lock(mutex_);
  std::uint64_t seen = step_.load();
  while (!done_) {
    changed_.wait_for(lock, kPatience);
    std::uint64_t step = step_.load();
    if (step != std::exchange(seen, step) || done_) continue;
    if (is_away(step)) {
      lock.unlock();
      if (step_.compare_exchange_strong(step, step + 1)) serve();
      lock.lock();
      continue;
    }
    asleep_.store(true);
    if (step_.load() == step) changed_.wait(lock, [this] { return done_ || !asleep_.load(); });
    asleep_.store(false);
  }
}

}  // namespace redraft::net
