#include <optional>
#include <string_view>
#include <variant>

#include "server/commands/arguments.h"
#include "server/commands/containers.h"
#include "server/commands/scores.h"
#include "server/commands/sorted_set_results.h"
#include "server/commands/sorted_sets.h"

// ZRANGE, which has become all range commands in one, its elder forms, ZRANGESTORE, counting and removal
// (redis.io/commands/zrange).

namespace redraft::commands {

namespace {

enum class By : std::uint8_t { kRank, kScore, kText };

// A range command's arguments. Ranges are of `range`; LIMIT skips and counts in the direction of the reply.
struct RangeQuery {
  By by = By::kRank;
  bool backwards = false;
  bool with_scores = false;
  bool has_limit = false;
  std::int64_t offset = 0;
  std::int64_t limit = -1;
  std::variant<RankRange, ScoreRange, TextRange> range;

  [[nodiscard]] Ranks of(const store::SortedSet& set) const;
};

// Which options a command has, and where its arguments stand.
struct RangeForm {
  std::size_t key_at = 1;
  std::optional<By> by;           // none: an option chooses it
  std::optional<bool> backwards;  // none: REV chooses it
  bool knows_scores = true;       // WITHSCORES
};

Ranks RangeQuery::of(const store::SortedSet& set) const {
  if (by == By::kRank) return std::get<RankRange>(range).of(set, backwards);
  Ranks ranks = by == By::kScore ? std::get<ScoreRange>(range).of(set) : std::get<TextRange>(range).of(set);
  if (!has_limit) return ranks;
  if (offset < 0 || static_cast<std::uint64_t>(offset) >= ranks.count) return {};
  const auto skipped = static_cast<std::uint64_t>(offset);
  const std::uint64_t left = ranks.count - skipped;
  const std::uint64_t count = limit < 0 ? left : std::min(left, static_cast<std::uint64_t>(limit));
  return {backwards ? ranks.first + left - count : ranks.first + skipped, count};
}

bool take_limit(Context& context, std::size_t i, RangeQuery& query) {
  const std::optional<std::int64_t> offset = integer_argument(context, i + 1);
  if (!offset) return false;
  const std::optional<std::int64_t> limit = integer_argument(context, i + 2);
  if (!limit) return false;
  query.has_limit = true;
  query.offset = *offset;
  query.limit = *limit;
  return true;
}

// What the command's name leaves open, one option may choose.
bool parse_range_options(Context& context, const RangeForm& form, RangeQuery& query) {
  bool has_order = form.by.has_value();
  bool has_direction = form.backwards.has_value();
  for (std::size_t i = form.key_at + 3; i < context.argument_count(); ++i) {
    const std::size_t left = context.argument_count() - i - 1;
    if (form.knows_scores && option_is(context, i, "withscores")) {
      query.with_scores = true;
    } else if (left >= 2 && option_is(context, i, "limit")) {
      if (!take_limit(context, i, query)) return false;
      i += 2;
    } else if (!has_direction && option_is(context, i, "rev")) {
      has_direction = query.backwards = true;
    } else if (!has_order && option_is(context, i, "bylex")) {
      has_order = true;
      query.by = By::kText;
    } else if (!has_order && option_is(context, i, "byscore")) {
      has_order = true;
      query.by = By::kScore;
    } else {
      answer_syntax_error(context);
      return false;
    }
  }
  if (query.limit != -1 && query.by == By::kRank) {
    context.reply.error("ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX");
    return false;
  }
  if (query.with_scores && query.by == By::kText) {
    context.reply.error("ERR syntax error, WITHSCORES not supported in combination with BYLEX");
    return false;
  }
  return true;
}

template <class Range>
bool parse_bounds(Context& context, std::size_t from, std::size_t to, RangeQuery& query) {
  const std::optional<Range> range = Range::parse(context, from, to);
  if (range) query.range = *range;
  return range.has_value();
}

std::optional<RangeQuery> parse_range(Context& context, const RangeForm& form) {
  RangeQuery query;
  query.by = form.by.value_or(By::kRank);
  query.backwards = form.backwards.value_or(false);
  if (!parse_range_options(context, form, query)) return std::nullopt;
  const std::size_t first = form.key_at + 1;
  // Backwards the greater end of scores and texts comes first.
  const bool swapped = query.backwards && query.by != By::kRank;
  const std::size_t from = swapped ? first + 1 : first;
  const std::size_t to = swapped ? first : first + 1;
  const bool valid = query.by == By::kRank    ? parse_bounds<RankRange>(context, from, to, query)
                     : query.by == By::kScore ? parse_bounds<ScoreRange>(context, from, to, query)
                                              : parse_bounds<TextRange>(context, from, to, query);
  if (!valid) return std::nullopt;
  return query;
}

void answer_range(Context& context, const RangeForm& form) {
  const std::optional<RangeQuery> query = parse_range(context, form);
  if (!query) return;
  const store::SortedSet* set = nullptr;
  if (!find_for_read(context, context.argument(form.key_at), set)) return;
  if (set == nullptr) return context.reply.array(0);
  answer_ranks(context, *set, query->of(*set), query->backwards, query->with_scores);
}

template <class Range>
void answer_count(Context& context) {
  const std::optional<Range> range = Range::parse(context, 2, 3);
  if (!range) return;
  const store::SortedSet* set = nullptr;
  if (!find_for_read(context, context.argument(1), set)) return;
  context.reply.integer(set == nullptr ? 0 : static_cast<std::int64_t>(range->of(*set).count));
}

template <class RanksOf>
void remove_range(Context& context, std::string_view event, RanksOf ranks_of) {
  const std::string_view key = context.argument(1);
  store::SortedSet* set = nullptr;
  if (!find_for_write(context, key, set)) return;
  if (set == nullptr) return context.reply.integer(0);
  const Ranks ranks = ranks_of(*set);
  Breaths breaths(context);
  for (std::uint64_t i = 0; i < ranks.count; ++i) {
    set->remove_at(ranks.first);
    breaths.step();
  }
  if (ranks.count > 0) {
    changed(context, key);
    context.notify(Event::kSortedSet, event, key);
    remove_if_empty(context, key, *set);
  }
  context.reply.integer(static_cast<std::int64_t>(ranks.count));
}

}  // namespace

void zrange(Context& context) {
  answer_range(context, {});
}

void zrevrange(Context& context) {
  answer_range(context, {.by = By::kRank, .backwards = true});
}

void zrangebyscore(Context& context) {
  answer_range(context, {.by = By::kScore, .backwards = false});
}

void zrevrangebyscore(Context& context) {
  answer_range(context, {.by = By::kScore, .backwards = true});
}

void zrangebylex(Context& context) {
  answer_range(context, {.by = By::kText, .backwards = false});
}

void zrevrangebylex(Context& context) {
  answer_range(context, {.by = By::kText, .backwards = true});
}

void zrangestore(Context& context) {
  const std::optional<RangeQuery> query =
      parse_range(context, {.key_at = 2, .by = {}, .backwards = {}, .knows_scores = false});
  if (!query) return;
  const store::SortedSet* set = nullptr;
  if (!find_for_read(context, context.argument(2), set)) return;
  ScoredMembers members;
  if (set != nullptr) {
    const Ranks ranks = query->of(*set);
    members.reserve(ranks.count);
    Breaths breaths(context);
    set->visit(ranks.first, ranks.count, false, [&](std::string_view member, double score) {
      members.push_back({std::string(member), score});
      breaths.step();
      return true;
    });
  }
  store_and_answer(context, context.argument(1), members, "zrangestore");
}

void zcount(Context& context) {
  answer_count<ScoreRange>(context);
}

void zlexcount(Context& context) {
  answer_count<TextRange>(context);
}

void zremrangebyrank(Context& context) {
  const std::optional<RankRange> range = RankRange::parse(context, 2, 3);
  if (!range) return;
  remove_range(context, "zremrangebyrank", [&](const store::SortedSet& set) { return range->of(set, false); });
}

void zremrangebyscore(Context& context) {
  const std::optional<ScoreRange> range = ScoreRange::parse(context, 2, 3);
  if (!range) return;
  remove_range(context, "zremrangebyscore", [&](const store::SortedSet& set) { return range->of(set); });
}

void zremrangebylex(Context& context) {
  const std::optional<TextRange> range = TextRange::parse(context, 2, 3);
  if (!range) return;
  remove_range(context, "zremrangebylex", [&](const store::SortedSet& set) { return range->of(set); });
}

}  // namespace redraft::commands
