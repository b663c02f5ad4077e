#include "server/net/wake_timer.h"

#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

namespace redraft::net {

WakeTimer::WakeTimer(uv_loop_t* loop, std::function<void()> expired)
    : fd_(timerfd_create(CLOCK_BOOTTIME, TFD_NONBLOCK | TFD_CLOEXEC)), expired_(std::move(expired)) {
  ensure(fd_ >= 0, "the kernel gave a timer");
  poll_ = make_handle<uv_poll_t>(this, [&](uv_poll_t* poll) { return uv_poll_init(loop, poll, fd_); });
  uv_poll_start(poll_.get(), UV_READABLE, [](uv_poll_t* poll, int, int) {
    auto* self = static_cast<WakeTimer*>(poll->data);
    if (self == nullptr) return;
    self->armed_us_ = 0;
    self->expired_();
  });
}

WakeTimer::~WakeTimer() {
  uv_poll_stop(poll_.get());  // the descriptor leaves the loop before it is closed
  poll_.reset();
  close(fd_);
}

void WakeTimer::arm(std::uint64_t at_us) {
  if (armed_us_ != 0 && armed_us_ <= at_us) return;
  at_us = std::max<std::uint64_t>(at_us, 1);  // all zero would disarm; the past fires at once
  itimerspec when{};
  when.it_value.tv_sec = static_cast<time_t>(at_us / 1000000);
  when.it_value.tv_nsec = static_cast<long>(at_us % 1000000) * 1000;
  ensure(timerfd_settime(fd_, TFD_TIMER_ABSTIME, &when, nullptr) == 0, "the kernel takes a deadline");
  armed_us_ = at_us;
}

}  // namespace redraft::net
