#include <strings.h>
#include <cstdlib>
#include <cstring>
#include <string>

#include <lua5.1/lua.hpp>

#include "server/scripting/json.h"
#include "server/scripting/machine.h"

namespace redraft::scripting {

namespace {

enum class Token {
  kObjectBegin,
  kObjectEnd,
  kArrayBegin,
  kArrayEnd,
  kString,
  kNumber,
  kBoolean,
  kNull,
  kColon,
  kComma,
  kEnd,
  kError
};

constexpr const char* kTokenNames[] = {"T_OBJ_BEGIN", "T_OBJ_END", "T_ARR_BEGIN", "T_ARR_END", "T_STRING", "T_NUMBER",
                                       "T_BOOLEAN",   "T_NULL",    "T_COLON",     "T_COMMA",   "T_END"};

class JsonDecoder {
 public:
  JsonDecoder(lua_State* lua, std::string_view text, const JsonSettings& settings)
      : lua_(lua), text_(text), settings_(settings) {}

  // Leaves the value on the stack.
  void decode() {
    if (text_.size() >= 2 && (text_[0] == '\0' || text_[1] == '\0')) {
      luaL_error(lua_, "JSON parser does not support UTF-16 or UTF-32");
    }
    read_token();
    push_value(0);
    read_token();
    if (token_ != Token::kEnd) refuse("the end");
  }

 private:
  void refuse(const char* expected) {
    const char* const found = token_ == Token::kError ? error_ : kTokenNames[static_cast<int>(token_)];
    luaL_error(lua_, "Expected %s but found %s at character %d", expected, found, static_cast<int>(token_at_ + 1));
  }

  [[nodiscard]] char here() const { return at_ < text_.size() ? text_[at_] : '\0'; }

  // ---- Tokens. The text lies in a Lua string, so a NUL stands behind it.

  void read_token() {
    Machine::of(lua_).charge(lua_, 2);
    while (here() == ' ' || here() == '\t' || here() == '\n' || here() == '\r') ++at_;
    token_at_ = at_;
    switch (here()) {
      case '{':
        return take(Token::kObjectBegin, 1);
      case '}':
        return take(Token::kObjectEnd, 1);
      case '[':
        return take(Token::kArrayBegin, 1);
      case ']':
        return take(Token::kArrayEnd, 1);
      case ':':
        return take(Token::kColon, 1);
      case ',':
        return take(Token::kComma, 1);
      case '\0':
        return take(Token::kEnd, 0);
      case '"':
        return read_string();
      default:
        return read_word();
    }
  }

  void take(Token token, std::size_t size) {
    token_ = token;
    at_ += size;
  }
  void fail_token(const char* error, std::size_t at) {
    token_ = Token::kError;
    error_ = error;
    token_at_ = at;
  }

  void read_word() {
    const std::string_view rest = text_.substr(at_);
    const char c = here();
    if (c == '-' || (c >= '0' && c <= '9')) {
      if (settings_.decode_invalid_numbers == JsonSettings::Invalid::kOff && unusual_number()) {
        return fail_token("invalid number", token_at_);
      }
      return read_number();
    }
    if (rest.starts_with("true") || rest.starts_with("false")) {
      boolean_ = c == 't';
      return take(Token::kBoolean, boolean_ ? 4 : 5);
    }
    if (rest.starts_with("null")) return take(Token::kNull, 4);
    if (settings_.decode_invalid_numbers != JsonSettings::Invalid::kOff && unusual_number()) return read_number();
    fail_token("invalid token", token_at_);
  }

  // What strtod takes and JSON does not: a plus sign, hexadecimal, leading zeros, infinities, NaN.
  [[nodiscard]] bool unusual_number() const {
    const char* p = text_.data() + at_;
    if (*p == '+') return true;
    if (*p == '-') ++p;
    if (*p == '0') return (p[1] | 0x20) == 'x' || (p[1] >= '0' && p[1] <= '9');
    if (*p >= '0' && *p <= '9') return false;
    return strncasecmp(p, "inf", 3) == 0 || strncasecmp(p, "nan", 3) == 0;
  }

  void read_number() {
    const char* const begin = text_.data() + at_;
    char* end = nullptr;
    number_ = std::strtod(begin, &end);
    if (end == begin) return fail_token("invalid number", token_at_);
    take(Token::kNumber, static_cast<std::size_t>(end - begin));
  }

  void read_string() {
    string_.clear();
    ++at_;
    while (true) {
      const std::size_t stop = text_.find_first_of(std::string_view("\"\\\0", 3), at_);
      const std::size_t end = stop == std::string_view::npos ? text_.size() : stop;
      string_.append(text_.substr(at_, end - at_));
      Machine::of(lua_).charge_bytes(lua_, 4 * (end - at_) + 16);
      at_ = end;
      if (here() == '"') return take(Token::kString, 1);
      if (here() != '\\') return fail_token("unexpected end of string", at_);
      if (!take_escape()) return;
    }
  }

  bool take_escape() {
    const std::size_t begin = at_;
    ++at_;
    const char c = here();
    if (c == 'u') {
      if (take_code_point()) return true;
      fail_token("invalid unicode escape code", begin);
      return false;
    }
    constexpr std::string_view kLetters = "\"\\/bfnrt";
    constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
    const std::size_t which = c == '\0' ? std::string_view::npos : kLetters.find(c);
    if (which == std::string_view::npos) {
      fail_token("invalid escape code", begin);
      return false;
    }
    string_.push_back(kMeanings[which]);
    ++at_;
    return true;
  }

  // At the `u`.
  bool take_hex(std::uint32_t& code) {
    code = 0;
    if (text_.size() - at_ < 5) return false;
    for (std::size_t i = 1; i <= 4; ++i) {
      const char c = text_[at_ + i];
      const auto lower = static_cast<char>(c | 0x20);
      if (c >= '0' && c <= '9') {
        code = code * 16 + static_cast<std::uint32_t>(c - '0');
      } else if (lower >= 'a' && lower <= 'f') {
        code = code * 16 + static_cast<std::uint32_t>(lower - 'a') + 10;
      } else {
        return false;
      }
    }
    at_ += 5;
    return true;
  }

  bool take_code_point() {
    std::uint32_t code = 0;
    if (!take_hex(code)) return false;
    if (code >= 0xdc00 && code <= 0xdfff) return false;
    if (code >= 0xd800 && code <= 0xdbff) {
      std::uint32_t low = 0;
      if (!text_.substr(at_).starts_with("\\u")) return false;
      ++at_;
      if (!take_hex(low) || low < 0xdc00 || low > 0xdfff) return false;
      code = 0x10000 + ((code & 0x3ff) << 10 | (low & 0x3ff));
    }
    append_utf8(code);
    return true;
  }

  void append_utf8(std::uint32_t code) {
    const auto put = [this](std::uint32_t byte) { string_.push_back(static_cast<char>(byte)); };
    if (code < 0x80) return put(code);
    if (code < 0x800) {
      put(0xc0 | code >> 6);
    } else if (code < 0x10000) {
      put(0xe0 | code >> 12);
      put(0x80 | (code >> 6 & 0x3f));
    } else {
      put(0xf0 | code >> 18);
      put(0x80 | (code >> 12 & 0x3f));
      put(0x80 | (code >> 6 & 0x3f));
    }
    put(0x80 | (code & 0x3f));
  }

  // ---- Values

  void push_value(int depth) {
    switch (token_) {
      case Token::kString:
        lua_pushlstring(lua_, string_.data(), string_.size());
        return;
      case Token::kNumber:
        lua_pushnumber(lua_, number_);
        return;
      case Token::kBoolean:
        lua_pushboolean(lua_, boolean_ ? 1 : 0);
        return;
      case Token::kNull:
        lua_pushlightuserdata(lua_, nullptr);
        return;
      case Token::kObjectBegin:
        return push_object(depth + 1);
      case Token::kArrayBegin:
        return push_array(depth + 1);
      default:
        refuse("value");
    }
  }

  void check_depth(int depth) {
    if (depth <= settings_.decode_depth_max && lua_checkstack(lua_, 3) != 0) return;
    luaL_error(lua_, "Found too many nested data structures (%d) at character %d", depth, static_cast<int>(at_));
  }

  void push_object(int depth) {
    check_depth(depth);
    lua_newtable(lua_);
    read_token();
    if (token_ == Token::kObjectEnd) return;
    while (true) {
      if (token_ != Token::kString) refuse("object key string");
      lua_pushlstring(lua_, string_.data(), string_.size());
      read_token();
      if (token_ != Token::kColon) refuse("colon");
      read_token();
      push_value(depth);
      lua_rawset(lua_, -3);
      read_token();
      if (token_ == Token::kObjectEnd) return;
      if (token_ != Token::kComma) refuse("comma or object end");
      read_token();
    }
  }

  void push_array(int depth) {
    check_depth(depth);
    lua_newtable(lua_);
    read_token();
    if (token_ == Token::kArrayEnd) return;
    for (int i = 1;; ++i) {
      push_value(depth);
      lua_rawseti(lua_, -2, i);
      read_token();
      if (token_ == Token::kArrayEnd) return;
      if (token_ != Token::kComma) refuse("comma or array end");
      read_token();
    }
  }

  lua_State* lua_;
  std::string_view text_;
  const JsonSettings& settings_;
  std::size_t at_ = 0;
  Token token_ = Token::kEnd;
  std::size_t token_at_ = 0;
  const char* error_ = "";
  std::string string_;
  double number_ = 0;
  bool boolean_ = false;
};

}  // namespace

void decode_json(lua_State* lua, std::string_view text, const JsonSettings& settings) {
  JsonDecoder(lua, text, settings).decode();
}

}  // namespace redraft::scripting
