#include <algorithm>
#include <optional>
#include <string_view>

#include "server/commands/arguments.h"
#include "server/commands/blocking.h"
#include "server/commands/containers.h"
#include "server/commands/list_pops.h"
#include "server/commands/sorted_sets.h"
#include "server/commands/waiters.h"

// ZPOPMIN, ZPOPMAX, ZMPOP and the forms that wait. The lowest score is the head of a sorted set, the highest its tail.

namespace redraft::commands {

namespace {

// Removes up to `count` members (> 0) from one end and calls `answer(member, score)` for each.
template <class Answer>
void take_members(Context& context, std::string_view key, store::SortedSet& set, End end, std::uint64_t count,
                  Answer answer) {
  Breaths breaths(context);
  for (std::uint64_t left = std::min<std::uint64_t>(count, set.size()); left > 0; --left) {
    const std::uint64_t rank = end == End::kHead ? 0 : set.size() - 1;
    set.visit(rank, 1, false, [&](std::string_view member, double score) {
      answer(member, score);
      return true;
    });
    set.remove_at(rank);
    breaths.step();
  }
  changed(context, key);
  context.notify(Event::kSortedSet, end == End::kHead ? "zpopmin" : "zpopmax", key);
  remove_if_empty(context, key, set);
}

// The first of the keys at arguments [first, last) that is a sorted set; `set` stays nullptr where there is none.
// False after WRONGTYPE.
bool find_first(Context& context, std::size_t first, std::size_t last, std::size_t& at, store::SortedSet*& set) {
  for (at = first; at < last; ++at) {
    if (!find_for_write(context, context.argument(at), set)) return false;
    if (set != nullptr) return true;
  }
  return true;
}

void answer_pair(Context& context, std::string_view member, double score) {
  context.reply.bulk(member);
  context.reply.number(score);
}

// One member from the first key that has any, as [key, member, score].
Attempt pop_with_key(Context& context, std::size_t last, End end) {
  store::SortedSet* set = nullptr;
  std::size_t at = 0;
  if (!find_first(context, 1, last, at, set)) return Attempt::kAnswered;
  if (set == nullptr) return Attempt::kNothingThere;
  const std::string_view key = context.argument(at);
  context.reply.array(3);
  context.reply.bulk(key);
  take_members(context, key, *set, end, 1,
               [&](std::string_view member, double score) { answer_pair(context, member, score); });
  return Attempt::kAnswered;
}

// Up to `count` members, as [key, [[member, score] ...]].
Attempt pop_many_with_key(Context& context, const MultiPop& pop) {
  store::SortedSet* set = nullptr;
  std::size_t at = 0;
  if (!find_first(context, pop.first_key, pop.behind_keys, at, set)) return Attempt::kAnswered;
  if (set == nullptr) return Attempt::kNothingThere;
  const std::string_view key = context.argument(at);
  const auto count = static_cast<std::uint64_t>(pop.count);
  context.reply.array(2);
  context.reply.bulk(key);
  context.reply.array(std::min<std::uint64_t>(count, set->size()));
  take_members(context, key, *set, pop.end, count, [&](std::string_view member, double score) {
    context.reply.array(2);
    answer_pair(context, member, score);
  });
  return Attempt::kAnswered;
}

void pop(Context& context, End end) {
  if (context.argument_count() > 3) return answer_syntax_error(context);
  const bool has_count = context.argument_count() == 3;
  const std::optional<std::int64_t> count = has_count ? positive_argument(context, 2) : 1;
  if (!count) return;
  const std::string_view key = context.argument(1);
  store::SortedSet* set = nullptr;
  if (!find_for_write(context, key, set)) return;
  if (set == nullptr || *count == 0) return context.reply.array(0);
  const auto wanted = static_cast<std::uint64_t>(*count);
  // RESP3 has pairs where a count was given.
  const bool pairs = has_count && context.reply.resp3();
  const std::uint64_t taken = std::min<std::uint64_t>(wanted, set->size());
  context.reply.array(pairs ? taken : 2 * taken);
  take_members(context, key, *set, end, wanted, [&](std::string_view member, double score) {
    if (pairs) context.reply.array(2);
    answer_pair(context, member, score);
  });
}

constexpr EndWords kMinMax{"min", "max"};

void pop_or_wait(Context& context, End end) {
  const std::size_t behind_keys = context.argument_count() - 1;
  const std::optional<std::uint64_t> timeout_ms = timeout_argument(context, behind_keys);
  if (!timeout_ms) return;
  if (pop_with_key(context, behind_keys, end) == Attempt::kAnswered) return;
  if (!context.may_block) return context.reply.null_array();
  wait_for_keys(context, 1, behind_keys, *timeout_ms);
}

}  // namespace

void zpopmin(Context& context) {
  pop(context, End::kHead);
}

void zpopmax(Context& context) {
  pop(context, End::kTail);
}

void zmpop(Context& context) {
  const std::optional<MultiPop> pop = parse_multi_pop(context, 1, kMinMax);
  if (!pop) return;
  if (pop_many_with_key(context, *pop) == Attempt::kNothingThere) context.reply.null_array();
}

void bzpopmin(Context& context) {
  pop_or_wait(context, End::kHead);
}

void bzpopmax(Context& context) {
  pop_or_wait(context, End::kTail);
}

void bzmpop(Context& context) {
  const std::optional<MultiPop> pop = parse_multi_pop(context, 2, kMinMax);
  if (!pop) return;
  const std::optional<std::uint64_t> timeout_ms = timeout_argument(context, 1);
  if (!timeout_ms) return;
  if (pop_many_with_key(context, *pop) == Attempt::kAnswered) return;
  if (!context.may_block) return context.reply.null_array();
  wait_for_keys(context, pop->first_key, pop->behind_keys, *timeout_ms);
}

}  // namespace redraft::commands
