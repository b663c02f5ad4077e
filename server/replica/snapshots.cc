#include "server/replica/snapshots.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/check.h"
#include "base/little_endian.h"

namespace redraft::replica {
namespace {

constexpr std::size_t kPieceSize = std::size_t{512} << 10;
constexpr std::size_t kChunkSize = std::size_t{256} << 10;
constexpr std::size_t kUnwrittenMax = std::size_t{16} << 20;
constexpr std::uint64_t kResend_us = 500'000;
constexpr std::uint64_t kReceiveSilence_us = 20'000'000;
constexpr std::uint64_t kRetryAfterFailure_us = 10'000'000;

// Bulk frames: one byte of kind, the file's key, an offset; a piece is followed by its bytes.
enum BulkFrame : char { kPiece = 1, kProgress = 2 };
constexpr std::size_t kKeySize = 8 + 8 + 8 + 16;
constexpr std::size_t kFrameHeaderSize = 1 + kKeySize + 8;

std::string encode_frame(char kind, const snapshot::FileKey& key, std::uint64_t offset) {
  std::string header(1, kind);
  append_little(header, key.index);
  append_little(header, key.term);
  append_little(header, key.size);
  header.append(reinterpret_cast<const char*>(key.digest.data()), key.digest.size());
  append_little(header, offset);
  return header;
}

}  // namespace

void Snapshots::start(raft::LogIndex index, std::uint64_t bytes) {
  index_ = index;
  log_bytes = bytes;
}

// ---- Taking our own

Status Snapshots::begin(Time now) {
  if (taking_) return Error{ErrorCode::kInvalid, "ERR Background save already in progress"};
  now_ = now;
  taking_ = Taking{};
  taking_->metadata = node_.present_state();
  node_.live_store().begin_walk();
  pace_.begin(now.monotonic_us, node_.live_store().used_memory());
  BulkRequest create{.kind = BulkRequest::Kind::kCreate};
  create.metadata = file_metadata(taking_->metadata, node_.live_store().clock_ms());
  host_.submit(std::move(create));
  for (const auto& [origin, bytes] : node_.live_fragments().all()) {
    // A fragmented command can be larger than a chunk.
    for (std::size_t at = 0; at < bytes.size(); at += kPieceSize) {
      BulkRequest chunk{.kind = BulkRequest::Kind::kChunk};
      chunk.chunk_kind = kFragmentChunk;
      chunk.bytes = SharedBytes::copy_of(encode_fragment(origin, std::string_view(bytes).substr(at, kPieceSize)));
      taking_->unwritten_bytes += chunk.bytes.size();
      host_.submit(std::move(chunk));
    }
  }
  wanted_ = false;
  entries_since_ = 0;
  bytes_since_ = 0;
  return Done{};
}

void Snapshots::turn(Time now, const Load& load) {
  now_ = now;
  if (due() && !taking_ && !receiving_ && now.monotonic_us >= retry_at_us_) {
    Status begun = begin(now);
    ensure(begun.ok(), "a snapshot can begin when none is being taken");
  }
  if (taking_) walk(load);
  for (auto& [node, sending] : sending_) send(node, sending);
  if (receiving_ && !receiving_->loading && !receiving_->writing &&
      now.monotonic_us >= receiving_->heard_us + kReceiveSilence_us) {
    give_up_receiving();
  }
}

// The nodes apply the same entries and would all take theirs at the same time. So each takes its first after another
// part of the log, by its place among the members, and from there on they stay apart.
bool Snapshots::due() const {
  return (wanted_ && entries_since_ != 0) || log_share() >= (index_.value == 0 ? first_share_ : 1);
}

// How much of the log that makes the next snapshot due was written since the last one began.
double Snapshots::log_share() const {
  const Values& values = settings_.values();
  return std::max(static_cast<double>(entries_since_) / static_cast<double>(values.snapshot_log_entries),
                  static_cast<double>(bytes_since_) / static_cast<double>(values.snapshot_log_bytes));
}

// One slice. Waits while the disk is behind, so that copies do not pile up.
void Snapshots::walk(const Load& load) {
  SnapshotPace::Moment moment{
      .now_us = now_.monotonic_us, .rate = settings_.values().snapshot_rate, .hurry = load.hurry};
  moment.working = std::exchange(served_, load.served) != load.served;
  moment.working = std::exchange(applied_, entries_since_) != entries_since_ || moment.working;
  moment.log_share = log_share();
  const std::size_t allowed = pace_.allowance(moment);
  if (taking_->walked || taking_->unwritten_bytes > kUnwrittenMax) return;
  store::Store& store = node_.live_store();
  // What writes have copied takes up memory until it is taken.
  if (allowed == 0 && store.walked_ahead() < kChunkSize) return;
  const std::size_t before = taking_->gathered.size();
  const bool more = store.walk(taking_->gathered, allowed);
  pace_.took(taking_->gathered.size() - before);
  if (!more || taking_->gathered.size() >= kChunkSize) submit_gathered();
  if (more) return;
  taking_->walked = true;
  host_.submit(BulkRequest{.kind = BulkRequest::Kind::kFinish});
}

void Snapshots::submit_gathered() {
  if (taking_->gathered.empty()) return;
  BulkRequest chunk{.kind = BulkRequest::Kind::kChunk};
  chunk.chunk_kind = kStoreChunk;
  chunk.bytes = SharedBytes::copy_of(taking_->gathered);
  taking_->gathered.clear();
  taking_->unwritten_bytes += chunk.bytes.size();
  host_.submit(std::move(chunk));
}

void Snapshots::drop_walk() {
  if (!taking_) return;
  taking_.reset();
  host_.submit(BulkRequest{.kind = BulkRequest::Kind::kAbort});
  node_.snapshot_over(Error{ErrorCode::kInvalid, "ERR a newer snapshot was installed"});
}

void Snapshots::took(BulkDone done) {
  if (!taking_) return;
  taking_->unwritten_bytes -= std::min(taking_->unwritten_bytes, done.size);
  if (done.error) {
    host_.log(LogLevel::kWarning, "The snapshot failed and will be taken again: " + done.error->message);
    if (!taking_->walked) node_.live_store().end_walk();
    taking_.reset();
    retry_at_us_ = now_.monotonic_us + kRetryAfterFailure_us;
    if (done.kind != BulkRequest::Kind::kFinish) host_.submit(BulkRequest{.kind = BulkRequest::Kind::kAbort});
    node_.snapshot_over(done.error);
    return;
  }
  if (done.kind != BulkRequest::Kind::kFinish) return;
  const raft::SnapshotMetadata metadata = std::move(taking_->metadata);
  taking_.reset();
  index_ = metadata.index;
  node_.tell_raft(raft::SnapshotTaken{metadata});
  node_.snapshot_over(std::nullopt);
}

// ---- Sending to a follower

void Snapshots::raft_wants(const raft::Output& output) {
  for (const raft::SnapshotToSend& wanted : output.snapshots_to_send) {
    Sending& sending = sending_[wanted.node.value];
    sending = {};
    sending.metadata = wanted.snapshot;
  }
  if (output.snapshot_wanted && !taking_) retry_at_us_ = 0, entries_since_ = settings_.values().snapshot_log_entries;
  if (output.snapshot_to_receive) {
    receiving_ = Receiving{};
    receiving_->from = output.snapshot_to_receive->from.value;
    receiving_->metadata = output.snapshot_to_receive->snapshot;
    receiving_->heard_us = now_.monotonic_us;
  }
  if (output.snapshot_installed) {
    ensure(offered_ != nullptr && offered_->metadata.index == output.snapshot_installed->index,
           "only a snapshot that was offered is installed");
    installed_ = std::move(offered_);
    index_ = output.snapshot_installed->index;
  }
  if (output.snapshot_discarded) offered_.reset();
}

void Snapshots::follow(const raft::Configuration& configuration, raft::NodeId self) {
  const auto& members = configuration.members();
  const auto own = std::ranges::find(members, self, &raft::Member::id);
  if (own != members.end()) {
    first_share_ = static_cast<double>(own - members.begin() + 1) / static_cast<double>(members.size());
  }
  std::erase_if(sending_, [&](const auto& one) { return !configuration.contains(raft::NodeId{one.first}); });
}

void Snapshots::send(std::uint64_t to, Sending& sending) {
  if (sending.waiting && now_.monotonic_us >= sending.sent_us + kResend_us) sending.waiting = false;
  if (sending.reading || sending.waiting) return;
  BulkRequest request{.kind = BulkRequest::Kind::kRead};
  request.node = to;
  request.index = sending.metadata.index.value;
  request.offset = sending.offset;
  request.size = kPieceSize;
  sending.reading = true;
  host_.submit(std::move(request));
}

void Snapshots::read(BulkDone done) {
  const auto found = sending_.find(done.node);
  if (found == sending_.end() || found->second.metadata.index.value != done.index) return;
  Sending& sending = found->second;
  sending.reading = false;
  if (done.error) {
    host_.log(LogLevel::kWarning, "The snapshot for node " + std::to_string(done.node) + ": " + done.error->message);
    sending_.erase(found);
    node_.tell_raft(raft::SnapshotFailed{raft::NodeId{done.node}});
    return;
  }
  if (done.offset != sending.offset) return;
  node_.send_bulk(done.node, encode_frame(kPiece, done.key, done.offset), std::move(done.bytes));
  sending.waiting = true;
  sending.sent_us = now_.monotonic_us;
}

void Snapshots::frame(std::uint64_t from, const SharedBytes& frame) {
  if (frame.size() < kFrameHeaderSize) return;
  const char* bytes = frame.data();
  snapshot::FileKey key;
  key.index = load_little<std::uint64_t>(bytes + 1);
  key.term = load_little<std::uint64_t>(bytes + 9);
  key.size = load_little<std::uint64_t>(bytes + 17);
  std::memcpy(key.digest.data(), bytes + 25, key.digest.size());
  const std::uint64_t offset = load_little<std::uint64_t>(bytes + 1 + kKeySize);
  if (bytes[0] == kProgress) {
    const auto found = sending_.find(from);
    if (found == sending_.end() || found->second.metadata.index.value != key.index) return;
    found->second.waiting = false;
    found->second.offset = offset;
    if (offset >= key.size) {
      sending_.erase(found);
      node_.tell_raft(raft::SnapshotSent{raft::NodeId{from}});
    } else {
      send(from, found->second);
    }
    return;
  }
  if (bytes[0] != kPiece || !receiving_ || receiving_->from != from || receiving_->metadata.index.value != key.index ||
      receiving_->writing || receiving_->loading) {
    return;
  }
  receiving_->heard_us = now_.monotonic_us;
  receiving_->writing = true;
  BulkRequest request{.kind = BulkRequest::Kind::kReceive};
  request.node = from;
  request.key = key;
  request.index = key.index;
  request.offset = offset;
  request.bytes = frame.slice(kFrameHeaderSize, frame.size() - kFrameHeaderSize);
  host_.submit(std::move(request));
}

// ---- Receiving from a leader

void Snapshots::received(BulkDone done) {
  if (!receiving_ || receiving_->metadata.index.value != done.index) return;
  receiving_->writing = false;
  if (done.error) {
    host_.log(LogLevel::kWarning, "Receiving a snapshot failed: " + done.error->message);
    give_up_receiving();
    return;
  }
  if (!std::exchange(receiving_->told, true)) {
    host_.log(LogLevel::kNotice, "Receiving the snapshot at index " + std::to_string(done.index) + " from node " +
                                     std::to_string(done.node) + ": " + std::to_string(done.received) + " of " +
                                     std::to_string(done.key.size) + " bytes are here");
  }
  node_.send_bulk(done.node, encode_frame(kProgress, done.key, done.received), {});
  if (done.received < done.key.size) return;
  receiving_->loading = true;
  BulkRequest load{.kind = BulkRequest::Kind::kLoad};
  load.index = done.index;
  load.key = done.key;
  host_.submit(std::move(load));
}

void Snapshots::loaded(BulkDone done) {
  if (!receiving_ || receiving_->metadata.index.value != done.index) return;
  if (done.error) {
    host_.log(LogLevel::kWarning, "A received snapshot could not be loaded: " + done.error->message);
    give_up_receiving();
    return;
  }
  const raft::SnapshotMetadata metadata = receiving_->metadata;
  receiving_.reset();
  offered_ = std::move(done.loaded);
  node_.tell_raft(raft::SnapshotReceived{metadata});
}

void Snapshots::give_up_receiving() {
  const raft::LogIndex index = receiving_->metadata.index;
  receiving_.reset();
  host_.submit(BulkRequest{.kind = BulkRequest::Kind::kDiscard});
  node_.tell_raft(raft::SnapshotReceiveFailed{index});
}

void Snapshots::bulk_done(BulkDone done) {
  switch (done.kind) {
    case BulkRequest::Kind::kCreate:
    case BulkRequest::Kind::kChunk:
    case BulkRequest::Kind::kFinish:
      took(std::move(done));
      return;
    case BulkRequest::Kind::kRead:
      read(std::move(done));
      return;
    case BulkRequest::Kind::kReceive:
      received(std::move(done));
      return;
    case BulkRequest::Kind::kLoad:
      loaded(std::move(done));
      return;
    case BulkRequest::Kind::kAbort:
    case BulkRequest::Kind::kDiscard:
    case BulkRequest::Kind::kFreeStore:
      return;
  }
}

}  // namespace redraft::replica
