#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <utility>

namespace redraft::net {

// Lets the thread of a loop make a short blocking call itself, at no risk: should the call take longer than a few
// milliseconds, a second thread runs the loop meanwhile. So a small sync costs no hand-over to another thread and back,
// and a disk that stalls holds up nothing but what waits for it. Go's runtime takes a processor back from a thread in a
// system call in the same way (golang/go:src/runtime/proc.go, retake).
//
// One thread at a time has the loop; what the loop owns needs no lock, the relay hands it on with everything in it.
class LoopRelay {
 public:
  enum class Turn : std::uint8_t { kGoOn, kLost, kDone };

  // `turn` runs the loop once. It is called over and over by whoever has the loop, until it answers kDone.
  explicit LoopRelay(std::function<Turn()> turn) : turn_(std::move(turn)) {}
  LoopRelay(const LoopRelay&) = delete;
  LoopRelay& operator=(const LoopRelay&) = delete;

  // On the calling thread and one of its own. Returns when the loop is done and both have left it; a call that still
  // blocks then is waited for.
  void run();

  // Inside `turn`: does `work`, which touches nothing of the loop's. False: it took too long, another thread has the
  // loop now, and `turn` must answer kLost without touching the loop again.
  template <class Work>
  [[nodiscard]] bool away(Work work) {
    const std::uint64_t step = leave();
    work();
    return come_back(step);
  }

 private:
  std::uint64_t leave();
  [[nodiscard]] bool come_back(std::uint64_t step);
  void serve();  // runs turns until the loop is done or lost
  void stand_by();

  std::function<Turn()> turn_;

  // Even: somebody has the loop. Odd: who had it is away. Each change counts on, so that one long absence is told from
  // many short ones.
  std::atomic<std::uint64_t> step_{0};
  std::atomic<bool> asleep_{false};  // the thread that stands by has not seen anybody away for a while

  std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  bool done_ = false;
};

}  // namespace redraft::net
