#include "server/net/disk_threads.h"

#include <spdlog/spdlog.h>
#include <unistd.h>

#include <utility>

namespace redraft::net {
namespace {

using std::chrono::microseconds;

// The log's own upkeep (the next segment, the mark of what is durable) waits for a quiet moment, but not for ever:
// under load it gets a slice now and then, so that a segment is ready before it is needed.
constexpr microseconds kQuiet{5'000};
constexpr microseconds kUpkeepInterval{20'000};
constexpr microseconds kUpkeepDoneInterval{200'000};
constexpr microseconds kNoSpaceRetry{200'000};

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

LogWork::Again LogWork::run(std::vector<replica::DiskRequest>&& requests,
                            const std::function<void(std::vector<replica::DiskDone>&&)>& post) {
  const auto check = [](const auto& result) {
    if (result.ok()) return;
    const bool corrupt = result.error().code == ErrorCode::kCorrupt;
    die_of_storage(result.error(), corrupt ? ExitStatus::kDirectoryCorrupt : ExitStatus::kDiskFailed);
  };
  const bool asked = !requests.empty();
  if (asked || storage_.stalled()) {
    Result<std::vector<replica::DiskDone>> done = storage_.execute(std::move(requests));
    check(done);
    if (!done->empty()) post(std::move(*done));
    if (storage_.stalled()) return kNoSpaceRetry;
  }
  const auto now = std::chrono::steady_clock::now();
  if (asked) {
    upkeep_done_ = false;
    if (now < upkeep_at_) return kQuiet;
  } else if (upkeep_done_) {
    return std::nullopt;
  }
  const Result<bool> done = storage_.idle();
  check(done);
  upkeep_done_ = *done;
  upkeep_at_ = now + (upkeep_done_ ? kUpkeepDoneInterval : kUpkeepInterval);
  if (upkeep_done_ && !asked) return std::nullopt;
  return kQuiet;
}

}  // namespace redraft::net
