#pragma once

#include "tests/sim/runner.h"

namespace redraft::sim {

// Prints the table of planted bugs of docs/testing.md: for each, or for the one in `options`, the first seed of its aim
// that finds it, among as many as `options` says. False when one is not found. The bugs of base/planted.h need a build
// that has them.
bool print_planted_table(const RunOptions& options);

}  // namespace redraft::sim
