#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/sim/world.h"

namespace redraft::sim {

struct RunOptions {
  std::uint64_t seeds = 200;
  std::uint64_t first = 1;
  std::uint64_t jobs = 0;  // 0: as many as there are cores
  Aim aim = Aim::kAll;
  bool twice = false;
  bool print_trace = false;
  bool progress = false;
  bool stop_at_failure = false;
  Bug bug = Bug::kNone;
  planted::Bug planted = planted::Bug::kNone;  // only in a build that has them
};

struct Failure {
  std::uint64_t seed = 0;
  std::string what;
};

struct RunSummary {
  std::uint64_t seeds = 0;
  std::vector<Failure> failures;
  Outcome total;  // sums
  double seconds = 0;
  RunOptions options;
  [[nodiscard]] std::string describe() const;
};

// The one command that repeats a seed.
[[nodiscard]] std::string command_for(const RunOptions& options, std::uint64_t seed);

// Every seed in a child process: a broken invariant, which aborts, is one failed seed.
[[nodiscard]] RunSummary run_seeds(const RunOptions& options);

}  // namespace redraft::sim
