#pragma once

#include <array>
#include <cstddef>
#include <string_view>

struct lua_State;

namespace redraft::scripting {

// One of Lua's patterns (lua.org/manual/5.1, section 5.4.1) against one subject. Counts every step it takes, since a
// short pattern can backtrack for ever, and bounds its depth, since Lua's own matcher does not. Errors are raised in
// `lua`, with Lua's texts.
class PatternMatcher {
 public:
  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);
  static constexpr std::size_t kCapturesMax = 32;

  // A pattern ends at its first NUL, as Lua 5.1 reads it.
  PatternMatcher(lua_State* lua, std::string_view subject, std::string_view pattern);

  [[nodiscard]] bool anchored() const { return anchored_; }
  // The end of a match that begins at `begin`, or kNone.
  [[nodiscard]] std::size_t match(std::size_t begin);

  // After a match over [begin, end): pushes all captures, the whole match if there is none. Returns how many.
  int push_captures(std::size_t begin, std::size_t end, bool whole_if_none);
  // Pushes capture `i` from 0.
  void push_capture(std::size_t i, std::size_t begin, std::size_t end);

 private:
  struct Capture {
    std::size_t begin;
    std::size_t size;
  };
  static constexpr std::size_t kUnfinished = static_cast<std::size_t>(-1);
  static constexpr std::size_t kPosition = static_cast<std::size_t>(-2);
  static constexpr int kDepthMax = 200;

  void step();
  [[nodiscard]] char at(std::size_t p) const { return p < pattern_.size() ? pattern_[p] : '\0'; }
  [[nodiscard]] std::size_t match_here(std::size_t s, std::size_t p);
  [[nodiscard]] std::size_t match_items(std::size_t s, std::size_t p);
  [[nodiscard]] std::size_t match_most(std::size_t s, std::size_t p, std::size_t after);
  [[nodiscard]] std::size_t match_fewest(std::size_t s, std::size_t p, std::size_t after);
  [[nodiscard]] std::size_t begin_capture(std::size_t s, std::size_t p, std::size_t size);
  [[nodiscard]] std::size_t end_capture(std::size_t s, std::size_t p);
  [[nodiscard]] std::size_t match_balance(std::size_t s, std::size_t p);
  [[nodiscard]] std::size_t match_back_reference(std::size_t s, char digit);
  [[nodiscard]] bool frontier(std::size_t s, std::size_t set, std::size_t after);
  [[nodiscard]] bool matches_one(std::size_t s, std::size_t p, std::size_t after) const;
  [[nodiscard]] bool in_set(char c, std::size_t p, std::size_t last) const;
  [[nodiscard]] std::size_t item_end(std::size_t p);
  [[nodiscard]] std::size_t open_capture();
  [[nodiscard]] std::size_t checked_capture(char digit);

  lua_State* lua_;
  std::string_view subject_;
  std::string_view pattern_;
  bool anchored_ = false;
  int depth_ = 0;
  std::size_t level_ = 0;
  std::array<Capture, kCapturesMax> captures_{};
};

}  // namespace redraft::scripting
