#include "server/scripting/pattern.h"

#include <cctype>
#include <cstring>

#include <lua5.1/lua.hpp>

#include "server/scripting/machine.h"

namespace redraft::scripting {

namespace {

bool in_class(char c, char name) {
  const auto byte = static_cast<unsigned char>(c);
  const auto is = [byte](char lower) {
    switch (lower) {
      case 'a':
        return std::isalpha(byte) != 0;
      case 'c':
        return std::iscntrl(byte) != 0;
      case 'd':
        return std::isdigit(byte) != 0;
      case 'l':
        return std::islower(byte) != 0;
      case 'p':
        return std::ispunct(byte) != 0;
      case 's':
        return std::isspace(byte) != 0;
      case 'u':
        return std::isupper(byte) != 0;
      case 'w':
        return std::isalnum(byte) != 0;
      case 'x':
        return std::isxdigit(byte) != 0;
      default:
        return byte == 0;
    }
  };
  const auto lower = static_cast<char>(std::tolower(static_cast<unsigned char>(name)));
  if (std::strchr("acdlpsuwxz", lower) == nullptr) return name == c;
  return std::isupper(static_cast<unsigned char>(name)) != 0 ? !is(lower) : is(lower);
}

}  // namespace

PatternMatcher::PatternMatcher(lua_State* lua, std::string_view subject, std::string_view pattern)
    : lua_(lua), subject_(subject), pattern_(pattern.substr(0, pattern.find('\0'))) {
  anchored_ = pattern_.starts_with('^');
}

void PatternMatcher::step() {
  Machine::of(lua_).charge(lua_, 1);
}

std::size_t PatternMatcher::match(std::size_t begin) {
  level_ = 0;
  depth_ = 0;
  step();
  return match_here(begin, anchored_ ? 1 : 0);
}

std::size_t PatternMatcher::match_here(std::size_t s, std::size_t p) {
  if (++depth_ > kDepthMax) luaL_error(lua_, "pattern too complex");
  const std::size_t end = match_items(s, p);
  --depth_;
  return end;
}

// Item after item; only what may have to try again recurses.
std::size_t PatternMatcher::match_items(std::size_t s, std::size_t p) {
  while (p < pattern_.size()) {
    step();
    const char c = pattern_[p];
    if (c == '(') {
      return at(p + 1) == ')' ? begin_capture(s, p + 2, kPosition) : begin_capture(s, p + 1, kUnfinished);
    }
    if (c == ')') return end_capture(s, p + 1);
    if (c == '$' && p + 1 == pattern_.size()) return s == subject_.size() ? s : kNone;
    if (c == '%' && at(p + 1) == 'b') {
      s = match_balance(s, p + 2);
      if (s == kNone) return kNone;
      p += 4;
      continue;
    }
    if (c == '%' && at(p + 1) == 'f') {
      p += 2;
      if (at(p) != '[') luaL_error(lua_, "missing '[' after '%%f' in pattern");
      const std::size_t after = item_end(p);
      if (!frontier(s, p, after)) return kNone;
      p = after;
      continue;
    }
    if (c == '%' && std::isdigit(static_cast<unsigned char>(at(p + 1))) != 0) {
      s = match_back_reference(s, at(p + 1));
      if (s == kNone) return kNone;
      p += 2;
      continue;
    }
    const std::size_t after = item_end(p);
    const bool fits = s < subject_.size() && matches_one(s, p, after);
    switch (at(after)) {
      case '?':
        if (fits) {
          const std::size_t end = match_here(s + 1, after + 1);
          if (end != kNone) return end;
        }
        p = after + 1;
        continue;
      case '*':
        return match_most(s, p, after);
      case '+':
        return fits ? match_most(s + 1, p, after) : kNone;
      case '-':
        return match_fewest(s, p, after);
      default:
        if (!fits) return kNone;
        ++s;
        p = after;
    }
  }
  return s;
}

std::size_t PatternMatcher::match_most(std::size_t s, std::size_t p, std::size_t after) {
  std::size_t count = 0;
  while (s + count < subject_.size() && matches_one(s + count, p, after)) {
    step();
    ++count;
  }
  while (true) {
    const std::size_t end = match_here(s + count, after + 1);
    if (end != kNone || count == 0) return end;
    --count;
  }
}

std::size_t PatternMatcher::match_fewest(std::size_t s, std::size_t p, std::size_t after) {
  while (true) {
    const std::size_t end = match_here(s, after + 1);
    if (end != kNone) return end;
    if (s == subject_.size() || !matches_one(s, p, after)) return kNone;
    ++s;
  }
}

std::size_t PatternMatcher::begin_capture(std::size_t s, std::size_t p, std::size_t size) {
  if (level_ == kCapturesMax) luaL_error(lua_, "too many captures");
  captures_[level_] = {s, size};
  ++level_;
  const std::size_t end = match_here(s, p);
  if (end == kNone) --level_;
  return end;
}

std::size_t PatternMatcher::end_capture(std::size_t s, std::size_t p) {
  const std::size_t open = open_capture();
  captures_[open].size = s - captures_[open].begin;
  const std::size_t end = match_here(s, p);
  if (end == kNone) captures_[open].size = kUnfinished;
  return end;
}

std::size_t PatternMatcher::open_capture() {
  for (std::size_t i = level_; i > 0; --i) {
    if (captures_[i - 1].size == kUnfinished) return i - 1;
  }
  luaL_error(lua_, "invalid pattern capture");
  return 0;
}

std::size_t PatternMatcher::checked_capture(char digit) {
  const auto i = static_cast<std::size_t>(static_cast<unsigned char>(digit)) - '1';
  if (i >= level_ || captures_[i].size == kUnfinished) luaL_error(lua_, "invalid capture index");
  return i;
}

std::size_t PatternMatcher::match_balance(std::size_t s, std::size_t p) {
  if (p + 1 >= pattern_.size()) luaL_error(lua_, "unbalanced pattern");
  if (s >= subject_.size() || subject_[s] != pattern_[p]) return kNone;
  const char begin = pattern_[p];
  const char end = pattern_[p + 1];
  std::size_t open = 1;
  for (std::size_t i = s + 1; i < subject_.size(); ++i) {
    step();
    if (subject_[i] == end) {
      if (--open == 0) return i + 1;
    } else if (subject_[i] == begin) {
      ++open;
    }
  }
  return kNone;
}

std::size_t PatternMatcher::match_back_reference(std::size_t s, char digit) {
  const Capture& capture = captures_[checked_capture(digit)];
  // A position has no text; Lua compares its marker as a length, which never fits.
  if (capture.size == kPosition || subject_.size() - s < capture.size) return kNone;
  Machine::of(lua_).charge_bytes(lua_, capture.size);
  return subject_.substr(capture.begin, capture.size) == subject_.substr(s, capture.size) ? s + capture.size : kNone;
}

bool PatternMatcher::frontier(std::size_t s, std::size_t set, std::size_t after) {
  const char before = s == 0 ? '\0' : subject_[s - 1];
  const char here = s < subject_.size() ? subject_[s] : '\0';
  return !in_set(before, set, after - 1) && in_set(here, set, after - 1);
}

bool PatternMatcher::matches_one(std::size_t s, std::size_t p, std::size_t after) const {
  const char c = subject_[s];
  switch (pattern_[p]) {
    case '.':
      return true;
    case '%':
      return in_class(c, at(p + 1));
    case '[':
      return in_set(c, p, after - 1);
    default:
      return pattern_[p] == c;
  }
}

// [set], of which `last` is the closing bracket.
bool PatternMatcher::in_set(char c, std::size_t p, std::size_t last) const {
  bool found = true;
  if (at(p + 1) == '^') {
    found = false;
    ++p;
  }
  const auto byte = static_cast<unsigned char>(c);
  while (++p < last) {
    if (pattern_[p] == '%') {
      ++p;
      if (in_class(c, at(p))) return found;
    } else if (at(p + 1) == '-' && p + 2 < last) {
      p += 2;
      if (static_cast<unsigned char>(pattern_[p - 2]) <= byte && byte <= static_cast<unsigned char>(pattern_[p])) {
        return found;
      }
    } else if (pattern_[p] == c) {
      return found;
    }
  }
  return !found;
}

std::size_t PatternMatcher::item_end(std::size_t p) {
  const char c = pattern_[p];
  ++p;
  if (c == '%') {
    if (p >= pattern_.size()) luaL_error(lua_, "malformed pattern (ends with '%%')");
    return p + 1;
  }
  if (c != '[') return p;
  if (at(p) == '^') ++p;
  // The first character may be the bracket itself.
  do {
    step();
    if (p >= pattern_.size()) luaL_error(lua_, "malformed pattern (missing ']')");
    const char inside = pattern_[p];
    ++p;
    if (inside == '%' && p < pattern_.size()) ++p;
  } while (at(p) != ']');
  return p + 1;
}

void PatternMatcher::push_capture(std::size_t i, std::size_t begin, std::size_t end) {
  if (i >= level_) {
    if (i != 0) luaL_error(lua_, "invalid capture index");
    lua_pushlstring(lua_, subject_.data() + begin, end - begin);
    return;
  }
  const Capture& capture = captures_[i];
  if (capture.size == kUnfinished) luaL_error(lua_, "unfinished capture");
  if (capture.size == kPosition) {
    lua_pushinteger(lua_, static_cast<lua_Integer>(capture.begin + 1));
  } else {
    lua_pushlstring(lua_, subject_.data() + capture.begin, capture.size);
  }
}

int PatternMatcher::push_captures(std::size_t begin, std::size_t end, bool whole_if_none) {
  const std::size_t count = level_ == 0 && whole_if_none ? 1 : level_;
  luaL_checkstack(lua_, static_cast<int>(count), "too many captures");
  for (std::size_t i = 0; i < count; ++i) push_capture(i, begin, end);
  return static_cast<int>(count);
}

}  // namespace redraft::scripting
