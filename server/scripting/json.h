#pragma once

#include <cstdint>
#include <string_view>

struct lua_State;

namespace redraft::scripting {

// What cjson's settings functions set, with its defaults. Lies in Lua's heap, so no call sees another's.
struct JsonSettings {
  enum class Invalid : std::uint8_t { kOff, kOn, kNull };
  bool sparse_convert = false;
  bool keep_buffer = true;
  int sparse_ratio = 2;
  int sparse_safe = 10;
  int encode_depth_max = 1000;
  int decode_depth_max = 1000;
  int number_precision = 14;
  Invalid encode_invalid_numbers = Invalid::kOff;
  Invalid decode_invalid_numbers = Invalid::kOn;
};

// Pushes the value of a JSON text, or raises cjson's error with the place where it was found.
void decode_json(lua_State* lua, std::string_view text, const JsonSettings& settings);

}  // namespace redraft::scripting
