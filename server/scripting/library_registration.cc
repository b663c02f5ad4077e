#include <algorithm>
#include <cctype>
#include <string>
#include <string_view>

#include <lua5.1/lua.hpp>

#include "server/scripting/libraries.h"
#include "server/scripting/machine.h"
#include "server/scripting/script_flags.h"

// redis.register_function: what a library does while it is loaded.

namespace redraft::scripting {

namespace {

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

// The string at `index`; false when it is none.
bool take_text(lua_State* lua, int index, std::string& text) {
  if (lua_isstring(lua, index) == 0) return false;
  std::size_t size = 0;
  // A copy is converted: `next` must not meet a key that became a string.
  lua_pushvalue(lua, index);
  const char* const bytes = lua_tolstring(lua, -1, &size);
  text.assign(bytes, size);
  lua_pop(lua, 1);
  return true;
}

bool take_flags(lua_State* lua, std::uint32_t& flags) {
  for (int i = 1;; ++i) {
    lua_rawgeti(lua, -1, i);
    if (lua_isnil(lua, -1)) break;
    std::string name;
    const std::uint32_t flag = take_text(lua, -1, name) ? script_flag(lower(name)) : 0;
    lua_pop(lua, 1);
    if (flag == 0) return false;
    flags |= flag;
  }
  lua_pop(lua, 1);
  return true;
}

// One field of the named form; the value is on top. Answers what is wrong, or an empty text.
std::string_view take_named(lua_State* lua, std::string_view key, FunctionInfo& function, bool& named, bool& callback) {
  if (key == "function_name") {
    named = take_text(lua, -1, function.name);
    return named ? "" : "function_name argument given to redis.register_function must be a string";
  }
  if (key == "description") {
    function.described = take_text(lua, -1, function.description);
    return function.described ? "" : "description argument given to redis.register_function must be a string";
  }
  if (key == "callback") {
    if (!lua_isfunction(lua, -1)) return "callback argument given to redis.register_function must be a function";
    callback = true;
    lua_pushvalue(lua, -1);
    lua_replace(lua, 2);
    return "";
  }
  if (key == "flags") {
    if (!lua_istable(lua, -1)) {
      return "flags argument to redis.register_function must be a table representing function flags";
    }
    return take_flags(lua, function.flags) ? "" : "unknown flag given";
  }
  return "unknown argument given to redis.register_function";
}

// Leaves the function at index 2.
void take_table(lua_State* lua, FunctionInfo& function) {
  if (!lua_istable(lua, 1)) {
    raise_error(lua,
                "calling redis.register_function with a single argument is only applicable to Lua table (representing "
                "named arguments).");
  }
  bool named = false;
  bool callback = false;
  lua_pushnil(lua);  // index 2 is the callback's
  lua_pushnil(lua);
  while (lua_next(lua, 1) != 0) {
    std::string key;
    if (!take_text(lua, -2, key)) {
      raise_error(lua, "named argument key given to redis.register_function is not a string");
    }
    const std::string_view wrong = take_named(lua, lower(key), function, named, callback);
    if (!wrong.empty()) raise_error(lua, wrong);
    lua_pop(lua, 1);
  }
  if (!named) raise_error(lua, "redis.register_function must get a function name argument");
  if (!callback) raise_error(lua, "redis.register_function must get a callback argument");
}

}  // namespace

int register_function(lua_State* lua) {
  Machine& machine = Machine::of(lua);
  if (!machine.loading()) {
    raise_error(lua, "redis.register_function can only be called on FUNCTION LOAD command");
  }
  FunctionInfo function;
  const int count = lua_gettop(lua);
  if (count < 1 || count > 2) raise_error(lua, "wrong number of arguments to redis.register_function");
  if (count == 1) {
    take_table(lua, function);
  } else {
    if (!take_text(lua, 1, function.name)) {
      raise_error(lua, "first argument to redis.register_function must be a string");
    }
    if (!lua_isfunction(lua, 2)) raise_error(lua, "second argument to redis.register_function must be a function");
  }
  const bool valid = !function.name.empty() && std::ranges::all_of(function.name, [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
  });
  if (!valid) {
    raise_error(lua,
                "Library names can only contain letters, numbers, or underscores(_) and must be at least one character "
                "long");
  }
  std::vector<FunctionInfo>& all = *machine.registered();
  if (std::ranges::any_of(all, [&](const FunctionInfo& other) { return other.name == function.name; })) {
    raise_error(lua, "Function already exists in the library");
  }
  lua_getfield(lua, LUA_REGISTRYINDEX, kFunctionsKey);
  lua_pushlstring(lua, function.name.data(), function.name.size());
  lua_pushvalue(lua, 2);
  lua_rawset(lua, -3);
  machine.charge(lua, 1000);
  all.push_back(std::move(function));
  return 0;
}

}  // namespace redraft::scripting
