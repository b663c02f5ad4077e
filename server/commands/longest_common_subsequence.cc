#include "server/commands/longest_common_subsequence.h"

#include <algorithm>

#include "server/store/breather.h"

namespace redraft::commands {

std::uint64_t LongestCommonSubsequence::table_bytes(std::string_view a, std::string_view b) {
  return (static_cast<std::uint64_t>(a.size()) + 1) * (static_cast<std::uint64_t>(b.size()) + 1) *
         sizeof(std::uint32_t);
}

LongestCommonSubsequence::LongestCommonSubsequence(std::string_view a, std::string_view b, store::Breather& breather)
    : a_(a), b_(b) {
  constexpr std::size_t kCellsPerBreath = 16384;
  const std::size_t width = b_.size() + 1;
  table_.reserve((a_.size() + 1) * width);
  std::size_t cells = 0;
  // Memory is touched row by row, since clearing all of it at once would be one long breathless step.
  table_.resize(width, 0);
  for (std::size_t i = 1; i <= a_.size(); ++i) {
    table_.push_back(0);
    for (std::size_t j = 1; j <= b_.size(); ++j) {
      const std::uint32_t cell = a_[i - 1] == b_[j - 1] ? at(i - 1, j - 1) + 1 : std::max(at(i - 1, j), table_.back());
      table_.push_back(cell);
      if (++cells % kCellsPerBreath == 0) breather.breathe();
    }
  }
}

std::uint32_t LongestCommonSubsequence::length() const {
  return at(a_.size(), b_.size());
}

template <class Visit>
void LongestCommonSubsequence::trace(Visit visit) const {
  std::size_t i = a_.size();
  std::size_t j = b_.size();
  while (i > 0 && j > 0) {
    if (a_[i - 1] == b_[j - 1]) {
      visit(i - 1, j - 1);
      --i;
      --j;
    } else if (at(i - 1, j) > at(i, j - 1)) {
      --i;
    } else {
      --j;
    }
  }
}

std::string LongestCommonSubsequence::text() const {
  std::string text;
  text.reserve(length());
  trace([&](std::size_t i, std::size_t) { text.push_back(a_[i]); });
  std::reverse(text.begin(), text.end());
  return text;
}

std::vector<LongestCommonSubsequence::Match> LongestCommonSubsequence::matches() const {
  std::vector<Match> matches;
  trace([&](std::size_t i, std::size_t j) {
    const auto a = static_cast<std::uint32_t>(i);
    const auto b = static_cast<std::uint32_t>(j);
    if (!matches.empty() && matches.back().a_first == a + 1 && matches.back().b_first == b + 1) {
      matches.back().a_first = a;
      matches.back().b_first = b;
    } else {
      matches.push_back(Match{a, a, b, b});
    }
  });
  return matches;
}

}  // namespace redraft::commands
