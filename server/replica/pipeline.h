#pragma once

#include <cstdint>
#include <deque>
#include <span>
#include <string_view>
#include <vector>

#include "raft/types.h"
#include "server/replica/entry_payload.h"

namespace redraft::replica {

class Session;

// One entry that this node proposed, with what only this node knows of it: whose commands it holds, in their order.
struct Batch {
  std::uint64_t number = 0;
  raft::LogIndex index;
  raft::Term term;
  SharedBytes payload;
  std::uint64_t proposed_us = 0;
  std::vector<Session*> writers;  // one per command; nullptr where no client of this node waits for it
  std::vector<Session*> readers;  // sessions whose reads wait for this entry though they have no command in it
};

// Group commit that adapts (architecture, section 1). Writes of all sockets gather in one open batch. It closes as one
// entry when it holds something and fewer than two batches are uncommitted, or a millisecond has passed since the last
// close, or an entry is full. A lone command leaves at once; under load one append, one frame per follower and one
// fdatasync carry hundreds.
class Pipeline {
 public:
  static constexpr std::size_t kUncommittedBatchesMax = 2;
  static constexpr std::uint64_t kCloseInterval_us = 1000;

  // False when an entry can never hold it: it must travel as fragments.
  [[nodiscard]] static bool fits(std::size_t encoded_size) { return encoded_size + 64 <= kPayloadMax; }
  // True when the open batch has no room for so many bytes more and must be closed first.
  [[nodiscard]] bool full(std::size_t encoded_size) const { return open_.size() + encoded_size > kPayloadMax; }

  // Adds a command to the open batch and returns the number the batch will have.
  std::uint64_t add(Session* writer, const CommandHeader& header, std::span<const std::string_view> arguments);
  // The open batch closes at the next chance even without commands: an entry is wanted for its clock. Returns its
  // number.
  std::uint64_t want_entry(Session* reader);

  [[nodiscard]] bool should_close(std::uint64_t now_us) const;
  // When `should_close` becomes true by time alone; 0 when nothing waits.
  [[nodiscard]] std::uint64_t close_at_us() const;
  [[nodiscard]] bool open_empty() const { return open_.empty() && !wanted_; }
  [[nodiscard]] std::uint64_t open_number() const { return next_number_; }
  [[nodiscard]] std::uint32_t open_count() const { return open_.count(); }
  [[nodiscard]] std::size_t open_size() const { return open_.size(); }

  // Takes the open batch; the caller proposes it and gives it back to `proposed`, or answers its writers.
  [[nodiscard]] Batch close(const PayloadHeader& header, std::uint64_t now_us);
  void proposed(Batch batch);
  // Takes the vectors of a finished batch for the next one.
  void recycle(Batch batch);

  // Batches in the log whose outcome is not known, oldest first.
  [[nodiscard]] std::deque<Batch>& in_flight() { return in_flight_; }
  [[nodiscard]] const std::deque<Batch>& in_flight() const { return in_flight_; }
  [[nodiscard]] std::size_t in_flight_bytes() const { return in_flight_bytes_; }
  // Removes the oldest.
  [[nodiscard]] Batch take_oldest();
  // Removes the newest.
  [[nodiscard]] Batch take_newest();
  // What counts for the close rule: batches above the commit index.
  void committed(raft::LogIndex commit_index);

 private:
  PayloadWriter open_;
  std::vector<Session*> writers_;
  std::vector<Session*> readers_;
  std::vector<std::vector<Session*>> spare_;  // emptied vectors, so that no batch allocates
  bool wanted_ = false;
  std::uint64_t next_number_ = 1;
  std::uint64_t last_close_us_ = 0;
  std::deque<Batch> in_flight_;
  std::size_t in_flight_bytes_ = 0;
  std::size_t uncommitted_ = 0;
  raft::LogIndex commit_index_;
};

}  // namespace redraft::replica
