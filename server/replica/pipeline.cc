#include "server/replica/pipeline.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace redraft::replica {

std::uint64_t Pipeline::add(Session* writer, const CommandHeader& header, std::span<const std::string_view> arguments) {
  open_.add(header, arguments);
  writers_.push_back(writer);
  return next_number_;
}

std::uint64_t Pipeline::want_entry(Session* reader) {
  wanted_ = true;
  if (reader != nullptr) readers_.push_back(reader);
  return next_number_;
}

bool Pipeline::should_close(std::uint64_t now_us) const {
  return !open_empty() && (full(1) || now_us >= close_at_us());
}

std::uint64_t Pipeline::close_at_us() const {
  if (uncommitted_ > 0) return last_close_us_ + kCloseInterval_us;
  if (wanted_ || open_.count() >= under_way_) return committed_us_;
  return committed_us_ + std::min(usual_commit_us() / 2, kCloseInterval_us);
}

Batch Pipeline::close(const PayloadHeader& header, std::uint64_t now_us) {
  Batch batch;
  batch.number = next_number_++;
  batch.proposed_us = now_us;
  batch.payload = open_.finish(header);
  batch.writers = std::exchange(writers_, {});
  batch.readers = std::exchange(readers_, {});
  if (!spare_.empty()) {
    writers_ = std::move(spare_.back());
    spare_.pop_back();
  }
  wanted_ = false;
  last_close_us_ = now_us;
  return batch;
}

void Pipeline::recycle(Batch batch) {
  batch.writers.clear();
  if (spare_.size() < kSpareMax) spare_.push_back(std::move(batch.writers));
}

void Pipeline::proposed(Batch batch) {
  ensure(in_flight_.empty() || in_flight_.back().index < batch.index, "batches are proposed in the order of the log");
  in_flight_bytes_ += batch.payload.size();
  if (batch.index > commit_index_) ++uncommitted_;
  in_flight_.push_back(std::move(batch));
}

Batch Pipeline::take_oldest() {
  Batch batch = std::move(in_flight_.front());
  in_flight_.pop_front();
  in_flight_bytes_ -= batch.payload.size();
  if (batch.index > commit_index_) --uncommitted_;
  return batch;
}

Batch Pipeline::take_newest() {
  Batch batch = std::move(in_flight_.back());
  in_flight_.pop_back();
  in_flight_bytes_ -= batch.payload.size();
  if (batch.index > commit_index_) --uncommitted_;
  return batch;
}

void Pipeline::committed(raft::LogIndex commit_index, std::uint64_t now_us) {
  if (commit_index <= commit_index_) return;
  uncommitted_ = 0;
  under_way_ = open_.count();
  for (const Batch& batch : in_flight_) {
    if (batch.index > commit_index) {
      ++uncommitted_;
    } else if (batch.index > commit_index_) {
      under_way_ += batch.writers.size();
      commits_us_ += now_us - batch.proposed_us - usual_commit_us();
    }
  }
  commit_index_ = commit_index;
  committed_us_ = now_us;
}

}  // namespace redraft::replica
