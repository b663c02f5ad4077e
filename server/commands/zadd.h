#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "server/commands/context.h"

namespace redraft::commands {

// What ZADD does with members once their scores are known; GEOADD makes scores of places and does the same.
struct AddOptions {
  bool only_new = false;       // NX
  bool only_present = false;   // XX
  bool only_greater = false;   // GT
  bool only_less = false;      // LT
  bool count_changed = false;  // CH
  bool increment = false;      // INCR
  std::size_t first_pair = 2;  // the argument behind the options
};

struct ScoredView {
  std::string_view member;
  double score = 0;
};
using ScoredViews = std::vector<ScoredView>;

// To the set at argument 1; answers. At least one member; with INCR exactly one. Scores become what they are
// afterwards.
void add_members(Context& context, const AddOptions& options, ScoredViews& members);

}  // namespace redraft::commands
