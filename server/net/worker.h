#pragma once

#include <pthread.h>
#include <uv.h>

#include <chrono>
#include <condition_variable>
#include <functional>
#include <iterator>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "server/net/handle.h"

namespace redraft::net {

// A thread that waits for the disk so that the loop need not. Values go in, values come out, nothing else is shared.
// What gathers while the thread is busy is handed to it together, so the records of a whole sync share the next one
// (the idea of RedisLabs/redisraft:src/fsync.c).
//
// `post`, `take` and the destructor belong to the loop's thread. The destructor lets the thread finish what was posted.
template <class In, class Out>
class Worker {
 public:
  // Given to `run`: posts results to the loop. May be used several times for one set of inputs.
  class Results {
   public:
    explicit Results(Worker& worker) : worker_(worker) {}
    void post(std::vector<Out>&& results) { worker_.post_results(std::move(results)); }

   private:
    Worker& worker_;
  };
  // When to run again with no inputs if none are posted before; nothing: only when some are.
  using Again = std::optional<std::chrono::microseconds>;
  // On the thread, with everything that was posted since its last call, in order. Throws nothing.
  using Run = std::function<Again(std::vector<In>&&, Results&)>;

  // `name` is shown by ps -T and debuggers; at most 15 characters.
  Worker(uv_loop_t* loop, const std::string& name, Run run) : run_(std::move(run)) {
    async_ = make_handle<uv_async_t>(this, [loop](uv_async_t* async) {
      return uv_async_init(loop, async, [](uv_async_t* signalled) {
        if (auto* self = static_cast<Worker*>(signalled->data)) self->ready_ = true;
      });
    });
    thread_ = std::thread([this] { work(); });
    pthread_setname_np(thread_.native_handle(), name.c_str());
  }
  ~Worker() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_one();
    thread_.join();
  }
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // Leaves `inputs` empty, with its memory, for the next turn.
  void post(std::vector<In>& inputs) {
    bool wake = false;
    {
      const std::lock_guard lock(mutex_);
      inputs_.insert(inputs_.end(), std::make_move_iterator(inputs.begin()), std::make_move_iterator(inputs.end()));
      wake = std::exchange(idle_, false);
    }
    inputs.clear();
    if (wake) wake_.notify_one();  // a busy thread looks by itself: no system call
  }

  // `run` is called once more though nothing is posted, to look after its own affairs.
  void poke() {
    {
      const std::lock_guard lock(mutex_);
      poked_ = true;
      idle_ = false;
    }
    wake_.notify_one();
  }

  // Results are there: set while the loop runs, cleared by `take`.
  [[nodiscard]] bool ready() const { return ready_; }
  [[nodiscard]] std::vector<Out> take() {
    ready_ = false;
    const std::lock_guard lock(mutex_);
    return std::exchange(results_, {});
  }

 private:
  void work() {
    Results results(*this);
    Again again;
    std::unique_lock lock(mutex_);
    for (;;) {
      while (inputs_.empty() && !std::exchange(poked_, false)) {
        if (stopping_) return;
        idle_ = true;
        if (!again) {
          wake_.wait(lock);
        } else if (wake_.wait_for(lock, *again) == std::cv_status::timeout) {
          break;
        }
      }
      idle_ = false;
      std::vector<In> inputs = std::exchange(inputs_, {});
      lock.unlock();
      again = run_(std::move(inputs), results);
      lock.lock();
    }
  }

  void post_results(std::vector<Out>&& results) {
    bool signal = false;
    {
      const std::lock_guard lock(mutex_);
      signal = results_.empty();  // else the loop has been told and has not come yet
      results_.insert(results_.end(), std::make_move_iterator(results.begin()), std::make_move_iterator(results.end()));
    }
    if (signal) uv_async_send(async_.get());
  }

  Run run_;
  bool ready_ = false;  // of the loop's thread
  UniqueHandle<uv_async_t> async_;

  std::mutex mutex_;  // guards what follows, up to the thread
  std::condition_variable wake_;
  std::vector<In> inputs_;
  std::vector<Out> results_;
  bool idle_ = false;  // the thread waits and must be woken
  bool stopping_ = false;
  bool poked_ = false;

  std::thread thread_;
};

}  // namespace redraft::net
