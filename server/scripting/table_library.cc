#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include <lua5.1/lua.hpp>

#include "server/scripting/libraries.h"
#include "server/scripting/machine.h"

// Lua's table library; whatever takes time that grows with a table counts it.

namespace redraft::scripting {

namespace {

int length_of(lua_State* lua, int index) {
  luaL_checktype(lua, index, LUA_TTABLE);
  return static_cast<int>(lua_objlen(lua, index));
}

void charge(lua_State* lua, std::uint64_t steps) {
  Machine::of(lua).charge(lua, steps);
}

int table_insert(lua_State* lua) {
  const int behind = length_of(lua, 1) + 1;
  int position = behind;
  switch (lua_gettop(lua)) {
    case 2:
      break;
    case 3: {
      position = luaL_checkint(lua, 2);
      for (int i = std::max(behind, position); i > position; --i) {
        charge(lua, 1);
        lua_rawgeti(lua, 1, i - 1);
        lua_rawseti(lua, 1, i);
      }
      break;
    }
    default:
      return luaL_error(lua, "wrong number of arguments to 'insert'");
  }
  lua_rawseti(lua, 1, position);
  return 0;
}

int table_remove(lua_State* lua) {
  const int last = length_of(lua, 1);
  int position = luaL_optint(lua, 2, last);
  if (position < 1 || position > last) return 0;
  lua_rawgeti(lua, 1, position);
  for (; position < last; ++position) {
    charge(lua, 1);
    lua_rawgeti(lua, 1, position + 1);
    lua_rawseti(lua, 1, position);
  }
  lua_pushnil(lua);
  lua_rawseti(lua, 1, last);
  return 1;
}

int table_concat(lua_State* lua) {
  luaL_checktype(lua, 1, LUA_TTABLE);
  std::size_t separator_size = 0;
  const char* const separator = luaL_optlstring(lua, 2, "", &separator_size);
  const int first = luaL_optint(lua, 3, 1);
  const int last = lua_isnoneornil(lua, 4) ? length_of(lua, 1) : luaL_checkint(lua, 4);
  Machine& machine = Machine::of(lua);
  std::string joined;
  for (std::int64_t i = first; i <= last; ++i) {
    lua_rawgeti(lua, 1, static_cast<int>(i));
    if (lua_isstring(lua, -1) == 0) {
      return luaL_error(lua, "invalid value (%s) at index %d in table for 'concat'", luaL_typename(lua, -1),
                        static_cast<int>(i));
    }
    std::size_t size = 0;
    const char* const bytes = lua_tolstring(lua, -1, &size);
    joined.append(bytes, size);
    if (i != last) joined.append(separator, separator_size);
    lua_pop(lua, 1);
    machine.charge(lua, 1 + (size + separator_size) / 16);
    if (joined.size() > machine.memory_max()) return luaL_error(lua, "not enough memory");
  }
  lua_pushlstring(lua, joined.data(), joined.size());
  return 1;
}

int less(lua_State* lua) {
  charge(lua, 1);
  lua_pushboolean(lua, lua_lessthan(lua, 1, 2));
  return 1;
}

// Lua's own, the upvalue; without a function to compare it would count nothing.
int table_sort(lua_State* lua) {
  const int count = length_of(lua, 1);
  constexpr int kSmall = 1000;
  lua_settop(lua, 2);
  charge(lua, 10 * static_cast<std::uint64_t>(std::min(count, kSmall)));
  if (lua_isnil(lua, 2) && count > kSmall) {
    lua_pushcfunction(lua, less);
    lua_replace(lua, 2);
  }
  return lua_tocfunction(lua, lua_upvalueindex(1))(lua);
}

int table_maxn(lua_State* lua) {
  luaL_checktype(lua, 1, LUA_TTABLE);
  lua_Number last = 0;
  lua_pushnil(lua);
  while (lua_next(lua, 1) != 0) {
    charge(lua, 1);
    lua_pop(lua, 1);
    if (lua_type(lua, -1) == LUA_TNUMBER && lua_tonumber(lua, -1) > last) last = lua_tonumber(lua, -1);
  }
  lua_pushnumber(lua, last);
  return 1;
}

int table_foreach(lua_State* lua) {
  luaL_checktype(lua, 1, LUA_TTABLE);
  luaL_checktype(lua, 2, LUA_TFUNCTION);
  if (push_protected(lua, 1)) lua_replace(lua, 1);
  lua_pushnil(lua);
  while (lua_next(lua, 1) != 0) {
    charge(lua, 1);
    lua_pushvalue(lua, 2);
    lua_pushvalue(lua, -3);
    lua_pushvalue(lua, -3);
    lua_call(lua, 2, 1);
    if (!lua_isnil(lua, -1)) return 1;
    lua_pop(lua, 2);
  }
  return 0;
}

int table_foreachi(lua_State* lua) {
  const int count = length_of(lua, 1);
  luaL_checktype(lua, 2, LUA_TFUNCTION);
  for (int i = 1; i <= count; ++i) {
    charge(lua, 1);
    lua_pushvalue(lua, 2);
    lua_pushinteger(lua, i);
    lua_rawgeti(lua, 1, i);
    lua_call(lua, 2, 1);
    if (!lua_isnil(lua, -1)) return 1;
    lua_pop(lua, 1);
  }
  return 0;
}

}  // namespace

void open_tables(lua_State* lua) {
  lua_pushcfunction(lua, luaopen_table);
  lua_pushliteral(lua, LUA_TABLIBNAME);
  lua_call(lua, 1, 0);
  lua_getglobal(lua, LUA_TABLIBNAME);
  lua_getfield(lua, -1, "sort");
  lua_pushcclosure(lua, table_sort, 1);
  lua_setfield(lua, -2, "sort");
  const luaL_Reg functions[] = {{"insert", table_insert}, {"remove", table_remove},   {"concat", table_concat},
                                {"maxn", table_maxn},     {"foreach", table_foreach}, {"foreachi", table_foreachi}};
  for (const luaL_Reg& entry : functions) {
    lua_pushcfunction(lua, entry.func);
    lua_setfield(lua, -2, entry.name);
  }
  lua_pop(lua, 1);
}

}  // namespace redraft::scripting
