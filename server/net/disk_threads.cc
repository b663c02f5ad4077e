#include "server/net/disk_threads.h"

#include <spdlog/spdlog.h>
#include <unistd.h>

#include <utility>

namespace redraft::net {
namespace {

using std::chrono::microseconds;

// The log's own upkeep (the next segment, the mark of what is durable) waits for a quiet moment, but not for ever:
// under load it gets a slice as often as the log fills, so that a segment is ready before it is needed.
constexpr microseconds kQuiet{5'000};
constexpr microseconds kUpkeepInterval{5'000};
constexpr microseconds kUpkeepDoneInterval{200'000};
constexpr std::int64_t kUsualShare = 8;  // a new time counts an eighth of what is usual
constexpr microseconds kNoSpaceRetry{200'000};
constexpr microseconds kReserveRetry{500'000};

}  // namespace

void die_of_storage(const Error& error, ExitStatus status) {
  spdlog::critical("{}", error.message);
  spdlog::default_logger_raw()->flush();
  _exit(static_cast<int>(status));
}

ExitStatus status_of_start(const Error& error) {
  switch (error.code) {
    case ErrorCode::kCorrupt:
      return ExitStatus::kDirectoryCorrupt;
    case ErrorCode::kInUse:
    case ErrorCode::kUnsupported:
    case ErrorCode::kInvalid:
      return ExitStatus::kDirectoryRefused;
    case ErrorCode::kNoSpace:
    case ErrorCode::kIo:
    case ErrorCode::kNotFound:
      break;
  }
  return ExitStatus::kDirectoryUnavailable;
}

namespace {

template <class Outcome>
void die_unless_ok(const Outcome& outcome) {
  if (outcome.ok()) return;
  const bool corrupt = outcome.error().code == ErrorCode::kCorrupt;
  die_of_storage(outcome.error(), corrupt ? ExitStatus::kDirectoryCorrupt : ExitStatus::kDiskFailed);
}

}  // namespace

std::vector<replica::DiskDone> LogWork::execute(std::vector<replica::DiskRequest>&& requests) {
  if (!requests.empty()) {
    upkeep_done_ = false;
    quiet_ = false;
  }
  const auto begun = std::chrono::steady_clock::now();
  Result<std::vector<replica::DiskDone>> done = storage_.execute(std::move(requests));
  die_unless_ok(done);
  const auto took = std::chrono::duration_cast<microseconds>(std::chrono::steady_clock::now() - begun);
  usual_time_us_.store(usual_time().count() + (took - usual_time()).count() / kUsualShare, std::memory_order_relaxed);
  return std::move(*done);
}

LogWork::Again LogWork::run(std::vector<replica::DiskRequest>&& requests,
                            const std::function<void(std::vector<replica::DiskDone>&&)>& post) {
  const std::lock_guard lock(mutex_);
  const bool asked = !requests.empty();
  if (asked || storage_.stalled()) {
    std::vector<replica::DiskDone> done = execute(std::move(requests));
    if (!done.empty()) post(std::move(done));
    if (storage_.stalled()) return kNoSpaceRetry;
  }
  sleeping_ = !asked && upkeep_done_ && !storage_.reserve_spent();
  if (sleeping_) return std::nullopt;
  const auto now = std::chrono::steady_clock::now();
  const bool quiet = std::exchange(quiet_, true);
  const bool wanted = quiet || storage_.reserve_spent() || storage_.upkeep_is_late();
  if (!wanted || now < upkeep_at_) return kQuiet;
  const Result<bool> done = storage_.idle();
  die_unless_ok(done);
  if (std::optional<replica::DiskDone> news = storage_.space_news()) {
    std::vector<replica::DiskDone> told;
    told.push_back(std::move(*news));
    post(std::move(told));
  }
  upkeep_done_ = *done;
  upkeep_at_ = now + (upkeep_done_ ? kUpkeepDoneInterval : kUpkeepInterval);
  if (storage_.reserve_spent()) return kReserveRetry;
  return kQuiet;
}

bool LogWork::wants_run() {
  const std::unique_lock lock = try_enter();
  return lock.owns_lock() && (sleeping_ || storage_.stalled());
}

}  // namespace redraft::net
