#include <utility>

#include "raft/raft.h"
#include "tests/sim/node.h"

// The two disk threads of a node: what a request costs in time, what gathers during one sync and shares the next, and
// the bugs that can be planted there.

namespace redraft::sim {
namespace {

constexpr std::uint64_t kQuiet_us = 5'000;
constexpr std::uint64_t kNoSpaceRetry_us = 200'000;

}  // namespace

// ---- The log's thread

void Node::submit(replica::DiskRequest request) {
  ++disk_requests;
  watcher_.entries_written(request.raft.entries);
  report_early(request);
  disk_queue_.push_back(std::move(request));
  start_disk();
}

// Planted bugs: says that work is durable which has not begun.
void Node::report_early(const replica::DiskRequest& request) {
  if (!request.raft.wanted() || request.bootstrap || request.load || request.release_below) return;
  const bool entries = !request.raft.entries.empty();
  const bool leads = replica_->raft()->is_leader();
  const bool early = (bug_ == Bug::kAckBeforeSync && entries && leads) ||
                     (bug_ == Bug::kFollowerAckBeforeSync && entries && !leads) ||
                     (bug_ == Bug::kVoteBeforeSync && request.raft.hard_state && !entries);
  if (!early) return;
  reported_early_[request.raft.ticket.value] = true;
  inbox_.push_back([this, ticket = request.raft.ticket] {
    replica::DiskDone done;
    done.ticket = ticket;
    done.log_bytes = log_bytes_;
    replica_->disk_done(std::move(done));
  });
}

void Node::start_disk() {
  if (disk_busy_ || disk_stalled_ || (disk_queue_.empty() && !storage_->stalled())) return;
  disk_busy_ = true;
  disk_executing_ = std::exchange(disk_queue_, {});
  schedule_.after(random_.between(limits.disk_low_us, limits.disk_high_us), while_alive([this] { finish_disk(); }));
}

void Node::finish_disk() {
  if (disk_stalled_) {  // goes on when the disk does
    disk_queue_.insert(disk_queue_.begin(), std::make_move_iterator(disk_executing_.begin()),
                       std::make_move_iterator(disk_executing_.end()));
    disk_executing_.clear();
    disk_busy_ = false;
    return;
  }
  ++disk_batches;
  disk_busy_ = false;
  Result<std::vector<replica::DiskDone>> done = storage_->execute(std::exchange(disk_executing_, {}));
  if (!done) {  // the process would end without another word (storage-faults rows 5, 6)
    const Error error = done.error();
    end_process(false);
    watcher_.ended(*this, error.message);
    return;
  }
  for (replica::DiskDone& one : *done) {
    log_bytes_ = one.log_bytes;
    if (reported_early_.erase(one.ticket.value) != 0) continue;
    trace_.note(schedule_.now_us(), "durable", id_, one.ticket.value);
    // std::function wants copies; the value moves through a shared box.
    auto box = std::make_shared<replica::DiskDone>(std::move(one));
    inbox_.push_back([this, box] { replica_->disk_done(std::move(*box)); });
  }
  wake();
  upkeep_done_ = false;
  if (storage_->stalled()) {
    schedule_.after(kNoSpaceRetry_us, while_alive([this] { start_disk(); }));
    return;
  }
  if (disk_queue_.empty()) {
    schedule_.after(kQuiet_us, while_alive([this, batch = disk_batches] {
                      if (batch == disk_batches) upkeep();
                    }));
  } else {
    start_disk();
  }
}

void Node::upkeep() {
  if (disk_busy_ || disk_stalled_ || upkeep_done_ || !disk_queue_.empty()) return;
  Result<bool> done = storage_->idle();
  if (!done) {
    const Error error = done.error();
    end_process(false);
    watcher_.ended(*this, error.message);
    return;
  }
  upkeep_done_ = *done;
  if (!upkeep_done_) schedule_.after(kQuiet_us, while_alive([this] { upkeep(); }));
}

void Node::stall_disk(bool stalled) {
  disk_stalled_ = stalled;
  if (!stalled && up()) {
    start_disk();
    start_bulk();
  }
}

// ---- The snapshots' thread

void Node::submit(replica::BulkRequest request) {
  bulk_queue_.push_back(std::move(request));
  start_bulk();
}

void Node::start_bulk() {
  if (bulk_busy_ || disk_stalled_ || bulk_queue_.empty()) return;
  bulk_busy_ = true;
  schedule_.after(random_.between(limits.disk_low_us, limits.disk_high_us), while_alive([this] { finish_bulk(); }));
}

void Node::finish_bulk() {
  bulk_busy_ = false;
  if (disk_stalled_) return;
  replica::BulkRequest request = std::move(bulk_queue_.front());
  bulk_queue_.pop_front();
  trace_.note(schedule_.now_us(), "bulk", id_, static_cast<std::uint64_t>(request.kind));
  auto box = std::make_shared<replica::BulkDone>(snapshot_files_->execute(std::move(request)));
  inbox_.push_back([this, box] { replica_->bulk_done(std::move(*box)); });
  wake();
  start_bulk();
}

}  // namespace redraft::sim
