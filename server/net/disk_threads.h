#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <vector>

#include "base/result.h"
#include "server/net/exit_status.h"
#include "server/replica/storage.h"

namespace redraft::net {

// What the log's disk thread does with the requests that gathered, and when it has something to do of its own. The
// loop's thread may do a request itself while that thread has none.
class LogWork {
 public:
  using Again = std::optional<std::chrono::microseconds>;

  explicit LogWork(replica::Storage& storage) : storage_(storage) {}

  // `requests` empty: nothing came for the time asked for. `post` gets what is done. Ends the process when the storage
  // says so: after a failed write or sync nobody knows what is on disk (storage-faults rows 5, 6), and no other code
  // may run that could acknowledge anything.
  [[nodiscard]] Again run(std::vector<replica::DiskRequest>&& requests,
                          const std::function<void(std::vector<replica::DiskDone>&&)>& post);

  // For the thread that has the loop, when everything that was given to `run` is done: keeps the log's thread out,
  // unless that is at the log's upkeep. Then `execute` does the requests as `run` would, and dies as `run` does.
  [[nodiscard]] std::unique_lock<std::mutex> try_enter() { return std::unique_lock(mutex_, std::try_to_lock); }
  [[nodiscard]] std::vector<replica::DiskDone> execute(std::vector<replica::DiskRequest>&& requests);
  // How long `execute` took of late, on any thread. May be asked at any time.
  [[nodiscard]] std::chrono::microseconds usual_time() const {
    return std::chrono::microseconds(usual_time_us_.load(std::memory_order_relaxed));
  }
  // After that: `run` should be called once with nothing, since there is upkeep or requests wait for room.
  [[nodiscard]] bool wants_run();

 private:
  std::mutex mutex_;  // guards what follows; held as long as the disk works
  replica::Storage& storage_;
  std::chrono::steady_clock::time_point upkeep_at_{};
  bool upkeep_done_ = false;
  bool quiet_ = true;     // nothing was asked since `run` looked last
  bool sleeping_ = true;  // `run` comes only with requests

  std::atomic<std::int64_t> usual_time_us_ = 0;
};

// Ends the process with one line in the log.
[[noreturn]] void die_of_storage(const Error& error, ExitStatus status);
// The status for an error of opening or loading the data directory.
[[nodiscard]] ExitStatus status_of_start(const Error& error);

}  // namespace redraft::net
