#include <string>

#include <lua5.1/lua.hpp>

#include "server/scripting/libraries.h"

// Redis's own Lua has tables that refuse every change. Here a script gets an empty stand-in whose metatable leads to
// the real table; what would go around metatables (rawset, next, setmetatable...) is ours and knows stand-ins
// (base.cc).

namespace redraft::scripting {

namespace {

// Its address is the field of a stand-in's metatable that holds the real table: scripts cannot name it.
const char kRealTable = 0;

void* real_table_field() {
  return const_cast<char*>(&kRealTable);
}

int refuse_change(lua_State* lua) {
  return luaL_error(lua, "Attempt to modify a readonly table");
}

int refuse_unknown(lua_State* lua) {
  if (lua_gettop(lua) != 2) return luaL_error(lua, "Wrong number of arguments to luaProtectedTableError");
  if (lua_isstring(lua, 2) == 0) {
    return luaL_error(lua, "Second argument to luaProtectedTableError must be a string or number");
  }
  return luaL_error(lua, "Script attempted to access nonexistent global variable '%s'", lua_tostring(lua, 2));
}

// Reads of what the table on top does not have are errors.
void refuse_unknown_names(lua_State* lua) {
  lua_createtable(lua, 0, 1);
  lua_pushcfunction(lua, refuse_unknown);
  lua_setfield(lua, -2, "__index");
  lua_setmetatable(lua, -2);
}

}  // namespace

void protect_table(lua_State* lua) {
  lua_newtable(lua);
  lua_createtable(lua, 0, 3);
  lua_pushvalue(lua, -3);
  lua_setfield(lua, -2, "__index");
  lua_pushcfunction(lua, refuse_change);
  lua_setfield(lua, -2, "__newindex");
  lua_pushlightuserdata(lua, real_table_field());
  lua_pushvalue(lua, -4);
  lua_rawset(lua, -3);
  lua_setmetatable(lua, -2);
  lua_replace(lua, -2);
}

bool push_protected(lua_State* lua, int index) {
  if (lua_type(lua, index) != LUA_TTABLE || lua_getmetatable(lua, index) == 0) return false;
  lua_pushlightuserdata(lua, real_table_field());
  lua_rawget(lua, -2);
  lua_remove(lua, -2);
  if (lua_istable(lua, -1)) return true;
  lua_pop(lua, 1);
  return false;
}

void show_globals(lua_State* lua, const char* key) {
  lua_getmetatable(lua, LUA_GLOBALSINDEX);
  lua_getfield(lua, LUA_REGISTRYINDEX, key);
  lua_pushvalue(lua, -1);
  lua_setfield(lua, -3, "__index");
  lua_pushlightuserdata(lua, real_table_field());
  lua_insert(lua, -2);
  lua_rawset(lua, -3);
  lua_pop(lua, 1);
}

void protect_globals(lua_State* lua) {
  for (const char* name : {"redis", "string", "table", "math", "bit", "cjson", "cmsgpack", "struct", "coroutine"}) {
    lua_getglobal(lua, name);
    protect_table(lua);
    lua_setglobal(lua, name);
  }
  // ("").__index is the unprotected table; what scripts see of it is not.
  lua_pushliteral(lua, "");
  lua_getmetatable(lua, -1);
  lua_newtable(lua);
  protect_table(lua);
  lua_setfield(lua, -2, "__metatable");
  lua_pop(lua, 2);

  lua_pushvalue(lua, LUA_GLOBALSINDEX);
  lua_setfield(lua, LUA_REGISTRYINDEX, kGlobalsKey);
  lua_pushvalue(lua, LUA_GLOBALSINDEX);
  refuse_unknown_names(lua);
  lua_pushvalue(lua, -1);
  protect_table(lua);
  lua_pushvalue(lua, -1);
  lua_setfield(lua, -3, "_G");
  lua_replace(lua, LUA_GLOBALSINDEX);
  lua_pop(lua, 1);

  // While a library is loaded there is the table `redis` with what serves that, and nothing else.
  lua_getfield(lua, LUA_REGISTRYINDEX, kLoadGlobalsKey);
  lua_getfield(lua, -1, "redis");
  refuse_unknown_names(lua);
  protect_table(lua);
  lua_setfield(lua, -2, "redis");
  refuse_unknown_names(lua);
  lua_pop(lua, 1);
}

void push_error(lua_State* lua, std::string_view error) {
  std::string_view code = "ERR";
  if (error.starts_with('-')) {
    error.remove_prefix(1);
    const std::size_t space = error.find(' ');
    if (space != std::string_view::npos) {
      code = error.substr(0, space);
      error.remove_prefix(space + 1);
    }
  }
  while (!error.empty() && (error.front() == '\r' || error.front() == '\n')) error.remove_prefix(1);
  while (!error.empty() && (error.back() == '\r' || error.back() == '\n')) error.remove_suffix(1);
  lua_newtable(lua);  // grows as Redis's does, so that `pairs` meets its fields in the same order
  lua_pushlstring(lua, code.data(), code.size());
  lua_pushliteral(lua, " ");
  lua_pushlstring(lua, error.data(), error.size());
  lua_concat(lua, 3);
  lua_setfield(lua, -2, "err");
}

void raise_error(lua_State* lua, std::string_view error) {
  push_error(lua, error);
  lua_error(lua);
  __builtin_unreachable();
}

}  // namespace redraft::scripting
