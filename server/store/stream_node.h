#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "server/store/part.h"
#include "server/store/stream_id.h"

namespace redraft::store {

// Neighbouring entries of a stream, packed back to back: one part of the walk. The names of the first entry's fields
// are kept once, and entries with the same names hold only values. What is deleted leaves its bytes and still counts
// towards the borders of the node, as in Redis, since trimming with ~ takes nodes whole (redis.io/commands/xtrim).
class StreamNode {
 public:
  // Name, value, name, value, ...
  using Fields = std::span<const std::string_view>;

  StreamNode(StreamId first, Fields fields, Epoch epoch);
  explicit StreamNode(StreamId first) : first_(first), last_(first) {}  // to be decoded

  // Redis's rule for beginning another node, for an entry of so many bytes of names and values.
  [[nodiscard]] bool full(std::size_t entry_bytes, std::uint64_t bytes_max, std::uint64_t entries_max) const;
  // Needs id > last().
  void append(StreamId id, Fields fields);
  // No more entries will come.
  void finish() { bytes_.shrink_to_fit(); }
  // False when there is no such entry.
  bool erase(StreamId id);
  // The first `count` entries; count <= this->count().
  void erase_front(std::size_t count);

  [[nodiscard]] StreamId first() const { return first_; }  // ever, by which the stream finds it
  [[nodiscard]] StreamId last() const { return last_; }    // ever: it may be deleted
  [[nodiscard]] std::size_t count() const { return count_; }
  [[nodiscard]] std::size_t memory() const { return sizeof(StreamNode) + kIndexBytes + bytes_.size(); }
  [[nodiscard]] std::size_t bytes() const { return bytes_.size(); }

  // Where the entries lie, in order. Holds until the next change.
  struct Place {
    StreamId id;
    std::uint32_t begin = 0;  // of what follows the id
    std::uint32_t end = 0;
    std::uint32_t whole = 0;  // begin with size and id
  };
  void places(std::vector<Place>& places) const;
  // Appends the names that entries share.
  void shared_names(std::vector<std::string_view>& names) const;
  // Replaces `fields` by the entry's, views into the node; `names` are the shared ones.
  void read(const Place& place, Fields names, std::vector<std::string_view>& fields) const;

  void encode(std::string& to) const;
  // What `encode` wrote, into a node made for its first id.
  [[nodiscard]] Status decode(std::string_view from);

  Epoch epoch = 0;

 private:
  static constexpr std::size_t kIndexBytes = 64;  // of the stream's tree, for each node

  [[nodiscard]] Status check() const;

  StreamId first_;
  StreamId last_;
  std::uint32_t count_ = 0;
  std::uint32_t deleted_ = 0;
  std::uint32_t names_end_ = 0;  // the shared names lie before it, entries behind
  std::uint64_t listpack_ = 0;   // bytes that Redis's node would have, without its two counters
  std::string bytes_;
};

}  // namespace redraft::store
