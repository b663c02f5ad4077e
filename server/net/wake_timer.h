#pragma once

#include <uv.h>

#include <cstdint>
#include <functional>

#include "server/net/handle.h"

namespace redraft::net {

// Wakes a loop at a time in microseconds. libuv's own timers count whole milliseconds of a clock that stands still in
// suspend; a batch closes 1 ms after the last one, and half of that error would be too much.
//
// A deadline that moves away leaves the kernel's timer as it is: the loop wakes once for nothing and sets it then. So a
// busy node, whose deadline moves with every batch, pays at most one system call per expiry and not one per turn.
class WakeTimer {
 public:
  // `expired` runs on the loop's thread and ends with an `arm`, which is also what clears the expiry.
  WakeTimer(uv_loop_t* loop, std::function<void()> expired);
  ~WakeTimer();
  WakeTimer(const WakeTimer&) = delete;
  WakeTimer& operator=(const WakeTimer&) = delete;

  // Wake no later than `at_us` (CLOCK_BOOTTIME).
  void arm(std::uint64_t at_us);

 private:
  int fd_;
  std::uint64_t armed_us_ = 0;  // what the kernel knows; 0: nothing, or it has expired
  std::function<void()> expired_;
  UniqueHandle<uv_poll_t> poll_;
};

}  // namespace redraft::net
