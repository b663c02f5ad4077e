#include <bit>
#include <cctype>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include <lua5.1/lua.hpp>

#include "server/scripting/libraries.h"
#include "server/scripting/machine.h"

// struct.pack, unpack and size: values to and from bytes by a format (inf.puc-rio.br/~roberto/struct). Native is
// little-endian, without alignment unless `!` asks for it.

namespace redraft::scripting {

namespace {

constexpr std::size_t kIntegerMax = 32;
constexpr std::size_t kAlignmentMax = 8;

// Reads a format, option by option.
class Format {
 public:
  Format(lua_State* lua, std::string_view text) : lua_(lua), text_(text.substr(0, text.find('\0'))) {}

  // False at the end. `size` is that of the option's value, 0 where the value decides.
  bool next(char& option, std::size_t& size) {
    if (at_ == text_.size()) return false;
    option = text_[at_++];
    size = size_of(option);
    return true;
  }

  // Bytes to skip so that the value is aligned.
  [[nodiscard]] std::size_t padding(std::size_t position, char option, std::size_t size) const {
    if (size == 0 || option == 'c') return 0;
    const std::size_t unit = std::min(size, alignment_);
    return unit <= 1 ? 0 : (unit - (position & (unit - 1))) & (unit - 1);
  }

  // What stands for no value.
  void control(char option) {
    switch (option) {
      case ' ':
        return;
      case '>':
        little_ = false;
        return;
      case '<':
        little_ = true;
        return;
      case '!': {
        const std::size_t alignment = number(kAlignmentMax);
        if (alignment == 0 || !std::has_single_bit(alignment)) {
          luaL_error(lua_, "alignment %d is not a power of 2", static_cast<int>(alignment));
        };
        alignment_ = alignment;
        return;
      }
      default:
        refuse(option);
    }
  }

  [[nodiscard]] bool little() const { return little_; }

 private:
  [[nodiscard]] bool digit() const {
    return at_ < text_.size() && std::isdigit(static_cast<unsigned char>(text_[at_])) != 0;
  }
  std::size_t number(std::size_t otherwise) {
    if (!digit()) return otherwise;
    std::size_t value = 0;
    for (; digit(); ++at_) {
      value = value * 10 + static_cast<std::size_t>(text_[at_] - '0');
      if (value > 0x7fffffff) luaL_error(lua_, "integral size overflow");
    }
    return value;
  }
  std::size_t size_of(char option) {
    switch (option) {
      case 'B':
      case 'b':
      case 'x':
        return 1;
      case 'H':
      case 'h':
        return 2;
      case 'L':
      case 'l':
      case 'T':
      case 'd':
        return 8;
      case 'f':
        return 4;
      case 'c':
        return number(1);
      case 'I':
      case 'i': {
        const std::size_t size = number(4);
        if (size > kIntegerMax) {
          luaL_error(lua_, "integral size %d is larger than limit of %d", static_cast<int>(size),
                     static_cast<int>(kIntegerMax));
        }
        return size;
      }
      default:
        return 0;
    }
  }

  void refuse(char option) {
    lua_pushfstring(lua_, "invalid format option '%c'", option);
    luaL_argerror(lua_, 1, lua_tostring(lua_, -1));
  }

  lua_State* lua_;
  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t alignment_ = 1;
  bool little_ = true;
};

void append_bytes(std::string& to, std::uint64_t value, std::size_t size, bool little) {
  const std::size_t begin = to.size();
  to.resize(begin + size);
  for (std::size_t i = 0; i < size; ++i) {
    to[begin + (little ? i : size - 1 - i)] = static_cast<char>(value & 0xff);
    value >>= 8;
  }
}

std::uint64_t read_bytes(std::string_view bytes, bool little) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    value = value << 8 | static_cast<unsigned char>(bytes[little ? bytes.size() - 1 - i : i]);
  }
  return value;
}

// As x86-64 casts: what does not fit becomes the smallest integer.
std::uint64_t integer_bits(double number) {
  constexpr double kTwo63 = 9223372036854775808.0;
  if (number < 0) {
    return static_cast<std::uint64_t>(number >= -kTwo63 ? static_cast<std::int64_t>(number) : INT64_MIN);
  }
  if (number < kTwo63) return static_cast<std::uint64_t>(static_cast<std::int64_t>(number));
  return number < 2 * kTwo63 ? static_cast<std::uint64_t>(number) : 0;
}

double signed_number(std::uint64_t value, std::size_t size) {
  if (size >= 8) return static_cast<double>(static_cast<std::int64_t>(value));
  if (size == 0) return 0;
  const std::uint64_t sign = ~std::uint64_t{0} << (size * 8 - 1);
  if ((value & sign) != 0) value |= sign;
  return static_cast<double>(static_cast<std::int64_t>(value));
}

int struct_pack(lua_State* lua) {
  Format format(lua, luaL_checkstring(lua, 1));
  Machine& machine = Machine::of(lua);
  std::string packed;
  int argument = 2;
  lua_pushnil(lua);  // stands for a missing argument in messages, as in Redis
  char option = 0;
  std::size_t size = 0;
  while (format.next(option, size)) {
    packed.append(format.padding(packed.size(), option, size), '\0');
    machine.charge(lua, 2);
    switch (option) {
      case 'b':
      case 'B':
      case 'h':
      case 'H':
      case 'l':
      case 'L':
      case 'T':
      case 'i':
      case 'I':
        append_bytes(packed, integer_bits(luaL_checknumber(lua, argument++)), size, format.little());
        break;
      case 'x':
        packed.push_back('\0');
        break;
      case 'f':
        append_bytes(packed, std::bit_cast<std::uint32_t>(static_cast<float>(luaL_checknumber(lua, argument++))), size,
                     format.little());
        break;
      case 'd':
        append_bytes(packed, std::bit_cast<std::uint64_t>(static_cast<double>(luaL_checknumber(lua, argument++))), size,
                     format.little());
        break;
      case 'c':
      case 's': {
        std::size_t length = 0;
        const char* const bytes = luaL_checklstring(lua, argument++, &length);
        if (size == 0) size = length;
        luaL_argcheck(lua, length >= size, argument, "string too short");
        machine.charge_bytes(lua, size);
        if (packed.size() + size > machine.memory_max()) return luaL_error(lua, "not enough memory");
        packed.append(bytes, size);
        if (option == 's') packed.push_back('\0');
        break;
      }
      default:
        format.control(option);
    }
  }
  lua_pushlstring(lua, packed.data(), packed.size());
  return 1;
}

int struct_unpack(lua_State* lua) {
  Format format(lua, luaL_checkstring(lua, 1));
  std::size_t length = 0;
  const char* const bytes = luaL_checklstring(lua, 2, &length);
  const std::string_view data(bytes, length);
  const lua_Integer start = luaL_optinteger(lua, 3, 1);
  luaL_argcheck(lua, start > 0, 3, "offset must be 1 or greater");
  std::size_t position = static_cast<std::size_t>(start) - 1;
  int count = 0;
  char option = 0;
  std::size_t size = 0;
  const auto check_room = [&] {
    luaL_argcheck(lua, size <= data.size() && position <= data.size() - size, 2, "data string too short");
  };
  while (format.next(option, size)) {
    position += format.padding(position, option, size);
    check_room();
    luaL_checkstack(lua, 2, "too many results");
    Machine::of(lua).charge(lua, 2);
    const std::string_view value = data.substr(position, size);
    switch (option) {
      case 'b':
      case 'h':
      case 'l':
      case 'i':
        lua_pushnumber(lua, signed_number(read_bytes(value, format.little()), size));
        ++count;
        break;
      case 'B':
      case 'H':
      case 'L':
      case 'T':
      case 'I':
        lua_pushnumber(lua, static_cast<lua_Number>(read_bytes(value, format.little())));
        ++count;
        break;
      case 'x':
        break;
      case 'f':
        lua_pushnumber(lua, static_cast<lua_Number>(
                                std::bit_cast<float>(static_cast<std::uint32_t>(read_bytes(value, format.little())))));
        ++count;
        break;
      case 'd':
        lua_pushnumber(lua, std::bit_cast<double>(read_bytes(value, format.little())));
        ++count;
        break;
      case 'c':
        if (size == 0) {
          if (count == 0 || lua_isnumber(lua, -1) == 0) return luaL_error(lua, "format 'c0' needs a previous size");
          size = static_cast<std::size_t>(integer_bits(lua_tonumber(lua, -1)));
          lua_pop(lua, 1);
          --count;
          check_room();
        }
        lua_pushlstring(lua, data.data() + position, size);
        ++count;
        break;
      case 's': {
        const std::size_t end = data.find('\0', position);
        if (end == std::string_view::npos) return luaL_error(lua, "unfinished string in data");
        size = end - position + 1;
        lua_pushlstring(lua, data.data() + position, size - 1);
        ++count;
        break;
      }
      default:
        format.control(option);
    }
    position += size;
  }
  lua_pushinteger(lua, static_cast<lua_Integer>(position + 1));
  return count + 1;
}

int struct_size(lua_State* lua) {
  Format format(lua, luaL_checkstring(lua, 1));
  std::size_t total = 0;
  char option = 0;
  std::size_t size = 0;
  while (format.next(option, size)) {
    total += format.padding(total, option, size);
    if (option == 's') return luaL_argerror(lua, 1, "option 's' has no fixed size");
    if (option == 'c' && size == 0) return luaL_argerror(lua, 1, "option 'c0' has no fixed size");
    if (std::isalnum(static_cast<unsigned char>(option)) == 0) format.control(option);
    total += size;
  }
  lua_pushinteger(lua, static_cast<lua_Integer>(total));
  return 1;
}

}  // namespace

void open_struct(lua_State* lua) {
  static const luaL_Reg kFunctions[] = {
      {"pack", struct_pack}, {"unpack", struct_unpack}, {"size", struct_size}, {nullptr, nullptr}};
  lua_newtable(lua);
  luaL_register(lua, nullptr, kFunctions);
  lua_setglobal(lua, "struct");
}

}  // namespace redraft::scripting
