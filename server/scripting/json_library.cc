#include <cmath>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>

#include <lua5.1/lua.hpp>

#include "server/scripting/json.h"
#include "server/scripting/libraries.h"
#include "server/scripting/machine.h"

// cjson: JSON from Lua's values and its settings (github.com/mpx/lua-cjson, manual); the way back is in
// json_decoder.cc.

namespace redraft::scripting {

namespace {

JsonSettings& settings_of(lua_State* lua) {
  return *static_cast<JsonSettings*>(lua_touserdata(lua, lua_upvalueindex(1)));
}

class JsonEncoder {
 public:
  JsonEncoder(lua_State* lua, const JsonSettings& settings) : lua_(lua), settings_(settings) {}

  // The value on top of the stack, which stays there.
  void encode(int depth) {
    Machine& machine = Machine::of(lua_);
    machine.charge(lua_, 2);
    if (text_.size() > machine.memory_max()) luaL_error(lua_, "not enough memory");
    switch (lua_type(lua_, -1)) {
      case LUA_TSTRING: {
        std::size_t size = 0;
        const char* const bytes = lua_tolstring(lua_, -1, &size);
        return append_string({bytes, size});
      }
      case LUA_TNUMBER:
        return append_number();
      case LUA_TBOOLEAN:
        text_.append(lua_toboolean(lua_, -1) != 0 ? "true" : "false");
        return;
      case LUA_TTABLE:
        return append_table(depth + 1);
      case LUA_TNIL:
        text_.append("null");
        return;
      case LUA_TLIGHTUSERDATA:
        if (lua_touserdata(lua_, -1) == nullptr) {
          text_.append("null");
          return;
        }
        [[fallthrough]];
      default:
        refuse("type not supported");
    }
  }

  [[nodiscard]] std::string_view text() const { return text_; }

 private:
  void refuse(const char* reason) {
    luaL_error(lua_, "Cannot serialise %s: %s", lua_typename(lua_, lua_type(lua_, -1)), reason);
  }

  void append_string(std::string_view bytes) {
    Machine::of(lua_).charge_bytes(lua_, 4 * bytes.size());
    text_.push_back('"');
    for (const char c : bytes) append_character(c);
    text_.push_back('"');
  }

  void append_character(char c) {
    switch (c) {
      case '"':
        text_.append("\\\"");
        return;
      case '\\':
        text_.append("\\\\");
        return;
      case '/':
        text_.append("\\/");
        return;
      case '\b':
        text_.append("\\b");
        return;
      case '\f':
        text_.append("\\f");
        return;
      case '\n':
        text_.append("\\n");
        return;
      case '\r':
        text_.append("\\r");
        return;
      case '\t':
        text_.append("\\t");
        return;
      default:
        break;
    }
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte != 0x7f) {
      text_.push_back(c);
      return;
    }
    text_.append("\\u00");
    text_.push_back("0123456789abcdef"[byte / 16]);
    text_.push_back("0123456789abcdef"[byte % 16]);
  }

  void append_number() {
    const double number = lua_tonumber(lua_, -1);
    if (!std::isfinite(number)) {
      if (settings_.encode_invalid_numbers == JsonSettings::Invalid::kNull) {
        text_.append("null");
        return;
      }
      if (settings_.encode_invalid_numbers == JsonSettings::Invalid::kOff) refuse("must not be NaN or Inf");
      if (std::isnan(number)) {
        text_.append("nan");
        return;
      }
    }
    append_finite(number);
  }
  void append_finite(double number) {
    char digits[64];
    const int size = std::snprintf(digits, sizeof digits, "%.*g", settings_.number_precision, number);
    text_.append(digits, static_cast<std::size_t>(size));
  }

  // The largest index if all keys are positive integers, else -1. Refuses one that is mostly holes.
  int array_size() {
    int last = 0;
    int count = 0;
    lua_pushnil(lua_);
    while (lua_next(lua_, -2) != 0) {
      Machine::of(lua_).charge(lua_, 1);
      const double key = lua_type(lua_, -2) == LUA_TNUMBER ? lua_tonumber(lua_, -2) : 0;
      if (!(key >= 1 && key <= 0x7fffffff && std::floor(key) == key)) {
        lua_pop(lua_, 2);
        return -1;
      }
      if (key > last) last = static_cast<int>(key);
      ++count;
      lua_pop(lua_, 1);
    }
    const bool sparse = settings_.sparse_ratio > 0 &&
                        last > static_cast<std::int64_t>(count) * settings_.sparse_ratio &&
                        last > settings_.sparse_safe;
    if (!sparse) return last;
    if (!settings_.sparse_convert) refuse("excessively sparse array");
    return -1;
  }

  void append_table(int depth) {
    if (depth > settings_.encode_depth_max || lua_checkstack(lua_, 3) == 0) {
      luaL_error(lua_, "Cannot serialise, excessive nesting (%d)", depth);
    }
    const int size = array_size();
    size > 0 ? append_array(size, depth) : append_object(depth);
  }

  void append_array(int size, int depth) {
    text_.push_back('[');
    for (int i = 1; i <= size; ++i) {
      if (i > 1) text_.push_back(',');
      lua_rawgeti(lua_, -1, i);
      encode(depth);
      lua_pop(lua_, 1);
    }
    text_.push_back(']');
  }

  void append_object(int depth) {
    text_.push_back('{');
    bool first = true;
    lua_pushnil(lua_);
    while (lua_next(lua_, -2) != 0) {
      if (!first) text_.push_back(',');
      first = false;
      append_key();
      text_.push_back(':');
      encode(depth);
      lua_pop(lua_, 1);
    }
    text_.push_back('}');
  }

  // Of the pair on top: numbers stand in quotes.
  void append_key() {
    if (lua_type(lua_, -2) == LUA_TNUMBER) {
      text_.push_back('"');
      lua_pushvalue(lua_, -2);
      append_number();
      lua_pop(lua_, 1);
      text_.push_back('"');
    } else if (lua_type(lua_, -2) == LUA_TSTRING) {
      std::size_t size = 0;
      const char* const bytes = lua_tolstring(lua_, -2, &size);
      append_string({bytes, size});
    } else {
      lua_pushvalue(lua_, -2);
      refuse("table key must be a number or string");
    }
  }

  lua_State* lua_;
  const JsonSettings& settings_;
  std::string text_;
};

int json_encode(lua_State* lua) {
  luaL_argcheck(lua, lua_gettop(lua) == 1, 1, "expected 1 argument");
  JsonEncoder encoder(lua, settings_of(lua));
  encoder.encode(0);
  const std::string_view text = encoder.text();
  lua_pushlstring(lua, text.data(), text.size());
  return 1;
}

int json_decode(lua_State* lua) {
  luaL_argcheck(lua, lua_gettop(lua) == 1, 1, "expected 1 argument");
  std::size_t size = 0;
  const char* const bytes = luaL_checklstring(lua, 1, &size);
  decode_json(lua, {bytes, size}, settings_of(lua));
  return 1;
}

// ---- Settings: each function sets what it is given and answers what holds.

void check_arguments(lua_State* lua, int most) {
  luaL_argcheck(lua, lua_gettop(lua) <= most, most + 1, "found too many arguments");
  while (lua_gettop(lua) < most) lua_pushnil(lua);
}

int integer_setting(lua_State* lua, int argument, int& setting, int first, int last) {
  if (!lua_isnil(lua, argument)) {
    const lua_Integer value = luaL_checkinteger(lua, argument);
    if (value < first || value > last) {
      lua_pushfstring(lua, "expected integer between %d and %d", first, last);
      luaL_argerror(lua, argument, lua_tostring(lua, -1));
    }
    setting = static_cast<int>(value);
  }
  lua_pushinteger(lua, setting);
  return 1;
}

// "off", "on" and what a third word stands for, or a boolean.
int choice_setting(lua_State* lua, JsonSettings::Invalid& setting, bool with_null) {
  check_arguments(lua, 1);
  static const char* const kWords[] = {"off", "on", "null", nullptr};
  static const char* const kTwoWords[] = {"off", "on", nullptr};
  if (lua_isboolean(lua, 1)) {
    setting = lua_toboolean(lua, 1) != 0 ? JsonSettings::Invalid::kOn : JsonSettings::Invalid::kOff;
  } else if (!lua_isnil(lua, 1)) {
    setting = static_cast<JsonSettings::Invalid>(luaL_checkoption(lua, 1, nullptr, with_null ? kWords : kTwoWords));
  }
  if (setting == JsonSettings::Invalid::kNull) {
    lua_pushliteral(lua, "null");
  } else {
    lua_pushboolean(lua, setting == JsonSettings::Invalid::kOn ? 1 : 0);
  }
  return 1;
}

int json_encode_sparse_array(lua_State* lua) {
  JsonSettings& settings = settings_of(lua);
  check_arguments(lua, 3);
  JsonSettings::Invalid convert = settings.sparse_convert ? JsonSettings::Invalid::kOn : JsonSettings::Invalid::kOff;
  static const char* const kWords[] = {"off", "on", nullptr};
  if (lua_isboolean(lua, 1)) {
    convert = lua_toboolean(lua, 1) != 0 ? JsonSettings::Invalid::kOn : JsonSettings::Invalid::kOff;
  } else if (!lua_isnil(lua, 1)) {
    convert = static_cast<JsonSettings::Invalid>(luaL_checkoption(lua, 1, nullptr, kWords));
  }
  settings.sparse_convert = convert == JsonSettings::Invalid::kOn;
  lua_pushboolean(lua, settings.sparse_convert ? 1 : 0);
  integer_setting(lua, 2, settings.sparse_ratio, 0, 0x7fffffff);
  integer_setting(lua, 3, settings.sparse_safe, 0, 0x7fffffff);
  return 3;
}
int json_encode_max_depth(lua_State* lua) {
  check_arguments(lua, 1);
  return integer_setting(lua, 1, settings_of(lua).encode_depth_max, 1, 0x7fffffff);
}
int json_decode_max_depth(lua_State* lua) {
  check_arguments(lua, 1);
  return integer_setting(lua, 1, settings_of(lua).decode_depth_max, 1, 0x7fffffff);
}
int json_encode_number_precision(lua_State* lua) {
  check_arguments(lua, 1);
  return integer_setting(lua, 1, settings_of(lua).number_precision, 1, 14);
}
// Buffers are not kept from call to call: the setting is remembered and means nothing.
int json_encode_keep_buffer(lua_State* lua) {
  JsonSettings& settings = settings_of(lua);
  JsonSettings::Invalid keep = settings.keep_buffer ? JsonSettings::Invalid::kOn : JsonSettings::Invalid::kOff;
  const int results = choice_setting(lua, keep, false);
  settings.keep_buffer = keep == JsonSettings::Invalid::kOn;
  return results;
}
int json_encode_invalid_numbers(lua_State* lua) {
  return choice_setting(lua, settings_of(lua).encode_invalid_numbers, true);
}
int json_decode_invalid_numbers(lua_State* lua) {
  return choice_setting(lua, settings_of(lua).decode_invalid_numbers, false);
}

int json_new(lua_State* lua);

// Leaves a new module with settings of its own on the stack.
void push_module(lua_State* lua) {
  static const luaL_Reg kFunctions[] = {{"encode", json_encode},
                                        {"decode", json_decode},
                                        {"encode_sparse_array", json_encode_sparse_array},
                                        {"encode_max_depth", json_encode_max_depth},
                                        {"decode_max_depth", json_decode_max_depth},
                                        {"encode_number_precision", json_encode_number_precision},
                                        {"encode_keep_buffer", json_encode_keep_buffer},
                                        {"encode_invalid_numbers", json_encode_invalid_numbers},
                                        {"decode_invalid_numbers", json_decode_invalid_numbers},
                                        {"new", json_new}};
  lua_newtable(lua);
  *static_cast<JsonSettings*>(lua_newuserdata(lua, sizeof(JsonSettings))) = JsonSettings{};
  for (const luaL_Reg& entry : kFunctions) {
    lua_pushvalue(lua, -1);
    lua_pushcclosure(lua, entry.func, 1);
    lua_setfield(lua, -3, entry.name);
  }
  lua_pop(lua, 1);
  lua_pushlightuserdata(lua, nullptr);
  lua_setfield(lua, -2, "null");
  lua_pushliteral(lua, "cjson");
  lua_setfield(lua, -2, "_NAME");
  lua_pushliteral(lua, "2.1.0");
  lua_setfield(lua, -2, "_VERSION");
}

int json_new(lua_State* lua) {
  push_module(lua);
  return 1;
}

}  // namespace

void open_json(lua_State* lua) {
  push_module(lua);
  lua_setglobal(lua, "cjson");
}

}  // namespace redraft::scripting
