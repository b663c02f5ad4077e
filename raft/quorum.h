#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "base/check.h"
#include "raft/configuration.h"

namespace redraft::raft {

inline constexpr std::size_t kMembersMax = 64;

namespace quorum_detail {

// The largest value that a majority of one voter set reaches; the maximum for an empty set, which decides nothing.
template <class IsVoter, class Value>
std::uint64_t reached_by_majority(const Configuration& configuration, IsVoter is_voter, Value value) {
  std::uint64_t values[kMembersMax];
  std::size_t voters = 0;
  for (const Member& member : configuration.members()) {
    if (is_voter(member)) values[voters++] = value(member.id);
  }
  if (voters == 0) return std::numeric_limits<std::uint64_t>::max();
  // With n voters a majority is n/2 + 1, so n - n/2 - 1 may lie below (pitfall A12: even sizes).
  const std::size_t below = voters - voters / 2 - 1;
  std::nth_element(values, values + below, values + voters);
  return values[below];
}

}  // namespace quorum_detail

// The largest value that both majorities of a joint configuration reach (thesis 4.3), or the only one of a simple
// configuration. `value(NodeId)` gives each voter's. Needs at least one voter: without voters nothing is ever reached.
template <class Value>
[[nodiscard]] std::uint64_t quorum_value(const Configuration& configuration, Value value) {
  const auto incoming = quorum_detail::reached_by_majority(
      configuration, [](const Member& member) { return member.voter; }, value);
  const auto outgoing = quorum_detail::reached_by_majority(
      configuration, [](const Member& member) { return member.outgoing_voter; }, value);
  const auto reached = std::min(incoming, outgoing);
  return reached == std::numeric_limits<std::uint64_t>::max() ? 0 : reached;
}

// `holds(NodeId)` is true for a quorum.
template <class Holds>
[[nodiscard]] bool is_quorum(const Configuration& configuration, Holds holds) {
  return quorum_value(configuration, [&holds](NodeId id) { return holds(id) ? std::uint64_t{1} : std::uint64_t{0}; }) ==
         1;
}

}  // namespace redraft::raft
