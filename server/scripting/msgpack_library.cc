#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include <lua5.1/lua.hpp>

#include "server/scripting/libraries.h"
#include "server/scripting/machine.h"

// cmsgpack: MessagePack (github.com/msgpack/msgpack, spec) to and from Lua's values (github.com/antirez/lua-cmsgpack).

namespace redraft::scripting {

namespace {

// Deeper tables are packed as nil.
constexpr int kDepthMax = 16;

class Packer {
 public:
  explicit Packer(lua_State* lua) : lua_(lua) {}

  // The value on top of the stack, which is popped.
  void pack(int depth) {
    Machine& machine = Machine::of(lua_);
    machine.charge(lua_, 2);
    if (bytes_.size() > machine.memory_max()) luaL_error(lua_, "not enough memory");
    luaL_checkstack(lua_, 3, "in function mp_encode_lua_type");
    int type = lua_type(lua_, -1);
    if (type == LUA_TTABLE && depth == kDepthMax) type = LUA_TNIL;
    switch (type) {
      case LUA_TSTRING:
        pack_string();
        break;
      case LUA_TBOOLEAN:
        put(lua_toboolean(lua_, -1) != 0 ? 0xc3 : 0xc2);
        break;
      case LUA_TNUMBER:
        pack_number(lua_tonumber(lua_, -1));
        break;
      case LUA_TTABLE:
        pack_table(depth);
        break;
      default:
        put(0xc0);
    }
    lua_pop(lua_, 1);
  }

  [[nodiscard]] std::string_view bytes() const { return bytes_; }

 private:
  void put(unsigned byte) { bytes_.push_back(static_cast<char>(byte)); }
  void put_big_endian(std::uint64_t value, int size) {
    for (int i = size - 1; i >= 0; --i) put(static_cast<unsigned>(value >> (8 * i) & 0xff));
  }
  void put_tagged(unsigned tag, std::uint64_t value, int size) {
    put(tag);
    put_big_endian(value, size);
  }

  void pack_string() {
    std::size_t size = 0;
    const char* const bytes = lua_tolstring(lua_, -1, &size);
    if (size < 32) {
      put(static_cast<unsigned>(0xa0 | size));
    } else if (size <= 0xff) {
      put_tagged(0xd9, size, 1);
    } else if (size <= 0xffff) {
      put_tagged(0xda, size, 2);
    } else {
      put_tagged(0xdb, size, 4);
    }
    bytes_.append(bytes, size);
    Machine::of(lua_).charge_bytes(lua_, size);
  }

  void pack_number(double number) {
    constexpr double kTwo63 = 9223372036854775808.0;
    if (number >= -kTwo63 && number < kTwo63 && std::floor(number) == number) {
      return pack_integer(static_cast<std::int64_t>(number));
    }
    const auto narrow = static_cast<float>(number);
    if (static_cast<double>(narrow) == number) return put_tagged(0xca, std::bit_cast<std::uint32_t>(narrow), 4);
    put_tagged(0xcb, std::bit_cast<std::uint64_t>(number), 8);
  }

  void pack_integer(std::int64_t value) {
    const auto bits = static_cast<std::uint64_t>(value);
    if (value >= 0) {
      if (bits <= 0x7f) return put(static_cast<unsigned>(bits));
      if (bits <= 0xff) return put_tagged(0xcc, bits, 1);
      if (bits <= 0xffff) return put_tagged(0xcd, bits, 2);
      if (bits <= 0xffffffff) return put_tagged(0xce, bits, 4);
      return put_tagged(0xcf, bits, 8);
    }
    if (value >= -32) return put(static_cast<unsigned>(bits & 0xff));
    if (value >= -128) return put_tagged(0xd0, bits, 1);
    if (value >= -32768) return put_tagged(0xd1, bits, 2);
    if (value >= std::numeric_limits<std::int32_t>::min()) return put_tagged(0xd2, bits, 4);
    put_tagged(0xd3, bits, 8);
  }

  // An array has the keys 1 to n and no other.
  bool is_array(std::size_t& size) {
    std::size_t count = 0;
    double last = 0;
    lua_pushnil(lua_);
    while (lua_next(lua_, -2) != 0) {
      Machine::of(lua_).charge(lua_, 1);
      lua_pop(lua_, 1);
      const double key = lua_type(lua_, -1) == LUA_TNUMBER ? lua_tonumber(lua_, -1) : 0;
      if (!(key > 0) || std::floor(key) != key) {
        lua_pop(lua_, 1);
        return false;
      }
      ++count;
      last = std::max(last, key);
    }
    size = count;
    return static_cast<double>(count) == last;
  }

  void pack_table(int depth) {
    std::size_t size = 0;
    if (is_array(size)) {
      size <= 15 ? put(static_cast<unsigned>(0x90 | size)) : put_size(0xdc, size);
      for (std::size_t i = 1; i <= size; ++i) {
        lua_rawgeti(lua_, -1, static_cast<int>(i));
        pack(depth + 1);
      }
      return;
    }
    size = 0;
    lua_pushnil(lua_);
    while (lua_next(lua_, -2) != 0) {
      lua_pop(lua_, 1);
      ++size;
    }
    size <= 15 ? put(static_cast<unsigned>(0x80 | size)) : put_size(0xde, size);
    lua_pushnil(lua_);
    while (lua_next(lua_, -2) != 0) {
      lua_pushvalue(lua_, -2);
      pack(depth + 1);
      pack(depth + 1);
    }
  }
  void put_size(unsigned tag, std::size_t size) {
    size <= 0xffff ? put_tagged(tag, size, 2) : put_tagged(tag + 1, size, 4);
  }

  lua_State* lua_;
  std::string bytes_;
};

class Unpacker {
 public:
  Unpacker(lua_State* lua, std::string_view bytes) : lua_(lua), rest_(bytes) {}

  [[nodiscard]] std::size_t left() const { return rest_.size(); }

  // Pushes the next value.
  void push() {
    Machine::of(lua_).charge(lua_, 2);
    luaL_checkstack(lua_, 1, "too many return values at once; use unpack_one or unpack_limit instead.");
    const auto tag = static_cast<unsigned>(take(1));
    if (tag <= 0x7f) return lua_pushnumber(lua_, tag);
    if (tag >= 0xe0) return lua_pushnumber(lua_, static_cast<double>(tag) - 256);
    if (tag <= 0x8f) return push_map(tag & 0x0f);
    if (tag <= 0x9f) return push_array(tag & 0x0f);
    if (tag <= 0xbf) return push_string(tag & 0x1f);
    switch (tag) {
      case 0xc0:
        return lua_pushnil(lua_);
      case 0xc2:
      case 0xc3:
        return lua_pushboolean(lua_, tag == 0xc3 ? 1 : 0);
      case 0xca:
        return lua_pushnumber(lua_, static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(take(4)))));
      case 0xcb:
        return lua_pushnumber(lua_, std::bit_cast<double>(take(8)));
      case 0xcc:
      case 0xcd:
      case 0xce:
      case 0xcf:
        return lua_pushnumber(lua_, static_cast<double>(take(1u << (tag - 0xcc))));
      case 0xd0:
      case 0xd1:
      case 0xd2:
      case 0xd3:
        return push_signed(1u << (tag - 0xd0));
      case 0xd9:
      case 0xda:
      case 0xdb:
        return push_string(take(1u << (tag - 0xd9)));
      case 0xdc:
      case 0xdd:
        return push_array(take(2u << (tag - 0xdc)));
      case 0xde:
      case 0xdf:
        return push_map(take(2u << (tag - 0xde)));
      default:
        luaL_error(lua_, "Bad data format in input.");
    }
  }

 private:
  std::uint64_t take(std::size_t size) {
    if (rest_.size() < size) luaL_error(lua_, "Missing bytes in input.");
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < size; ++i) value = value << 8 | static_cast<unsigned char>(rest_[i]);
    rest_.remove_prefix(size);
    return value;
  }

  void push_signed(std::size_t size) {
    const std::uint64_t sign = std::uint64_t{1} << (8 * size - 1);
    lua_pushnumber(lua_, static_cast<double>(static_cast<std::int64_t>((take(size) ^ sign) - sign)));
  }

  void push_string(std::uint64_t size) {
    if (rest_.size() < size) luaL_error(lua_, "Missing bytes in input.");
    lua_pushlstring(lua_, rest_.data(), size);
    rest_.remove_prefix(size);
  }

  void push_array(std::uint64_t size) {
    luaL_checkstack(lua_, 2, "in function mp_decode_to_lua_array");
    lua_newtable(lua_);
    for (std::uint64_t i = 1; i <= size; ++i) {
      lua_pushnumber(lua_, static_cast<double>(i));
      push();
      lua_rawset(lua_, -3);
    }
  }

  void push_map(std::uint64_t size) {
    luaL_checkstack(lua_, 3, "in function mp_decode_to_lua_hash");
    lua_newtable(lua_);
    for (std::uint64_t i = 0; i < size; ++i) {
      push();
      push();
      lua_settable(lua_, -3);
    }
  }

  lua_State* lua_;
  std::string_view rest_;
};

int msgpack_pack(lua_State* lua) {
  const int count = lua_gettop(lua);
  if (count == 0) return luaL_argerror(lua, 0, "MessagePack pack needs input.");
  luaL_checkstack(lua, count, "Too many arguments for MessagePack pack.");
  Packer packer(lua);
  for (int i = 1; i <= count; ++i) {
    lua_pushvalue(lua, i);
    packer.pack(0);
  }
  const std::string_view bytes = packer.bytes();
  lua_pushlstring(lua, bytes.data(), bytes.size());
  return 1;
}

// Up to `limit` values from `offset`, all of them for limit and offset 0; in parts the next offset comes first, -1 at
// the end.
int unpack_part(lua_State* lua, lua_Integer limit, lua_Integer offset) {
  std::size_t size = 0;
  const char* const bytes = luaL_checklstring(lua, 1, &size);
  const bool all = limit == 0 && offset == 0;
  if (offset < 0 || limit < 0) {
    return luaL_error(lua, "Invalid request to unpack with offset of %d and limit of %d.", static_cast<int>(offset),
                      static_cast<int>(limit));
  }
  if (static_cast<std::size_t>(offset) > size) {
    return luaL_error(lua, "Start offset %d greater than input length %d.", static_cast<int>(offset),
                      static_cast<int>(size));
  }
  lua_settop(lua, 1);
  Unpacker unpacker(lua, std::string_view(bytes, size).substr(static_cast<std::size_t>(offset)));
  int count = 0;
  for (; unpacker.left() > 0 && (limit == 0 || count < limit); ++count) unpacker.push();
  if (all) return count;
  luaL_checkstack(lua, 1, "");
  lua_pushinteger(lua, unpacker.left() == 0 ? -1 : static_cast<lua_Integer>(size - unpacker.left()));
  lua_insert(lua, 2);
  return count + 1;
}

int msgpack_unpack(lua_State* lua) {
  return unpack_part(lua, 0, 0);
}
int msgpack_unpack_one(lua_State* lua) {
  return unpack_part(lua, 1, luaL_optinteger(lua, 2, 0));
}
int msgpack_unpack_limit(lua_State* lua) {
  const lua_Integer limit = luaL_checkinteger(lua, 2);
  return unpack_part(lua, limit, luaL_optinteger(lua, 3, 0));
}

}  // namespace

void open_msgpack(lua_State* lua) {
  static const luaL_Reg kFunctions[] = {{"pack", msgpack_pack},
                                        {"unpack", msgpack_unpack},
                                        {"unpack_one", msgpack_unpack_one},
                                        {"unpack_limit", msgpack_unpack_limit},
                                        {nullptr, nullptr}};
  lua_newtable(lua);
  luaL_register(lua, nullptr, kFunctions);
  const char* const texts[][2] = {{"_NAME", "cmsgpack"},
                                  {"_VERSION", "lua-cmsgpack 0.4.0"},
                                  {"_COPYRIGHT", "Copyright (C) 2012, Redis Ltd."},
                                  {"_DESCRIPTION", "MessagePack C implementation for Lua"}};
  for (const auto& [name, text] : texts) {
    lua_pushstring(lua, text);
    lua_setfield(lua, -2, name);
  }
  lua_setglobal(lua, "cmsgpack");
}

}  // namespace redraft::scripting
