#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace redraft::store {
class Breather;
}

namespace redraft::commands {

// The table of dynamic programming behind LCS (redis.io/commands/lcs): time and transient memory are proportional to
// the product of the lengths, so the caller bounds it first (`table_bytes`).
class LongestCommonSubsequence {
 public:
  // A run of bytes that both strings share; ends inclusive, as LCS IDX answers them.
  struct Match {
    std::uint32_t a_first = 0;
    std::uint32_t a_last = 0;
    std::uint32_t b_first = 0;
    std::uint32_t b_last = 0;
    [[nodiscard]] std::uint32_t length() const { return a_last - a_first + 1; }
  };

  [[nodiscard]] static std::uint64_t table_bytes(std::string_view a, std::string_view b);

  // The strings outlive this object.
  LongestCommonSubsequence(std::string_view a, std::string_view b, store::Breather& breather);

  [[nodiscard]] std::uint32_t length() const;
  [[nodiscard]] std::string text() const;
  // From the end of the strings to their beginning, the order of Redis's answer.
  [[nodiscard]] std::vector<Match> matches() const;

 private:
  [[nodiscard]] std::uint32_t at(std::size_t i, std::size_t j) const { return table_[i * (b_.size() + 1) + j]; }
  // Walks back through the table; `visit(i, j)` gets the position of each common byte.
  template <class Visit>
  void trace(Visit visit) const;

  std::string_view a_;
  std::string_view b_;
  std::vector<std::uint32_t> table_;  // at(i, j): the length for the first i bytes of a and the first j of b
};

}  // namespace redraft::commands
