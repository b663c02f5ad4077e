#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <lua5.1/lua.hpp>

#include "server/scripting/libraries.h"
#include "server/scripting/machine.h"

// Lua's base library and coroutines, in parts replaced: what would show an address, go around the protection of tables,
// load byte code (which Lua 5.1 does not check) or catch the end of a script.

namespace redraft::scripting {

namespace {

constexpr std::uint64_t kCoroutineSteps = 300;
constexpr std::uint64_t kResumeSteps = 50;
constexpr std::uint64_t kStepsPerSourceByte = 4;

void charge(lua_State* lua, std::uint64_t steps) {
  Machine::of(lua).charge(lua, steps);
}

// An object's place in the heap, which is the same on every node, stands where Lua shows its address.
int to_string(lua_State* lua) {
  luaL_checkany(lua, 1);
  if (luaL_callmeta(lua, 1, "__tostring") != 0) return 1;
  switch (lua_type(lua, 1)) {
    case LUA_TNUMBER:
      lua_pushstring(lua, lua_tostring(lua, 1));
      break;
    case LUA_TSTRING:
      lua_pushvalue(lua, 1);
      break;
    case LUA_TBOOLEAN:
      lua_pushstring(lua, lua_toboolean(lua, 1) != 0 ? "true" : "false");
      break;
    case LUA_TNIL:
      lua_pushliteral(lua, "nil");
      break;
    case LUA_TLIGHTUSERDATA:
      lua_pushliteral(lua, "userdata: (nil)");
      break;
    default: {
      auto place = static_cast<std::uint32_t>(reinterpret_cast<std::uintptr_t>(lua_topointer(lua, 1)));
      char digits[9] = {};
      for (int i = 7; i >= 0; --i, place /= 16) digits[i] = "0123456789abcdef"[place % 16];
      lua_pushfstring(lua, "%s: 0x%s", luaL_typename(lua, 1), digits);
    }
  }
  return 1;
}

// As Redis's: the text of an error object instead of the object.
int protected_call(lua_State* lua) {
  luaL_checkany(lua, 1);
  const int failed = lua_pcall(lua, lua_gettop(lua) - 1, LUA_MULTRET, 0);
  Machine::of(lua).check_ended(lua);
  if (failed != 0 && lua_istable(lua, -1)) {
    lua_getfield(lua, -1, "err");
    lua_isstring(lua, -1) != 0 ? lua_replace(lua, -2) : lua_pop(lua, 1);
  }
  lua_pushboolean(lua, failed == 0 ? 1 : 0);
  lua_insert(lua, 1);
  return lua_gettop(lua);
}

// The script's own handler, the upvalue; but not for the end of the script: that is raised in a hook, and what a
// handler does there Lua counts no more.
int guarded_handler(lua_State* lua) {
  if (Machine::of(lua).ended()) return 1;
  lua_settop(lua, 1);
  lua_pushvalue(lua, lua_upvalueindex(1));
  lua_insert(lua, 1);
  lua_call(lua, 1, 1);
  return 1;
}

int call_with_handler(lua_State* lua) {
  luaL_checkany(lua, 2);
  lua_settop(lua, 2);
  lua_pushcclosure(lua, guarded_handler, 1);
  lua_insert(lua, 1);
  const int failed = lua_pcall(lua, 0, LUA_MULTRET, 1);
  Machine::of(lua).check_ended(lua);
  lua_pushboolean(lua, failed == 0 ? 1 : 0);
  lua_replace(lua, 1);
  return lua_gettop(lua);
}

int load_text(lua_State* lua, std::string_view text, const char* name) {
  charge(lua, kStepsPerSourceByte * text.size());
  // Byte code begins with ESC; behind a blank it is a syntax error, as in Redis.
  std::string blanked;
  if (text.starts_with('\33')) {
    blanked.append(" ").append(text);
    text = blanked;
  }
  if (luaL_loadbuffer(lua, text.data(), text.size(), name) == 0) return 1;
  lua_pushnil(lua);
  lua_insert(lua, -2);
  return 2;
}

int load_string(lua_State* lua) {
  std::size_t size = 0;
  const char* const text = luaL_checklstring(lua, 1, &size);
  return load_text(lua, {text, size}, luaL_optstring(lua, 2, text));
}

int load_pieces(lua_State* lua) {
  luaL_checktype(lua, 1, LUA_TFUNCTION);
  const char* const name = luaL_optstring(lua, 2, "=(load)");
  lua_settop(lua, 2);
  lua_pushliteral(lua, "");
  while (true) {
    lua_pushvalue(lua, 1);
    lua_call(lua, 0, 1);
    if (lua_isnil(lua, -1)) break;
    if (lua_isstring(lua, -1) == 0) return luaL_error(lua, "reader function must return a string");
    if (lua_objlen(lua, -1) == 0) break;
    lua_concat(lua, 2);
  }
  lua_pop(lua, 1);
  std::size_t size = 0;
  const char* const text = lua_tolstring(lua, 3, &size);
  return load_text(lua, {text, size}, name);
}

// `next` of what a stand-in stands for.
int next(lua_State* lua) {
  luaL_checktype(lua, 1, LUA_TTABLE);
  lua_settop(lua, 2);
  if (push_protected(lua, 1)) lua_replace(lua, 1);
  if (lua_next(lua, 1) != 0) return 2;
  lua_pushnil(lua);
  return 1;
}

int pairs(lua_State* lua) {
  luaL_checktype(lua, 1, LUA_TTABLE);
  lua_pushvalue(lua, lua_upvalueindex(1));
  lua_pushvalue(lua, 1);
  lua_pushnil(lua);
  return 3;
}

void refuse_protected(lua_State* lua, int index) {
  if (!push_protected(lua, index)) return;
  lua_pushliteral(lua, "Attempt to modify a readonly table");  // without a place, as Redis says it here
  lua_error(lua);
}

int raw_set(lua_State* lua) {
  luaL_checktype(lua, 1, LUA_TTABLE);
  luaL_checkany(lua, 2);
  luaL_checkany(lua, 3);
  refuse_protected(lua, 1);
  lua_settop(lua, 3);
  lua_rawset(lua, 1);
  return 1;
}

int raw_get(lua_State* lua) {
  luaL_checktype(lua, 1, LUA_TTABLE);
  luaL_checkany(lua, 2);
  lua_settop(lua, 2);
  if (push_protected(lua, 1)) lua_replace(lua, 1);
  lua_rawget(lua, 1);
  return 1;
}

int set_metatable(lua_State* lua) {
  luaL_checktype(lua, 1, LUA_TTABLE);
  const int type = lua_type(lua, 2);
  luaL_argcheck(lua, type == LUA_TNIL || type == LUA_TTABLE, 2, "nil or table expected");
  refuse_protected(lua, 1);
  if (luaL_getmetafield(lua, 1, "__metatable") != 0) return luaL_error(lua, "cannot change a protected metatable");
  lua_settop(lua, 2);
  lua_setmetatable(lua, 1);
  return 1;
}

int get_metatable(lua_State* lua) {
  luaL_checkany(lua, 1);
  if (push_protected(lua, 1)) {
    if (lua_getmetatable(lua, -1) == 0) {
      lua_pushnil(lua);
    } else {
      protect_table(lua);
    }
    return 1;
  }
  if (lua_getmetatable(lua, 1) == 0) {
    lua_pushnil(lua);
    return 1;
  }
  luaL_getmetafield(lua, 1, "__metatable");
  return 1;
}

// Collection is as repeatable as the rest; a full one costs what there is to look at.
int collect_garbage(lua_State* lua) {
  static const char* const kOptions[] = {"stop", "restart",  "collect",    "count",
                                         "step", "setpause", "setstepmul", nullptr};
  static const int kActions[] = {LUA_GCSTOP, LUA_GCRESTART,  LUA_GCCOLLECT,   LUA_GCCOUNT,
                                 LUA_GCSTEP, LUA_GCSETPAUSE, LUA_GCSETSTEPMUL};
  const int action = kActions[luaL_checkoption(lua, 1, "collect", kOptions)];
  const int extra = luaL_optint(lua, 2, 0);
  if (action == LUA_GCCOLLECT || action == LUA_GCSTEP) {
    Machine& machine = Machine::of(lua);
    machine.charge(lua, 100 + machine.heap_used() / 16);
  }
  const int result = lua_gc(lua, action, extra);
  if (action == LUA_GCCOUNT) {
    lua_pushnumber(lua, result + lua_gc(lua, LUA_GCCOUNTB, 0) / 1024.0);
  } else if (action == LUA_GCSTEP) {
    lua_pushboolean(lua, result);
  } else {
    lua_pushnumber(lua, result);
  }
  return 1;
}

// A coroutine counts its instructions from zero, so its making and every resumption cost something by themselves. Lua's
// own function, an upvalue, runs in this one's frame, so that its messages name the caller.
int call_original(lua_State* lua, int upvalue, std::uint64_t steps) {
  charge(lua, steps);
  const int results = lua_tocfunction(lua, lua_upvalueindex(upvalue))(lua);
  Machine::of(lua).check_ended(lua);
  return results;
}
int coroutine_create(lua_State* lua) {
  return call_original(lua, 1, kCoroutineSteps);
}
int coroutine_resume(lua_State* lua) {
  return call_original(lua, 1, kResumeSteps);
}
// What coroutine.wrap made: the first upvalue is the thread, where Lua's function expects it.
int coroutine_wrapped(lua_State* lua) {
  return call_original(lua, 2, kResumeSteps);
}
int coroutine_wrap(lua_State* lua) {
  call_original(lua, 1, kCoroutineSteps);
  lua_getupvalue(lua, -1, 1);
  lua_pushcfunction(lua, lua_tocfunction(lua, -2));
  lua_pushcclosure(lua, coroutine_wrapped, 2);
  return 1;
}

void wrap_field(lua_State* lua, const char* name, lua_CFunction function) {
  lua_getfield(lua, -1, name);
  lua_pushcclosure(lua, function, 1);
  lua_setfield(lua, -2, name);
}

}  // namespace

void open_base(lua_State* lua) {
  lua_pushcfunction(lua, luaopen_base);
  lua_pushliteral(lua, "");
  lua_call(lua, 1, 0);
  for (const char* name : {"dofile", "loadfile", "newproxy", "print", "getfenv", "setfenv"}) {
    lua_pushnil(lua);
    lua_setglobal(lua, name);
  }
  const luaL_Reg functions[] = {{"tostring", to_string},
                                {"pcall", protected_call},
                                {"xpcall", call_with_handler},
                                {"loadstring", load_string},
                                {"load", load_pieces},
                                {"next", next},
                                {"rawset", raw_set},
                                {"rawget", raw_get},
                                {"setmetatable", set_metatable},
                                {"getmetatable", get_metatable},
                                {"collectgarbage", collect_garbage}};
  for (const luaL_Reg& entry : functions) {
    lua_pushcfunction(lua, entry.func);
    lua_setglobal(lua, entry.name);
  }
  lua_getglobal(lua, "next");
  lua_pushcclosure(lua, pairs, 1);
  lua_setglobal(lua, "pairs");

  lua_getglobal(lua, "coroutine");
  wrap_field(lua, "create", coroutine_create);
  wrap_field(lua, "resume", coroutine_resume);
  wrap_field(lua, "wrap", coroutine_wrap);
  lua_pop(lua, 1);
}

}  // namespace redraft::scripting
