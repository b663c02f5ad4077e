#pragma once

#include <compare>
#include <cstdint>
#include <limits>

namespace redraft::store {

// The id of a stream's entry: milliseconds, and a number among the entries of one millisecond
// (redis.io/topics/streams).
struct StreamId {
  std::uint64_t ms = 0;
  std::uint64_t seq = 0;
  friend auto operator<=>(const StreamId&, const StreamId&) = default;

  [[nodiscard]] bool is_zero() const { return ms == 0 && seq == 0; }
  // To the next or the previous id; false, and no change, at the last or the first of all.
  bool increment();
  bool decrement();
};

inline constexpr StreamId kStreamIdMax{std::numeric_limits<std::uint64_t>::max(),
                                       std::numeric_limits<std::uint64_t>::max()};

inline bool StreamId::increment() {
  if (*this == kStreamIdMax) return false;
  if (++seq == 0) ++ms;
  return true;
}

inline bool StreamId::decrement() {
  if (is_zero()) return false;
  if (seq-- == 0) --ms;
  return true;
}

}  // namespace redraft::store
