#include "server/scripting/replies.h"

#include <charconv>
#include <cmath>
#include <cstdint>
#include <string>

#include <lua5.1/lua.hpp>

#include "base/check.h"
#include "resp/number.h"
#include "server/scripting/libraries.h"
#include "server/scripting/machine.h"

namespace redraft::scripting {

namespace {

// Reads what our own writer wrote, so what it finds is well-formed.
class ReplyPusher {
 public:
  ReplyPusher(lua_State* lua, std::string_view reply) : lua_(lua), rest_(reply) {}

  void push() {
    Machine::of(lua_).charge(lua_, 1);
    luaL_checkstack(lua_, 6, "too deep a reply");
    const std::string_view line = take_line();
    const std::string_view text = line.substr(1);
    switch (line.front()) {
      case '+':
        return push_field("ok", text);
      case '-':
        return push_failure(line);
      case ':':
        return lua_pushnumber(lua_, static_cast<lua_Number>(number(text)));
      case '$':
        return push_bulk(number(text));
      case '*':
        return push_array(number(text));
      case '%':
        return push_map(number(text));
      case '~':
        return push_set(number(text));
      case '_':
        return lua_pushnil(lua_);
      case '#':
        return lua_pushboolean(lua_, text == "t" ? 1 : 0);
      case ',':
        lua_createtable(lua_, 0, 1);
        lua_pushnumber(lua_, real(text));
        return lua_setfield(lua_, -2, "double");
      case '(':
        return push_field("big_number", text);
      case '=':
        return push_verbatim(number(text));
      case '|':
        return skip_attribute(number(text));
      default:
        fail("a command's reply is RESP");
    }
  }

 private:
  std::string_view take_line() {
    const std::size_t end = rest_.find("\r\n");
    ensure(end != std::string_view::npos && end > 0, "a command's reply is whole");
    const std::string_view line = rest_.substr(0, end);
    rest_.remove_prefix(end + 2);
    return line;
  }
  static std::int64_t number(std::string_view text) {
    std::int64_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
  }
  static double real(std::string_view text) {
    if (text == "nan" || text == "-nan") return std::nan("");
    return resp::parse_double(text).value_or(0.0);
  }

  void push_field(const char* name, std::string_view text) {
    lua_createtable(lua_, 0, 1);
    lua_pushlstring(lua_, text.data(), text.size());
    lua_setfield(lua_, -2, name);
  }

  void push_failure(std::string_view line) {
    push_error(lua_, line);
    // The command has been counted in INFO's errorstats already.
    lua_pushboolean(lua_, 1);
    lua_setfield(lua_, -2, "ignore_error_stats_update");
  }

  void push_bulk(std::int64_t size) {
    if (size < 0) return lua_pushboolean(lua_, 0);
    const auto bytes = static_cast<std::size_t>(size);
    lua_pushlstring(lua_, rest_.data(), bytes);
    rest_.remove_prefix(bytes + 2);
  }

  void push_array(std::int64_t size) {
    if (size < 0) return lua_pushboolean(lua_, 0);
    lua_createtable(lua_, static_cast<int>(size), 0);
    for (int i = 1; i <= size; ++i) {
      push();
      lua_rawseti(lua_, -2, i);
    }
  }

  void push_map(std::int64_t pairs) {
    lua_createtable(lua_, 0, 1);
    lua_newtable(lua_);
    for (std::int64_t i = 0; i < pairs; ++i) {
      push();
      push();
      lua_rawset(lua_, -3);
    }
    lua_setfield(lua_, -2, "map");
  }

  void push_set(std::int64_t size) {
    lua_createtable(lua_, 0, 1);
    lua_newtable(lua_);
    for (std::int64_t i = 0; i < size; ++i) {
      push();
      lua_pushboolean(lua_, 1);
      lua_rawset(lua_, -3);
    }
    lua_setfield(lua_, -2, "set");
  }

  void push_verbatim(std::int64_t size) {
    const std::string_view text = rest_.substr(0, static_cast<std::size_t>(size));
    rest_.remove_prefix(static_cast<std::size_t>(size) + 2);
    lua_createtable(lua_, 0, 1);
    push_field("string", text.substr(4));
    lua_pushlstring(lua_, text.data(), 3);
    lua_setfield(lua_, -2, "format");
    lua_setfield(lua_, -2, "verbatim_string");
  }

  // Scripts do not see attributes.
  void skip_attribute(std::int64_t pairs) {
    for (std::int64_t i = 0; i < 2 * pairs; ++i) {
      push();
      lua_pop(lua_, 1);
    }
    push();
  }

  lua_State* lua_;
  std::string_view rest_;
};

// Each function leaves the stack as it found it, but `write`, which pops the value.
class ReplyWriter {
 public:
  ReplyWriter(lua_State* lua, resp::Writer& reply)
      : lua_(lua),
        reply_(reply),
        start_(reply.out().size()),
        resp2_(Machine::of(lua).protocol == resp::Writer::Protocol::kResp2) {}

  void write() {
    bound();
    if (lua_checkstack(lua_, 4) == 0) {
      reply_.error("ERR reached lua stack limit");
      return lua_pop(lua_, 1);
    }
    switch (lua_type(lua_, -1)) {
      case LUA_TSTRING: {
        const std::string_view bytes = text();
        Machine::of(lua_).charge_bytes(lua_, bytes.size());
        reply_.bulk(bytes);
        break;
      }
      case LUA_TBOOLEAN:
        write_boolean(lua_toboolean(lua_, -1) != 0);
        break;
      case LUA_TNUMBER:
        reply_.integer(truncated(lua_tonumber(lua_, -1)));
        break;
      case LUA_TTABLE:
        write_table();
        break;
      default:
        reply_.null();
    }
    lua_pop(lua_, 1);
  }

 private:
  // What a script returns may name one table many times in another, and so be far larger than its memory.
  void bound() {
    Machine& machine = Machine::of(lua_);
    machine.charge(lua_, 2);
    if (reply_.out().size() - start_ > machine.memory_max()) machine.end(Ending::kMemory);
    machine.check_ended(lua_);
  }

  std::string_view text() {
    std::size_t size = 0;
    const char* const bytes = lua_tolstring(lua_, -1, &size);
    return {bytes, size};
  }
  // C strings end at a NUL, as Redis reads these.
  std::string_view c_text() { return lua_tostring(lua_, -1); }

  void write_boolean(bool value) {
    if (!resp2_) return reply_.boolean(value);
    value ? reply_.integer(1) : reply_.null();
  }

  // As the cast of x86-64 does it, where the number has no 64-bit integer.
  static std::int64_t truncated(double value) {
    constexpr double kLimit = 9223372036854775808.0;
    if (!(value >= -kLimit && value < kLimit)) return std::numeric_limits<std::int64_t>::min();
    return static_cast<std::int64_t>(value);
  }

  // Pushes the field when it is of that type.
  bool push_field(const char* name, int type) {
    lua_pushstring(lua_, name);
    lua_rawget(lua_, -2);
    if (lua_type(lua_, -1) == type) return true;
    lua_pop(lua_, 1);
    return false;
  }

  void write_table() {
    if (push_field("err", LUA_TSTRING)) {
      reply_.error(c_text());
    } else if (push_field("ok", LUA_TSTRING)) {
      reply_.simple(one_line(c_text()));
    } else if (push_field("double", LUA_TNUMBER)) {
      reply_.number(lua_tonumber(lua_, -1));
    } else if (push_field("big_number", LUA_TSTRING)) {
      reply_.big_number(one_line(text()));
    } else if (write_verbatim()) {
      return;
    } else if (push_field("map", LUA_TTABLE)) {
      write_map();
    } else if (push_field("set", LUA_TTABLE)) {
      write_set();
    } else {
      return write_array();
    }
    lua_pop(lua_, 1);
  }

  static std::string one_line(std::string_view text) {
    std::string line(text);
    for (char& c : line) {
      if (c == '\r' || c == '\n') c = ' ';
    }
    return line;
  }

  bool write_verbatim() {
    if (!push_field("verbatim_string", LUA_TTABLE)) return false;
    bool written = false;
    if (push_field("format", LUA_TSTRING)) {
      std::string format(c_text().substr(0, 3));
      format.resize(3, ' ');
      lua_pop(lua_, 1);
      if (push_field("string", LUA_TSTRING)) {
        reply_.verbatim(format, text());
        lua_pop(lua_, 1);
        written = true;
      }
    }
    lua_pop(lua_, 1);
    return written;
  }

  void write_map() {
    const auto whole = reply_.defer();
    std::size_t pairs = 0;
    lua_pushnil(lua_);
    while (lua_next(lua_, -2) != 0) {
      lua_pushvalue(lua_, -2);
      write();
      write();
      ++pairs;
    }
    reply_.end_map(whole, pairs);
  }

  void write_set() {
    const auto whole = reply_.defer();
    std::size_t members = 0;
    lua_pushnil(lua_);
    while (lua_next(lua_, -2) != 0) {
      lua_pop(lua_, 1);
      lua_pushvalue(lua_, -1);
      write();
      ++members;
    }
    reply_.end_set(whole, members);
  }

  // Up to the first nil.
  void write_array() {
    const auto size = static_cast<int>(lua_objlen(lua_, -1));
    int count = 0;
    while (count < size && at(count + 1)) ++count;
    while (at(count + 1)) ++count;
    reply_.array(static_cast<std::size_t>(count));
    for (int i = 1; i <= count; ++i) {
      lua_rawgeti(lua_, -1, i);
      write();
    }
  }
  bool at(int i) {
    Machine::of(lua_).charge(lua_, 1);
    lua_rawgeti(lua_, -1, i);
    const bool there = !lua_isnil(lua_, -1);
    lua_pop(lua_, 1);
    return there;
  }

  lua_State* lua_;
  resp::Writer& reply_;
  std::size_t start_;
  bool resp2_;
};

}  // namespace

void push_reply(lua_State* lua, std::string_view reply) {
  ReplyPusher(lua, reply).push();
}

void write_reply(lua_State* lua, resp::Writer& reply) {
  ReplyWriter(lua, reply).write();
}

}  // namespace redraft::scripting
