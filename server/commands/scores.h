#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "server/commands/context.h"
#include "server/store/sorted_set.h"

namespace redraft::commands {

inline constexpr std::string_view kNoScoreRange = "ERR min or max is not a float";
inline constexpr std::string_view kNoTextRange = "ERR min or max not valid string range item";

// A score or weight; answers `error` and returns nothing when it is none.
[[nodiscard]] std::optional<double> score_argument(Context& context, std::size_t i, std::string_view error);

// Ranks [first, first + count) of a sorted set.
struct Ranks {
  std::uint64_t first = 0;
  std::uint64_t count = 0;
};

// What a pair of arguments makes of a sorted set. The readers answer the error and return nothing.
class ScoreRange {
 public:
  [[nodiscard]] static std::optional<ScoreRange> parse(Context& context, std::size_t min_at, std::size_t max_at);
  [[nodiscard]] static ScoreRange between(double min, double max) { return {{min, false}, {max, false}}; }
  // Without the greatest score.
  [[nodiscard]] static ScoreRange up_to(double min, double behind) { return {{min, false}, {behind, true}}; }
  [[nodiscard]] Ranks of(const store::SortedSet& set) const;

 private:
  struct Bound {
    double score = 0;
    bool exclusive = false;
  };
  ScoreRange(Bound min, Bound max) : min_(min), max_(max) {}
  [[nodiscard]] static std::optional<Bound> parse_bound(std::string_view text);

  Bound min_;
  Bound max_;
};

// Of texts, for sets in which all scores are equal.
class TextRange {
 public:
  [[nodiscard]] static std::optional<TextRange> parse(Context& context, std::size_t min_at, std::size_t max_at);
  [[nodiscard]] Ranks of(const store::SortedSet& set) const;

 private:
  struct Bound {
    enum class Kind : std::uint8_t { kFirst, kText, kLast } kind = Kind::kText;  // kFirst: in front of all, "-"
    bool exclusive = false;
    std::string_view text;
  };
  [[nodiscard]] static std::optional<Bound> parse_bound(std::string_view text);
  // How many members lie in front of the bound, with the member at it or without.
  [[nodiscard]] static std::uint64_t count_in_front(const store::SortedSet& set, const Bound& bound, bool with_equal);

  Bound min_;
  Bound max_;
};

// Of ranks; negative ones count from the end.
struct RankRange {
  std::int64_t start = 0;
  std::int64_t stop = 0;
  [[nodiscard]] static std::optional<RankRange> parse(Context& context, std::size_t start_at, std::size_t stop_at);
  // With `backwards`, ranks count from the highest score.
  [[nodiscard]] Ranks of(const store::SortedSet& set, bool backwards) const;
};

}  // namespace redraft::commands
