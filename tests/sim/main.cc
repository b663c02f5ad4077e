// redraft-sim: many seeds of the whole-cluster simulation, each in a process of its own, so that a broken invariant
// ends one seed and not the run. See docs/testing.md.

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/sim/planted_table.h"
#include "tests/sim/runner.h"

namespace redraft::sim {
namespace {

constexpr std::string_view kUsage =
    "redraft-sim [--seeds N] [--first S] [--jobs J] [--aim AIM] [--bug NAME] [--trace] [--twice]\n"
    "redraft-sim --table [--bug NAME] [--seeds N]\n"
    "  --seeds N   how many seeds (200)\n"
    "  --first S   the first one (1)\n"
    "  --jobs J    so many at once (the number of cores)\n"
    "  --aim AIM   all (every fault), crashes, elections, reads, rot, members, audits or copies: what the seeds' "
    "faults are aimed at\n"
    "  --crashes   the same as --aim crashes\n"
    "  --bug NAME  plant a bug (docs/testing.md has the names); the run succeeds when it is found\n"
    "  --twice     run each seed twice and compare the traces\n"
    "  --trace     print everything that happens, with one seed\n"
    "  --table     the seeds needed for each planted bug, or for one, as docs/testing.md shows them\n";

std::optional<Aim> aim_by_name(std::string_view name) {
  const auto found = std::ranges::find(kAimNames, name);
  if (found == kAimNames.end()) return std::nullopt;
  return static_cast<Aim>(found - kAimNames.begin());
}

int usage() {
  std::fputs(kUsage.data(), stderr);
  return 2;
}

struct Wish {
  RunOptions options;
  bool table = false;
};

// False: not understood.
bool take(Wish& wish, std::string_view name, const std::string& value) {
  RunOptions& options = wish.options;
  if (name == "--seeds") {
    options.seeds = std::strtoull(value.c_str(), nullptr, 10);
  } else if (name == "--first") {
    options.first = std::strtoull(value.c_str(), nullptr, 10);
  } else if (name == "--jobs") {
    options.jobs = std::strtoull(value.c_str(), nullptr, 10);
  } else if (name == "--aim" && aim_by_name(value)) {
    options.aim = *aim_by_name(value);
  } else if (name == "--crashes") {
    options.aim = Aim::kCrashes;
  } else if (name == "--twice") {
    options.twice = true;
  } else if (name == "--trace") {
    options.print_trace = true;
  } else if (name == "--table") {
    wish.table = true;
  } else if (name == "--bug" && bug_by_name(value)) {
    options.bug = *bug_by_name(value);
  } else if (name == "--bug" && planted::by_name(value)) {
    options.planted = *planted::by_name(value);
  } else {
    return false;
  }
  return true;
}

int run(const std::vector<std::string>& arguments) {
  Wish wish;
  wish.options.progress = true;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& name = arguments[i];
    const bool flag = name == "--crashes" || name == "--trace" || name == "--twice" || name == "--table";
    if (!flag && i + 1 == arguments.size()) return usage();
    if (!take(wish, name, flag ? "" : arguments[++i])) return usage();
  }
  if (wish.table) return print_planted_table(wish.options) ? 0 : 1;
  const RunSummary summary = run_seeds(wish.options);
  std::fputs(summary.describe().c_str(), stdout);
  const bool bug = wish.options.bug != Bug::kNone || wish.options.planted != planted::Bug::kNone;
  return summary.failures.empty() == bug ? 1 : 0;
}

}  // namespace
}  // namespace redraft::sim

int main(int argc, char** argv) {
  return redraft::sim::run({argv + 1, argv + argc});
}
