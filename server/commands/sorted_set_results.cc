#include "server/commands/sorted_set_results.h"

#include <algorithm>

#include "server/commands/containers.h"

namespace redraft::commands {

MemberReply::MemberReply(Context& context, std::uint64_t count, bool with_scores)
    : context_(context), with_scores_(with_scores), pairs_(with_scores && context.reply.resp3()) {
  context.reply.array(with_scores && !pairs_ ? 2 * count : count);
}

void MemberReply::add(std::string_view member, double score) {
  if (pairs_) context_.reply.array(2);
  context_.reply.bulk(member);
  if (with_scores_) context_.reply.number(score);
}

void answer_ranks(Context& context, const store::SortedSet& set, Ranks ranks, bool backwards, bool with_scores) {
  MemberReply reply(context, ranks.count, with_scores);
  Breaths breaths(context);
  set.visit(ranks.first, ranks.count, backwards, [&](std::string_view member, double score) {
    reply.add(member, score);
    breaths.step();
    return true;
  });
}

void sort_members(Context& context, ScoredMembers& members) {
  Breaths breaths(context);
  std::ranges::sort(members, [&](const ScoredMember& a, const ScoredMember& b) {
    breaths.step();
    return a.score != b.score ? a.score < b.score : a.member < b.member;
  });
}

void store_and_answer(Context& context, std::string_view key, const ScoredMembers& members, std::string_view event) {
  if (members.empty()) {
    delete_key(context, key);
    return context.reply.integer(0);
  }
  const bool is_new = !remove_key(context, key);
  store::SortedSet& set = is_new ? create_sorted_set(context, key) : replace_with_sorted_set(context, key);
  set.expect(members.size());
  Breaths breaths(context);
  for (const ScoredMember& one : members) {
    set.set(one.member, one.score);
    breaths.step();
  }
  changed(context, key);
  context.notify(Event::kSortedSet, event, key);
  context.reply.integer(static_cast<std::int64_t>(members.size()));
}

}  // namespace redraft::commands
