#include <cmath>
#include <cstdint>
#include <limits>

#include <lua5.1/lua.hpp>

#include "server/scripting/libraries.h"
#include "server/scripting/machine.h"

// Lua's math library. glibc chooses among several versions of a function by the processor, whose last digits may
// differ; so nodes would. The functions here are computed in long double, of which there is one version, and rounded.

namespace redraft::scripting {

namespace {

template <long double (*kFunction)(long double)>
int rounded(lua_State* lua) {
  lua_pushnumber(lua, static_cast<lua_Number>(kFunction(static_cast<long double>(luaL_checknumber(lua, 1)))));
  return 1;
}

template <long double (*kFunction)(long double, long double)>
int rounded_of_two(lua_State* lua) {
  const auto first = static_cast<long double>(luaL_checknumber(lua, 1));
  const auto second = static_cast<long double>(luaL_checknumber(lua, 2));
  lua_pushnumber(lua, static_cast<lua_Number>(kFunction(first, second)));
  return 1;
}

// As Lua's own, over a generator that is the same everywhere and seeded by the entry.
int math_random(lua_State* lua) {
  Machine& machine = Machine::of(lua);
  if (machine.outside() == nullptr) return luaL_error(lua, "math.random can only be called inside a script invocation");
  constexpr std::uint32_t kMax = std::numeric_limits<std::int32_t>::max();
  const double r = static_cast<double>(machine.random().next() % kMax) / static_cast<double>(kMax);
  switch (lua_gettop(lua)) {
    case 0:
      lua_pushnumber(lua, r);
      break;
    case 1: {
      const int upper = luaL_checkint(lua, 1);
      luaL_argcheck(lua, 1 <= upper, 1, "interval is empty");
      lua_pushnumber(lua, std::floor(r * upper) + 1);
      break;
    }
    case 2: {
      const int lower = luaL_checkint(lua, 1);
      const int upper = luaL_checkint(lua, 2);
      luaL_argcheck(lua, lower <= upper, 2, "interval is empty");
      const double count = static_cast<double>(std::int64_t{upper} - lower + 1);
      lua_pushnumber(lua, std::floor(r * count) + lower);
      break;
    }
    default:
      return luaL_error(lua, "wrong number of arguments");
  }
  return 1;
}

int math_randomseed(lua_State* lua) {
  Machine& machine = Machine::of(lua);
  if (machine.outside() == nullptr) {
    return luaL_error(lua, "math.randomseed can only be called inside a script invocation");
  }
  machine.random().seed(luaL_checkint(lua, 1));
  return 0;
}

}  // namespace

void open_math(lua_State* lua) {
  lua_pushcfunction(lua, luaopen_math);
  lua_pushliteral(lua, LUA_MATHLIBNAME);
  lua_call(lua, 1, 0);
  lua_getglobal(lua, LUA_MATHLIBNAME);
  const luaL_Reg functions[] = {{"sin", rounded<sinl>},        {"cos", rounded<cosl>},
                                {"tan", rounded<tanl>},        {"asin", rounded<asinl>},
                                {"acos", rounded<acosl>},      {"atan", rounded<atanl>},
                                {"sinh", rounded<sinhl>},      {"cosh", rounded<coshl>},
                                {"tanh", rounded<tanhl>},      {"exp", rounded<expl>},
                                {"log", rounded<logl>},        {"log10", rounded<log10l>},
                                {"pow", rounded_of_two<powl>}, {"atan2", rounded_of_two<atan2l>},
                                {"random", math_random},       {"randomseed", math_randomseed}};
  for (const luaL_Reg& entry : functions) {
    lua_pushcfunction(lua, entry.func);
    lua_setfield(lua, -2, entry.name);
  }
  lua_pop(lua, 1);
}

}  // namespace redraft::scripting
