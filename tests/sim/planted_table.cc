#include "tests/sim/planted_table.h"

#include <algorithm>
#include <array>
#include <cstdio>

namespace redraft::sim {
namespace {

// Where to look for it.
Aim aim_at(planted::Bug bug) {
  switch (bug) {
    case planted::Bug::kReadWithoutQuorum:
    case planted::Bug::kReadRoundReused:
    case planted::Bug::kLeaseAfterTimeoutNow:
    case planted::Bug::kRestartedVoterVotesAtOnce:
      return Aim::kReads;
    case planted::Bug::kOldTermByCounting:
    case planted::Bug::kRefusedAfterOverwrite:
      return Aim::kElections;
    case planted::Bug::kCutIgnoresSyncedTo:
    case planted::Bug::kCutAtBadChecksum:
      return Aim::kRot;
    case planted::Bug::kIncarnationUnchecked:
      return Aim::kMembers;
    case planted::Bug::kLeaderDigestAsTruth:
      return Aim::kAudits;
    case planted::Bug::kAppendBehindCut:
      return Aim::kCrashes;
    default:
      return Aim::kAll;
  }
}

bool print_row(const RunOptions& options, std::string_view name) {
  RunOptions search = options;
  search.progress = false;
  search.stop_at_failure = true;
  const RunSummary summary = run_seeds(search);
  const std::string aim(kAimNames[static_cast<std::size_t>(options.aim)]);
  const std::string row = "| " + std::string(name) + " | " + aim + " | ";
  if (summary.failures.empty()) {
    std::printf("%snot in %llu | |\n", row.c_str(), static_cast<unsigned long long>(summary.seeds));
  } else {
    const Failure& first = summary.failures.front();
    std::string how = first.what;
    std::ranges::replace(how, '\n', ' ');
    std::ranges::replace(how, '|', '/');
    std::printf("%s%llu | %s |\n", row.c_str(), static_cast<unsigned long long>(first.seed - options.first + 1),
                how.substr(0, 160).c_str());
  }
  std::fflush(stdout);
  return !summary.failures.empty();
}

}  // namespace

bool print_planted_table(const RunOptions& options) {
  const bool one = options.bug != Bug::kNone || options.planted != planted::Bug::kNone;
  bool all = true;
  std::puts("| bug | aim | seeds needed | what was seen |\n|---|---|---|---|");
  for (const Bug bug : {Bug::kAckBeforeSync, Bug::kFollowerAckBeforeSync, Bug::kVoteBeforeSync, Bug::kNoDirectorySync,
                        Bug::kNoDataSync}) {
    if (one && options.bug != bug) continue;
    RunOptions search = options;
    search.aim = Aim::kCrashes;
    search.bug = bug;
    all = print_row(search, name_of(bug)) && all;
  }
  for (const planted::Name& named : planted::kNames) {
    if (one && options.planted != named.bug) continue;
    RunOptions search = options;
    search.aim = aim_at(named.bug);
    search.planted = named.bug;
    all = print_row(search, named.name) && all;
  }
  return all;
}

}  // namespace redraft::sim
