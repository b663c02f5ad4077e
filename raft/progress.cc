#include "raft/progress.h"

#include <algorithm>
#include <utility>

namespace redraft::raft {

void Inflight::add(LogIndex last_index, std::uint64_t bytes) {
  if (head_ > 0 && head_ == sends_.size()) {
    sends_.clear();
    head_ = 0;
  } else if (head_ >= 64 && head_ * 2 >= sends_.size()) {
    sends_.erase(sends_.begin(), sends_.begin() + static_cast<std::ptrdiff_t>(head_));
    head_ = 0;
  }
  sends_.push_back({last_index, bytes});
  bytes_ += bytes;
}

void Inflight::free_to(LogIndex index) {
  while (head_ < sends_.size() && sends_[head_].last_index <= index) {
    bytes_ -= sends_[head_].bytes;
    ++head_;
  }
}

void Inflight::clear() {
  sends_.clear();
  head_ = 0;
  bytes_ = 0;
}

void Progress::become_probe(LogIndex next) {
  state = ProgressState::kProbe;
  next_index = std::max(next, match_index + 1);
  probe_sent = false;
  pending_snapshot = SnapshotMetadata{};
  inflight.clear();
}

void Progress::become_replicate() {
  state = ProgressState::kReplicate;
  next_index = match_index + 1;
  probe_sent = false;
  pending_snapshot = SnapshotMetadata{};
  inflight.clear();
}

void Progress::become_snapshot(SnapshotMetadata snapshot) {
  state = ProgressState::kSnapshot;
  pending_snapshot = std::move(snapshot);
  probe_sent = false;
  inflight.clear();
}

bool Progress::acknowledge(LogIndex match) {
  next_index = std::max(next_index, match + 1);
  inflight.free_to(match);
  if (match <= match_index) return false;
  match_index = match;
  return true;
}

}  // namespace redraft::raft
