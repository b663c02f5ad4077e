#include "server/commands/glob.h"

#include <cstddef>
#include <utility>

namespace redraft::commands {

namespace {

// Bytes compare as signed numbers in ranges, as Redis's do on the machines it is built for; spelled out so that it is
// the same everywhere.
int as_number(char c, bool ignore_case) {
  if (ignore_case && c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return static_cast<signed char>(c);
}

// A class begins behind its `[`. Moves `at` behind its `]`, or to the end when that is missing, which Redis forgives.
bool class_matches(std::string_view pattern, std::size_t& at, char c, bool ignore_case) {
  const bool negated = at < pattern.size() && pattern[at] == '^';
  if (negated) ++at;
  const int wanted = as_number(c, ignore_case);
  bool found = false;
  while (at < pattern.size()) {
    if (pattern[at] == '\\' && at + 1 < pattern.size()) {
      found |= pattern[at + 1] == c;
      at += 2;
    } else if (pattern[at] == ']') {
      ++at;
      break;
    } else if (at + 2 < pattern.size() && pattern[at + 1] == '-') {
      int first = as_number(pattern[at], false);
      int last = as_number(pattern[at + 2], false);
      if (first > last) std::swap(first, last);
      if (ignore_case) {
        first = as_number(static_cast<char>(first), true);
        last = as_number(static_cast<char>(last), true);
      }
      found |= wanted >= first && wanted <= last;
      at += 3;
    } else {
      found |= as_number(pattern[at], ignore_case) == wanted;
      ++at;
    }
  }
  return found != negated;
}

// Matches one byte against the element at `at` (not a star) and moves `at` behind it.
bool element_matches(std::string_view pattern, std::size_t& at, char c, bool ignore_case) {
  const char element = pattern[at++];
  if (element == '?') return true;
  if (element == '[') return class_matches(pattern, at, c, ignore_case);
  const char literal = element == '\\' && at < pattern.size() ? pattern[at++] : element;
  return as_number(literal, ignore_case) == as_number(c, ignore_case);
}

}  // namespace

bool glob_matches(std::string_view pattern, std::string_view text, bool ignore_case) {
  if (text.empty()) return pattern.empty();
  constexpr std::size_t kNone = std::string_view::npos;
  std::size_t at = 0;
  std::size_t byte = 0;
  // Behind the last star passed, and the first byte that it does not cover yet. Only the last star needs to grow: an
  // earlier one could only give the later ones less to choose from.
  std::size_t behind_star = kNone;
  std::size_t uncovered = 0;
  while (byte < text.size()) {
    if (at < pattern.size() && pattern[at] == '*') {
      while (at < pattern.size() && pattern[at] == '*') ++at;
      if (at == pattern.size()) return true;
      behind_star = at;
      uncovered = byte;
      continue;
    }
    if (at < pattern.size() && element_matches(pattern, at, text[byte], ignore_case)) {
      ++byte;
      continue;
    }
    if (behind_star == kNone) return false;
    at = behind_star;
    byte = ++uncovered;
  }
  while (at < pattern.size() && pattern[at] == '*') ++at;
  return at == pattern.size();
}

}  // namespace redraft::commands
