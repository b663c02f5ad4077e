#include <bit>
#include <cstdint>
#include <cstdlib>

#include <lua5.1/lua.hpp>

#include "server/scripting/libraries.h"

// The bit operations of bitop.luajit.org: numbers are taken modulo 2^32, results are signed.

namespace redraft::scripting {

namespace {

// Adding 1.5 * 2^52 leaves the rounded number in the low bits of the double, whatever its sign.
std::uint32_t bits_of(lua_State* lua, int index) {
  const double shifted = luaL_checknumber(lua, index) + 6755399441055744.0;
  return static_cast<std::uint32_t>(std::bit_cast<std::uint64_t>(shifted));
}

int answer(lua_State* lua, std::uint32_t bits) {
  lua_pushnumber(lua, static_cast<lua_Number>(static_cast<std::int32_t>(bits)));
  return 1;
}

int bit_tobit(lua_State* lua) {
  return answer(lua, bits_of(lua, 1));
}
int bit_bnot(lua_State* lua) {
  return answer(lua, ~bits_of(lua, 1));
}
int bit_bswap(lua_State* lua) {
  return answer(lua, __builtin_bswap32(bits_of(lua, 1)));
}

template <class Operation>
int fold(lua_State* lua, Operation operation) {
  std::uint32_t bits = bits_of(lua, 1);
  for (int i = lua_gettop(lua); i > 1; --i) bits = operation(bits, bits_of(lua, i));
  return answer(lua, bits);
}
int bit_band(lua_State* lua) {
  return fold(lua, [](std::uint32_t a, std::uint32_t b) { return a & b; });
}
int bit_bor(lua_State* lua) {
  return fold(lua, [](std::uint32_t a, std::uint32_t b) { return a | b; });
}
int bit_bxor(lua_State* lua) {
  return fold(lua, [](std::uint32_t a, std::uint32_t b) { return a ^ b; });
}

// Only the low five bits of a distance count.
int bit_lshift(lua_State* lua) {
  return answer(lua, bits_of(lua, 1) << (bits_of(lua, 2) & 31));
}
int bit_rshift(lua_State* lua) {
  return answer(lua, bits_of(lua, 1) >> (bits_of(lua, 2) & 31));
}
int bit_arshift(lua_State* lua) {
  const auto value = static_cast<std::int32_t>(bits_of(lua, 1));
  return answer(lua, static_cast<std::uint32_t>(value >> (bits_of(lua, 2) & 31)));
}
int bit_rol(lua_State* lua) {
  return answer(lua, std::rotl(bits_of(lua, 1), static_cast<int>(bits_of(lua, 2) & 31)));
}
int bit_ror(lua_State* lua) {
  return answer(lua, std::rotr(bits_of(lua, 1), static_cast<int>(bits_of(lua, 2) & 31)));
}

// A negative count of digits asks for capitals.
int bit_tohex(lua_State* lua) {
  std::uint32_t bits = bits_of(lua, 1);
  std::int64_t count = lua_isnone(lua, 2) ? 8 : static_cast<std::int32_t>(bits_of(lua, 2));
  const char* const digits = count < 0 ? "0123456789ABCDEF" : "0123456789abcdef";
  count = std::llabs(count) > 8 ? 8 : std::llabs(count);
  char text[8];
  for (std::int64_t i = count; i > 0; --i, bits >>= 4) text[i - 1] = digits[bits & 15];
  lua_pushlstring(lua, text, static_cast<std::size_t>(count));
  return 1;
}

}  // namespace

void open_bit(lua_State* lua) {
  static const luaL_Reg kFunctions[] = {
      {"tobit", bit_tobit},   {"bnot", bit_bnot},     {"band", bit_band},       {"bor", bit_bor}, {"bxor", bit_bxor},
      {"lshift", bit_lshift}, {"rshift", bit_rshift}, {"arshift", bit_arshift}, {"rol", bit_rol}, {"ror", bit_ror},
      {"bswap", bit_bswap},   {"tohex", bit_tohex},   {nullptr, nullptr}};
  lua_newtable(lua);
  luaL_register(lua, nullptr, kFunctions);
  lua_setglobal(lua, "bit");
}

}  // namespace redraft::scripting
