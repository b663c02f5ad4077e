#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

// Bugs that systems of this kind have had, planted where they would be made, so that the tests are tested: the
// simulation must find each (docs/testing.md). They exist only in a build with -DREDRAFT_PLANTED=ON, where one of them
// is switched on by name at run time; in every other build `is` is constant and the compiler removes them.
namespace redraft::planted {

enum class Bug : std::uint8_t {
  kNone,
  kReadWithoutQuorum,       // pitfall C4
  kReadRoundReused,         // pitfall C2
  kOldTermByCounting,       // pitfall B1
  kDeadPeerStopsBroadcast,  // pitfall B2
  kApplyBeforeCommit,
  kCutIgnoresSyncedTo,      // storage-faults row 2
  kAppendBehindCut,         // storage-faults row 1
  kSnapshotWithoutWaiters,  // pitfall E12
  kSnapshotWithoutClock,    // pitfall E12
  kLocalClock,              // pitfall G1
  kLocalRandom,             // pitfall G1
  kWatchAtProposal,
  kLeaderDigestAsTruth,     // architecture, section 6, "Audit"
  kRefusedAfterOverwrite,   // pitfall B10
  kCutAtBadChecksum,        // storage-faults row 2
  kSnapshotWithoutScripts,  // pitfall E12
  kLeaseAfterTimeoutNow,
  kRestartedVoterVotesAtOnce,  // pitfall C5
  kIncarnationUnchecked,       // storage-faults row 16
};

struct Name {
  Bug bug;
  std::string_view name;
};
inline constexpr auto kNames = std::to_array<Name>({
    {Bug::kReadWithoutQuorum, "read-without-quorum"},
    {Bug::kReadRoundReused, "read-round-reused"},
    {Bug::kOldTermByCounting, "old-term-by-counting"},
    {Bug::kDeadPeerStopsBroadcast, "dead-peer-stops-broadcast"},
    {Bug::kApplyBeforeCommit, "apply-before-commit"},
    {Bug::kCutIgnoresSyncedTo, "cut-ignores-synced-to"},
    {Bug::kAppendBehindCut, "append-behind-cut"},
    {Bug::kSnapshotWithoutWaiters, "snapshot-without-waiters"},
    {Bug::kSnapshotWithoutClock, "snapshot-without-clock"},
    {Bug::kLocalClock, "local-clock"},
    {Bug::kLocalRandom, "local-random"},
    {Bug::kWatchAtProposal, "watch-at-proposal"},
    {Bug::kLeaderDigestAsTruth, "leader-digest-as-truth"},
    {Bug::kRefusedAfterOverwrite, "refused-after-overwrite"},
    {Bug::kCutAtBadChecksum, "cut-at-bad-checksum"},
    {Bug::kSnapshotWithoutScripts, "snapshot-without-scripts"},
    {Bug::kLeaseAfterTimeoutNow, "lease-after-timeout-now"},
    {Bug::kRestartedVoterVotesAtOnce, "restarted-voter-votes-at-once"},
    {Bug::kIncarnationUnchecked, "incarnation-unchecked"},
});

[[nodiscard]] inline std::optional<Bug> by_name(std::string_view name) {
  for (const Name& one : kNames) {
    if (one.name == name) return one.bug;
  }
  return std::nullopt;
}

[[nodiscard]] inline std::string_view name_of(Bug bug) {
  for (const Name& one : kNames) {
    if (one.bug == bug) return one.name;
  }
  return "none";
}

#ifdef REDRAFT_PLANTED
inline Bug active = Bug::kNone;
[[nodiscard]] inline bool is(Bug bug) {
  return active == bug;
}
inline bool activate(Bug bug) {
  active = bug;
  return true;
}
#else
[[nodiscard]] constexpr bool is(Bug) {
  return false;
}
// False: this build has none.
constexpr bool activate(Bug bug) {
  return bug == Bug::kNone;
}
#endif

}  // namespace redraft::planted
