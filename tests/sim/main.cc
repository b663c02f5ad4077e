// redraft-sim: many seeds of the whole-cluster simulation, each in a process of its own, so that a broken invariant
// ends one seed and not the run. See docs/testing.md.

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "tests/sim/runner.h"

namespace redraft::sim {
namespace {

constexpr std::string_view kUsage =
    "redraft-sim [--seeds N] [--first S] [--jobs J] [--crashes] [--bug NAME] [--trace] [--twice] [--table]\n"
    "  --seeds N   how many seeds (200)\n"
    "  --first S   the first one (1)\n"
    "  --jobs J    so many at once (the number of cores)\n"
    "  --crashes   only crashes: acknowledged writes and votes survive them\n"
    "  --bug NAME  plant a bug: ack-before-sync, follower-ack-before-sync, vote-before-sync, no-directory-sync,\n"
    "              no-data-sync; the run succeeds when it is found\n"
    "  --twice     run each seed twice and compare the traces\n"
    "  --trace     print everything that happens, with one seed\n";

// One row of the table of planted bugs in docs/testing.md. False: not found.
bool print_row(RunOptions options, std::string_view name) {
  options.seeds = 1000;
  options.stop_at_failure = true;
  const RunSummary summary = run_seeds(options);
  if (summary.failures.empty()) {
    std::printf("| %s | not in %llu seeds | |\n", std::string(name).c_str(),
                static_cast<unsigned long long>(summary.seeds));
    return false;
  }
  std::string how = summary.failures.front().what;
  std::ranges::replace(how, '\n', ' ');
  std::ranges::replace(how, '|', '/');
  std::printf("| %s%s | %llu | %s |\n", std::string(name).c_str(), options.crashes ? " (--crashes)" : "",
              static_cast<unsigned long long>(summary.failures.front().seed), how.substr(0, 160).c_str());
  std::fflush(stdout);
  return true;
}

bool print_table() {
  bool all = true;
  std::puts("| bug | seeds needed | what was seen |\n|---|---|---|");
  for (const Bug bug : {Bug::kAckBeforeSync, Bug::kFollowerAckBeforeSync, Bug::kVoteBeforeSync, Bug::kNoDirectorySync,
                        Bug::kNoDataSync}) {
    all = print_row({.crashes = true, .bug = bug}, name_of(bug)) && all;
  }
  for (const planted::Name& one : planted::kNames) {
    const bool disk = one.bug == planted::Bug::kCutIgnoresSyncedTo || one.bug == planted::Bug::kAppendBehindCut;
    all = print_row({.crashes = disk, .planted = one.bug}, one.name) && all;
  }
  return all;
}

int run(const std::vector<std::string>& arguments) {
  RunOptions options;
  options.progress = true;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& name = arguments[i];
    const bool flag = name == "--crashes" || name == "--trace" || name == "--twice" || name == "--table";
    if (!flag && (i + 1 == arguments.size() || !name.starts_with("--"))) {
      std::fputs(kUsage.data(), stderr);
      return 2;
    }
    const std::string value = flag ? "" : arguments[++i];
    if (name == "--seeds") {
      options.seeds = std::strtoull(value.c_str(), nullptr, 10);
    } else if (name == "--first") {
      options.first = std::strtoull(value.c_str(), nullptr, 10);
    } else if (name == "--jobs") {
      options.jobs = std::strtoull(value.c_str(), nullptr, 10);
    } else if (name == "--crashes") {
      options.crashes = true;
    } else if (name == "--twice") {
      options.twice = true;
    } else if (name == "--trace") {
      options.print_trace = true;
    } else if (name == "--bug" && bug_by_name(value)) {
      options.bug = *bug_by_name(value);
    } else if (name == "--bug" && planted::by_name(value)) {
      options.planted = *planted::by_name(value);
    } else if (name == "--table") {
      return print_table() ? 0 : 1;
    } else {
      std::fputs(kUsage.data(), stderr);
      return 2;
    }
  }
  const RunSummary summary = run_seeds(options);
  std::fputs(summary.describe().c_str(), stdout);
  if (options.bug != Bug::kNone || options.planted != planted::Bug::kNone) return summary.failures.empty() ? 1 : 0;
  return summary.failures.empty() ? 0 : 1;
}

}  // namespace
}  // namespace redraft::sim

int main(int argc, char** argv) {
  return redraft::sim::run({argv + 1, argv + argc});
}
