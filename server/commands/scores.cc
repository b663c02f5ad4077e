#include "server/commands/scores.h"

#include <algorithm>

#include "resp/number.h"
#include "server/commands/arguments.h"

namespace redraft::commands {

std::optional<double> score_argument(Context& context, std::size_t i, std::string_view error) {
  const std::optional<double> score = resp::parse_double(context.argument(i));
  if (!score) context.reply.error(error);
  return score;
}

// ---- Scores

// As strtod reads a C string, which is what Redis does here (redis/redis:src/t_zset.c, zslParseRange): nothing is zero,
// space in front is forgiven, and what is too large for a double is infinite.
std::optional<ScoreRange::Bound> ScoreRange::parse_bound(std::string_view text) {
  Bound bound;
  if (text.starts_with('(')) {
    bound.exclusive = true;
    text.remove_prefix(1);
  }
  text = text.substr(0, text.find('\0'));
  const std::size_t begin = text.find_first_not_of(" \t\n\v\f\r");
  if (begin == std::string_view::npos) return text.empty() ? std::optional(bound) : std::nullopt;
  text.remove_prefix(begin);
  if (const std::optional<double> score = resp::parse_double(text)) {
    bound.score = *score;
    return bound;
  }
  const std::optional<long double> wide = resp::parse_long_double(text);
  if (!wide) return std::nullopt;
  bound.score = static_cast<double>(*wide);
  return bound;
}

std::optional<ScoreRange> ScoreRange::parse(Context& context, std::size_t min_at, std::size_t max_at) {
  const std::optional<Bound> min = parse_bound(context.argument(min_at));
  const std::optional<Bound> max = min ? parse_bound(context.argument(max_at)) : std::nullopt;
  if (max) return ScoreRange(*min, *max);
  context.reply.error(kNoScoreRange);
  return std::nullopt;
}

Ranks ScoreRange::of(const store::SortedSet& set) const {
  const std::uint64_t first = set.count_below(min_.score, min_.exclusive);
  const std::uint64_t behind = set.count_below(max_.score, !max_.exclusive);
  return {first, behind > first ? behind - first : 0};
}

// ---- Texts

std::optional<TextRange::Bound> TextRange::parse_bound(std::string_view text) {
  if (text == "-") return Bound{Bound::Kind::kFirst, false, {}};
  if (text == "+") return Bound{Bound::Kind::kLast, false, {}};
  if (!text.starts_with('(') && !text.starts_with('[')) return std::nullopt;
  return Bound{Bound::Kind::kText, text.front() == '(', text.substr(1)};
}

std::optional<TextRange> TextRange::parse(Context& context, std::size_t min_at, std::size_t max_at) {
  const std::optional<Bound> min = parse_bound(context.argument(min_at));
  const std::optional<Bound> max = parse_bound(context.argument(max_at));
  if (!min || !max) {
    context.reply.error(kNoTextRange);
    return std::nullopt;
  }
  TextRange range;
  range.min_ = *min;
  range.max_ = *max;
  return range;
}

std::uint64_t TextRange::count_in_front(const store::SortedSet& set, const Bound& bound, bool with_equal) {
  switch (bound.kind) {
    case Bound::Kind::kFirst:
      return 0;
    case Bound::Kind::kLast:
      return set.size();
    case Bound::Kind::kText:
      break;
  }
  return set.count_before(bound.text, with_equal);
}

Ranks TextRange::of(const store::SortedSet& set) const {
  const std::uint64_t first = count_in_front(set, min_, min_.exclusive);
  const std::uint64_t behind = count_in_front(set, max_, !max_.exclusive);
  return {first, behind > first ? behind - first : 0};
}

// ---- Ranks

std::optional<RankRange> RankRange::parse(Context& context, std::size_t start_at, std::size_t stop_at) {
  const std::optional<std::int64_t> start = integer_argument(context, start_at);
  if (!start) return std::nullopt;
  const std::optional<std::int64_t> stop = integer_argument(context, stop_at);
  if (!stop) return std::nullopt;
  return RankRange{*start, *stop};
}

Ranks RankRange::of(const store::SortedSet& set, bool backwards) const {
  const auto size = static_cast<std::int64_t>(set.size());
  const std::int64_t first = std::max<std::int64_t>(start < 0 ? start + size : start, 0);
  const std::int64_t last = std::min<std::int64_t>(stop < 0 ? stop + size : stop, size - 1);
  if (first > last) return {};
  const std::int64_t lowest = backwards ? size - 1 - last : first;
  return {static_cast<std::uint64_t>(lowest), static_cast<std::uint64_t>(last - first + 1)};
}

}  // namespace redraft::commands
