#include "server/commands/sorted_sets.h"

#include <cmath>
#include <optional>
#include <string_view>
#include <vector>

#include "server/commands/arguments.h"
#include "server/commands/containers.h"
#include "server/commands/random_ranks.h"
#include "server/commands/scores.h"
#include "server/commands/zadd.h"

// ZADD, ZINCRBY and what concerns single members (redis.io/commands/?group=sorted-set). Ranges, the algebra of several
// sets and pops have files of their own.

namespace redraft::commands {

namespace {

bool take_flag(const Context& context, std::size_t i, AddOptions& options) {
  bool AddOptions::*flag = nullptr;
  if (option_is(context, i, "nx")) flag = &AddOptions::only_new;
  if (option_is(context, i, "xx")) flag = &AddOptions::only_present;
  if (option_is(context, i, "gt")) flag = &AddOptions::only_greater;
  if (option_is(context, i, "lt")) flag = &AddOptions::only_less;
  if (option_is(context, i, "ch")) flag = &AddOptions::count_changed;
  if (option_is(context, i, "incr")) flag = &AddOptions::increment;
  if (flag != nullptr) options.*flag = true;
  return flag != nullptr;
}

std::optional<AddOptions> parse_add_options(Context& context) {
  AddOptions options;
  while (options.first_pair < context.argument_count() && take_flag(context, options.first_pair, options)) {
    ++options.first_pair;
  }
  const std::size_t left = context.argument_count() - options.first_pair;
  std::string_view error;
  if (left == 0 || left % 2 != 0) {
    error = kSyntaxError;
  } else if (options.only_new && options.only_present) {
    error = "ERR XX and NX options at the same time are not compatible";
  } else if (options.only_new + options.only_greater + options.only_less > 1) {
    error = "ERR GT, LT, and/or NX options at the same time are not compatible";
  } else if (options.increment && left > 2) {
    error = "ERR INCR option supports a single increment-element pair";
  }
  if (error.empty()) return options;
  context.reply.error(error);
  return std::nullopt;
}

enum class Added : std::uint8_t { kNothing, kSame, kMoved, kNew, kNotANumber };

// One pair; `score` becomes the member's score afterwards.
Added add_member(store::SortedSet& set, std::string_view member, double& score, const AddOptions& options) {
  const std::optional<double> present = set.score(member);
  if (!present) {
    if (options.only_present) return Added::kNothing;
    set.set(member, score);
    return Added::kNew;
  }
  if (options.only_new) return Added::kNothing;
  if (options.increment) {
    score += *present;
    if (std::isnan(score)) return Added::kNotANumber;
  }
  if ((options.only_less && score >= *present) || (options.only_greater && score <= *present)) return Added::kNothing;
  if (score == *present) return Added::kSame;
  set.set(member, score);
  return Added::kMoved;
}

// INCR: the new score, or null where a condition kept it as it is.
void answer_increment(Context& context, Added added, double score) {
  if (added == Added::kNotANumber) return context.reply.error("ERR resulting score is not a number (NaN)");
  added == Added::kNothing ? context.reply.null() : context.reply.number(score);
}

void add_pairs(Context& context, const AddOptions& options) {
  ScoredViews pairs;
  for (std::size_t i = options.first_pair; i + 1 < context.argument_count(); i += 2) {
    const std::optional<double> score = score_argument(context, i, kNotAFloat);
    if (!score) return;
    pairs.push_back({context.argument(i + 1), *score});
  }
  add_members(context, options, pairs);
}

enum class Direction : std::uint8_t { kFromLowest, kFromHighest };

void answer_rank(Context& context, Direction direction) {
  if (context.argument_count() > 4) return answer_wrong_arity(context);
  const bool with_score = context.argument_count() == 4;
  if (with_score && !option_is(context, 3, "withscore")) return answer_syntax_error(context);
  const store::SortedSet* set = nullptr;
  if (!find_for_read(context, context.argument(1), set)) return;
  const std::string_view member = context.argument(2);
  const std::optional<std::uint64_t> rank = set == nullptr ? std::nullopt : set->rank(member);
  if (!rank) return with_score ? context.reply.null_array() : context.reply.null();
  if (with_score) context.reply.array(2);
  const std::uint64_t counted = direction == Direction::kFromLowest ? *rank : set->size() - 1 - *rank;
  context.reply.integer(static_cast<std::int64_t>(counted));
  if (with_score) context.reply.number(set->score(member).value_or(0));
}

void answer_score(Context& context, const store::SortedSet* set, std::string_view member) {
  const std::optional<double> score = set == nullptr ? std::nullopt : set->score(member);
  score ? context.reply.number(*score) : context.reply.null();
}

}  // namespace

void add_members(Context& context, const AddOptions& options, ScoredViews& members) {
  const std::string_view key = context.argument(1);
  store::SortedSet* set = nullptr;
  if (!find_for_write(context, key, set)) return;
  if (set == nullptr) {
    if (options.only_present) return options.increment ? context.reply.null() : context.reply.integer(0);
    set = &create_sorted_set(context, key);
  }
  set->expect(members.size());
  std::int64_t added = 0;
  std::int64_t moved = 0;
  Added last = Added::kNothing;
  Breaths breaths(context);
  for (ScoredView& one : members) {
    last = add_member(*set, one.member, one.score, options);
    if (last == Added::kNew) ++added;
    if (last == Added::kMoved) ++moved;
    breaths.step();
  }
  if (added + moved > 0) {
    changed(context, key);
    context.notify(Event::kSortedSet, options.increment ? "zincr" : "zadd", key);
  }
  if (options.increment) return answer_increment(context, last, members.front().score);
  context.reply.integer(options.count_changed ? added + moved : added);
}

void zadd(Context& context) {
  const std::optional<AddOptions> options = parse_add_options(context);
  if (options) add_pairs(context, *options);
}

// Redis reads ZADD's options here too, and then misses a member.
void zincrby(Context& context) {
  for (const std::string_view option : {"nx", "xx", "gt", "lt", "ch", "incr"}) {
    if (option_is(context, 2, option)) return answer_syntax_error(context);
  }
  AddOptions options;
  options.increment = true;
  add_pairs(context, options);
}

void zrem(Context& context) {
  remove_elements<store::SortedSet>(context, Event::kSortedSet, "zrem");
}

void zcard(Context& context) {
  const store::SortedSet* set = nullptr;
  if (!find_for_read(context, context.argument(1), set)) return;
  context.reply.integer(set == nullptr ? 0 : static_cast<std::int64_t>(set->size()));
}

void zscore(Context& context) {
  const store::SortedSet* set = nullptr;
  if (!find_for_read(context, context.argument(1), set)) return;
  answer_score(context, set, context.argument(2));
}

void zmscore(Context& context) {
  const store::SortedSet* set = nullptr;
  if (!find_for_read(context, context.argument(1), set)) return;
  const auto members = context.arguments.subspan(2);
  context.reply.array(members.size());
  Breaths breaths(context);
  for (const std::string_view member : members) {
    answer_score(context, set, member);
    breaths.step();
  }
}

void zrank(Context& context) {
  answer_rank(context, Direction::kFromLowest);
}

void zrevrank(Context& context) {
  answer_rank(context, Direction::kFromHighest);
}

void zrandmember(Context& context) {
  const std::optional<RandomChoice> choice = parse_random_choice(context, "withscores");
  if (!choice) return;
  const store::SortedSet* set = nullptr;
  if (!find_for_read(context, context.argument(1), set)) return;
  const auto answer = [&](std::uint64_t rank) {
    set->visit(rank, 1, false, [&](std::string_view member, double score) {
      context.reply.bulk(member);
      if (choice->with_values) context.reply.number(score);
      return true;
    });
  };
  if (!choice->one) return answer_random_choice(context, set == nullptr ? 0 : set->size(), *choice, answer);
  if (set == nullptr) return context.reply.null();
  answer(context.random.below(set->size()));
}

}  // namespace redraft::commands
