#include "server/replica/snapshot_pace.h"

#include <algorithm>

namespace redraft::replica {
namespace {

// A slice that is worth its call.
constexpr double kLeast = 2048;
// What copies and turns at full speed took is made up for only so far.
constexpr double kDebtMax = 1 << 20;

}  // namespace

void SnapshotPace::begin(std::uint64_t now_us, std::uint64_t state_bytes) {
  *this = {};
  filled_us_ = now_us;
  worked_us_ = now_us;
  saved_ = double{kSmallSlice};  // a small state is walked at once
  state_bytes_ = static_cast<double>(state_bytes);
}

std::size_t SnapshotPace::allowance(const Moment& moment) {
  const auto elapsed_us = static_cast<double>(moment.now_us - filled_us_);
  filled_us_ = moment.now_us;
  saved_ = std::min(saved_ + elapsed_us * static_cast<double>(moment.rate) / 1e6, double{kSmallSlice});
  if (moment.working) worked_us_ = moment.now_us;
  const bool idle = moment.now_us >= worked_us_ + kIdle_us;
  const bool behind = moment.log_share * state_bytes_ > taken_;
  if (moment.rate == 0 || moment.hurry || idle || behind) return kSlice;
  return saved_ < kLeast ? 0 : static_cast<std::size_t>(saved_);
}

void SnapshotPace::took(std::size_t bytes) {
  saved_ = std::max(saved_ - static_cast<double>(bytes), -kDebtMax);
  taken_ += static_cast<double>(bytes);
}

}  // namespace redraft::replica
