#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include <lua5.1/lua.hpp>

#include "server/scripting/libraries.h"
#include "server/scripting/machine.h"
#include "server/scripting/pattern.h"

// Lua's string library; what searches is ours (pattern.h), the rest is Lua's and counted by what it touches.

namespace redraft::scripting {

namespace {

std::string_view check_string(lua_State* lua, int index) {
  std::size_t size = 0;
  const char* const bytes = luaL_checklstring(lua, index, &size);
  return {bytes, size};
}

// A position from the front or, negative, from the back; at most 0 when it lies before the first.
std::ptrdiff_t relative_position(lua_Integer position, std::size_t size) {
  if (position < 0) position += static_cast<lua_Integer>(size) + 1;
  return std::max<std::ptrdiff_t>(position, 0);
}

bool has_special(std::string_view pattern) {
  return pattern.substr(0, pattern.find('\0')).find_first_of("^$*+?.([%-") != std::string_view::npos;
}

// memmem, but in time bounded by what it counts.
std::size_t find_plain(lua_State* lua, std::string_view subject, std::size_t begin, std::string_view wanted) {
  Machine& machine = Machine::of(lua);
  if (wanted.empty()) return begin;
  for (std::size_t at = begin; wanted.size() <= subject.size() - at; ++at) {
    const void* const first = std::memchr(subject.data() + at, wanted.front(), subject.size() - at - wanted.size() + 1);
    if (first == nullptr) break;
    const auto found = static_cast<std::size_t>(static_cast<const char*>(first) - subject.data());
    machine.charge(lua, 1 + (found - at + wanted.size()) / 16);
    at = found;
    if (std::memcmp(subject.data() + at, wanted.data(), wanted.size()) == 0) return at;
  }
  machine.charge_bytes(lua, subject.size());
  return std::string_view::npos;
}

int find_or_match(lua_State* lua, bool find) {
  const std::string_view subject = check_string(lua, 1);
  const std::string_view pattern = check_string(lua, 2);
  std::ptrdiff_t init = relative_position(luaL_optinteger(lua, 3, 1), subject.size()) - 1;
  init = std::clamp<std::ptrdiff_t>(init, 0, static_cast<std::ptrdiff_t>(subject.size()));
  const auto begin = static_cast<std::size_t>(init);
  if (find && (lua_toboolean(lua, 4) != 0 || !has_special(pattern))) {
    const std::size_t found = find_plain(lua, subject, begin, pattern);
    if (found == std::string_view::npos) {
      lua_pushnil(lua);
      return 1;
    }
    lua_pushinteger(lua, static_cast<lua_Integer>(found + 1));
    lua_pushinteger(lua, static_cast<lua_Integer>(found + pattern.size()));
    return 2;
  }
  PatternMatcher matcher(lua, subject, pattern);
  for (std::size_t at = begin; at <= subject.size(); ++at) {
    const std::size_t end = matcher.match(at);
    if (end != PatternMatcher::kNone) {
      if (!find) return matcher.push_captures(at, end, true);
      lua_pushinteger(lua, static_cast<lua_Integer>(at + 1));
      lua_pushinteger(lua, static_cast<lua_Integer>(end));
      return matcher.push_captures(at, end, false) + 2;
    }
    if (matcher.anchored()) break;
  }
  lua_pushnil(lua);
  return 1;
}

int string_find(lua_State* lua) {
  return find_or_match(lua, true);
}
int string_match(lua_State* lua) {
  return find_or_match(lua, false);
}

// Upvalues: subject, pattern, where to go on.
int next_match(lua_State* lua) {
  const std::string_view subject = check_string(lua, lua_upvalueindex(1));
  std::string pattern(check_string(lua, lua_upvalueindex(2)));
  // gmatch knows no anchor: the character stands for itself.
  if (pattern.starts_with('^')) pattern.insert(pattern.begin(), '%');
  const auto begin = static_cast<std::size_t>(lua_tointeger(lua, lua_upvalueindex(3)));
  PatternMatcher matcher(lua, subject, pattern);
  for (std::size_t at = begin; at <= subject.size(); ++at) {
    const std::size_t end = matcher.match(at);
    if (end == PatternMatcher::kNone) continue;
    lua_pushinteger(lua, static_cast<lua_Integer>(end == at ? end + 1 : end));
    lua_replace(lua, lua_upvalueindex(3));
    return matcher.push_captures(at, end, true);
  }
  return 0;
}

int string_gmatch(lua_State* lua) {
  luaL_checkstring(lua, 1);
  luaL_checkstring(lua, 2);
  lua_settop(lua, 2);
  lua_pushinteger(lua, 0);
  lua_pushcclosure(lua, next_match, 3);
  return 1;
}

// string.gsub under way: the replacement is argument 3.
class Substitution {
 public:
  Substitution(lua_State* lua, PatternMatcher& matcher, std::string_view subject)
      : lua_(lua), matcher_(matcher), subject_(subject) {}

  void replace(std::size_t begin, std::size_t end) {
    switch (lua_type(lua_, 3)) {
      case LUA_TNUMBER:
      case LUA_TSTRING:
        return add_template(begin, end);
      case LUA_TTABLE:
        matcher_.push_capture(0, begin, end);
        lua_gettable(lua_, 3);
        break;
      default:
        lua_pushvalue(lua_, 3);
        lua_call(lua_, matcher_.push_captures(begin, end, true), 1);
    }
    if (lua_toboolean(lua_, -1) == 0) {
      add(subject_.substr(begin, end - begin));
    } else if (lua_isstring(lua_, -1) != 0) {
      std::size_t size = 0;
      const char* const bytes = lua_tolstring(lua_, -1, &size);
      add({bytes, size});
    } else {
      luaL_error(lua_, "invalid replacement value (a %s)", luaL_typename(lua_, -1));
    }
    lua_pop(lua_, 1);
  }

  // The result lies outside of Lua's heap until it is whole, so its size is looked at here.
  void add(std::string_view bytes) {
    Machine& machine = Machine::of(lua_);
    machine.charge_bytes(lua_, bytes.size());
    if (result_.size() + bytes.size() > machine.memory_max()) machine.end(Ending::kMemory);
    machine.check_ended(lua_);
    result_.append(bytes);
  }
  [[nodiscard]] std::string_view result() const { return result_; }

 private:
  void add_template(std::size_t begin, std::size_t end) {
    std::size_t size = 0;
    const char* const bytes = lua_tolstring(lua_, 3, &size);
    const std::string_view text(bytes, size);
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text[i] != '%') {
        add(text.substr(i, 1));
        continue;
      }
      ++i;
      const char c = i < text.size() ? text[i] : '\0';
      if (c < '0' || c > '9') {
        add(std::string_view(&c, 1));
      } else if (c == '0') {
        add(subject_.substr(begin, end - begin));
      } else {
        matcher_.push_capture(static_cast<std::size_t>(c - '1'), begin, end);
        std::size_t capture_size = 0;
        const char* const capture = lua_tolstring(lua_, -1, &capture_size);
        add({capture, capture_size});
        lua_pop(lua_, 1);
      }
    }
  }

  lua_State* lua_;
  PatternMatcher& matcher_;
  std::string_view subject_;
  std::string result_;
};

int string_gsub(lua_State* lua) {
  const std::string_view subject = check_string(lua, 1);
  const std::string_view pattern = check_string(lua, 2);
  const int type = lua_type(lua, 3);
  luaL_argcheck(lua, type == LUA_TNUMBER || type == LUA_TSTRING || type == LUA_TFUNCTION || type == LUA_TTABLE, 3,
                "string/function/table expected");
  const auto limit = luaL_optint(lua, 4, static_cast<int>(subject.size() + 1));
  PatternMatcher matcher(lua, subject, pattern);
  Substitution substitution(lua, matcher, subject);
  std::size_t at = 0;
  int count = 0;
  while (count < limit) {
    const std::size_t end = matcher.match(at);
    if (end != PatternMatcher::kNone) {
      ++count;
      substitution.replace(at, end);
    }
    if (end != PatternMatcher::kNone && end > at) {
      at = end;
    } else if (at < subject.size()) {
      substitution.add(subject.substr(at, 1));
      ++at;
    } else {
      break;
    }
    if (matcher.anchored()) break;
  }
  substitution.add(subject.substr(at));
  const std::string_view result = substitution.result();
  lua_pushlstring(lua, result.data(), result.size());
  lua_pushinteger(lua, count);
  return 2;
}

int string_rep(lua_State* lua) {
  const std::string_view text = check_string(lua, 1);
  const int count = luaL_checkint(lua, 2);
  Machine& machine = Machine::of(lua);
  if (count <= 0 || text.empty()) {
    lua_pushliteral(lua, "");
    return 1;
  }
  if (text.size() > machine.memory_max() / static_cast<std::size_t>(count)) return luaL_error(lua, "not enough memory");
  machine.charge_bytes(lua, text.size() * static_cast<std::size_t>(count));
  std::string whole;
  whole.reserve(text.size() * static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) whole.append(text);
  lua_pushlstring(lua, whole.data(), whole.size());
  return 1;
}

// Lua's own function, the upvalue, in this one's frame, counted by the bytes it is given.
int counted(lua_State* lua) {
  Machine& machine = Machine::of(lua);
  const int count = lua_gettop(lua);
  std::size_t bytes = 0;
  for (int i = 1; i <= count; ++i) {
    if (lua_type(lua, i) == LUA_TSTRING) bytes += lua_objlen(lua, i);
  }
  machine.charge(lua, 1 + bytes / 8);
  return lua_tocfunction(lua, lua_upvalueindex(1))(lua);
}

}  // namespace

void open_strings(lua_State* lua) {
  lua_pushcfunction(lua, luaopen_string);
  lua_pushliteral(lua, LUA_STRLIBNAME);
  lua_call(lua, 1, 0);
  lua_getglobal(lua, LUA_STRLIBNAME);
  for (const char* name : {"reverse", "lower", "upper", "format", "dump"}) {
    lua_getfield(lua, -1, name);
    lua_pushcclosure(lua, counted, 1);
    lua_setfield(lua, -2, name);
  }
  const luaL_Reg functions[] = {{"find", string_find},    {"match", string_match}, {"gmatch", string_gmatch},
                                {"gfind", string_gmatch}, {"gsub", string_gsub},   {"rep", string_rep}};
  for (const luaL_Reg& entry : functions) {
    lua_pushcfunction(lua, entry.func);
    lua_setfield(lua, -2, entry.name);
  }
  lua_pop(lua, 1);
}

}  // namespace redraft::scripting
