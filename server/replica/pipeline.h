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

// Group commit that adapts (docs/decisions/0014-group-commit.md). Writes of all sockets gather in one open batch, which
// closes as one entry:
// - at once when nothing before it is uncommitted and it holds as many commands as were under way at the last commit:
//   a lone command, or all of the clients that wait for their replies before they go on;
// - else when half of a commit's usual time has passed since then, or a millisecond if that is shorter;
// - when something before it is uncommitted: a millisecond after that was closed;
// - when an entry is full.
// Under load one append, one frame per follower and one fdatasync carry hundreds.
class Pipeline {
 public:
  static constexpr std::uint64_t kCloseInterval_us = 1000;
  static constexpr std::size_t kSpareMax = 4;

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
  // When `should_close` becomes true by time alone, if something waits.
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
  // What counts for the close rule: batches above the commit index, and how long a commit takes.
  void committed(raft::LogIndex commit_index, std::uint64_t now_us);

 private:
  static constexpr std::uint64_t kUsual = 8;
  // From a proposal to its commit, lately.
  [[nodiscard]] std::uint64_t usual_commit_us() const { return commits_us_ / kUsual; }

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
  std::uint64_t committed_us_ = 0;  // when the commit index moved last
  std::size_t under_way_ = 0;       // commands committed then, and those that waited already
  std::uint64_t commits_us_ = 0;    // what the last kUsual took, about
};

}  // namespace redraft::replica
