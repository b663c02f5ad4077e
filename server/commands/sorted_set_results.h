#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "server/commands/context.h"
#include "server/commands/scores.h"
#include "server/store/sorted_set.h"

namespace redraft::commands {

// A reply of members, with their scores or without: in RESP2 one flat array, in RESP3 a pair for each where scores are
// wanted. Announces `count` members; each `add` writes one.
class MemberReply {
 public:
  MemberReply(Context& context, std::uint64_t count, bool with_scores);
  void add(std::string_view member, double score);

 private:
  Context& context_;
  bool with_scores_;
  bool pairs_;
};

// Members at these ranks, up or down.
void answer_ranks(Context& context, const store::SortedSet& set, Ranks ranks, bool backwards, bool with_scores);

// Members that a command found or made, each once.
struct ScoredMember {
  std::string member;
  double score = 0;
};
using ScoredMembers = std::vector<ScoredMember>;
void sort_members(Context& context, ScoredMembers& members);  // as a sorted set has them

// Puts them in the place of whatever the key held; answers how many they are. None: the key is deleted.
void store_and_answer(Context& context, std::string_view key, const ScoredMembers& members, std::string_view event);

}  // namespace redraft::commands
