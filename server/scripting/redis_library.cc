#include <cmath>
#include <cstdio>
#include <span>
#include <string>

#include <lua5.1/lua.hpp>

#include "resp/number.h"
#include "server/scripting/libraries.h"
#include "server/scripting/machine.h"
#include "server/scripting/replies.h"
#include "server/scripting/script_flags.h"
#include "server/scripting/sha1.h"

// The table `redis` (redis.io/docs/interact/programmability/lua-api, "The redis object").

namespace redraft::scripting {

namespace {

constexpr const char* kRedisVersion = "7.2.5";
constexpr int kRedisVersionNumber = 0x00070205;
constexpr std::uint64_t kCallSteps = 100;

constexpr int kLogDebug = 0;
constexpr int kLogVerbose = 1;
constexpr int kLogNotice = 2;
constexpr int kLogWarning = 3;

// Redis replicates what scripts did; here the script itself is in the log, so these change nothing.
constexpr int kReplNone = 0;
constexpr int kReplAof = 1;
constexpr int kReplReplica = 2;
constexpr int kReplAll = kReplAof | kReplReplica;

Machine& machine_in_call(lua_State* lua, const char* function) {
  Machine& machine = Machine::of(lua);
  if (machine.outside() == nullptr || machine.loading()) {
    raise_error(lua, std::string("redis.").append(function).append(" can only be called inside a script invocation"));
  }
  return machine;
}

// As "%.17g", which is slow and mostly asked for integers. Returns the length.
std::size_t format_number(lua_Number value, std::span<char, 64> digits) {
  constexpr lua_Number kExact = 1e15;
  if (value > -kExact && value < kExact) {
    const auto integer = static_cast<std::int64_t>(value);
    const bool negative_zero = integer == 0 && std::signbit(value);
    if (static_cast<lua_Number>(integer) == value && !negative_zero) return resp::format_int64(integer, digits.data());
  }
  return static_cast<std::size_t>(std::snprintf(digits.data(), digits.size(), "%.17g", value));
}

// The arguments of redis.call, valid until the next call; false when the error is on the stack. Numbers are written
// with all their digits, as Redis does, not as Lua would.
bool take_arguments(lua_State* lua, Machine& machine) {
  const int count = lua_gettop(lua);
  if (count == 0) {
    push_error(lua, "Please specify at least one argument for this redis lib call");
    return false;
  }
  std::string& numbers = machine.argument_buffer;
  numbers.clear();
  numbers.reserve(static_cast<std::size_t>(count) * 32);
  machine.call_arguments.clear();
  for (int i = 1; i <= count; ++i) {
    if (lua_type(lua, i) == LUA_TNUMBER) {
      char digits[64];
      const std::size_t begin = numbers.size();
      numbers.append(digits, format_number(lua_tonumber(lua, i), digits));
      machine.call_arguments.push_back(std::string_view(numbers).substr(begin));
      continue;
    }
    std::size_t size = 0;
    const char* const bytes = lua_tolstring(lua, i, &size);
    if (bytes == nullptr) {
      push_error(lua, "Lua redis lib command arguments must be strings or integers");
      return false;
    }
    machine.call_arguments.emplace_back(bytes, size);
  }
  return true;
}

// Pushes what the command answered; true when that is an error.
bool run_command(lua_State* lua, Machine& machine) {
  std::size_t bytes = 0;
  for (const std::string_view argument : machine.call_arguments) bytes += argument.size();
  machine.charge(lua, kCallSteps + bytes / 16);
  machine.reply_buffer.clear();
  resp::Writer writer(machine.reply_buffer, machine.protocol);
  const Outside::Called called = machine.outside()->call(machine.call_arguments, writer);
  if (called.kind == Outside::Called::Kind::kStop) {
    machine.end(Ending::kStopped);
    machine.check_ended(lua);
  }
  lua_settop(lua, 0);
  if (called.kind == Outside::Called::Kind::kRefused) {
    push_error(lua, called.error);
    lua_pushboolean(lua, 1);
    lua_setfield(lua, -2, "ignore_error_stats_update");
    return true;
  }
  machine.charge_bytes(lua, machine.reply_buffer.size());
  push_reply(lua, machine.reply_buffer);
  return machine.reply_buffer.starts_with('-');
}

int redis_call(lua_State* lua) {
  Machine& machine = Machine::of(lua);
  if (machine.outside() == nullptr || machine.loading()) {
    raise_error(lua, "redis.call/pcall can only be called inside a script invocation");
  }
  if (!take_arguments(lua, machine) || run_command(lua, machine)) return lua_error(lua);
  return 1;
}

int redis_pcall(lua_State* lua) {
  Machine& machine = Machine::of(lua);
  if (machine.outside() == nullptr || machine.loading()) {
    raise_error(lua, "redis.call/pcall can only be called inside a script invocation");
  }
  if (take_arguments(lua, machine)) static_cast<void>(run_command(lua, machine));
  return 1;
}

int redis_sha1hex(lua_State* lua) {
  if (lua_gettop(lua) != 1) raise_error(lua, "wrong number of arguments");
  std::size_t size = 0;
  const char* const bytes = lua_tolstring(lua, 1, &size);
  Machine::of(lua).charge(lua, 20 + size / 4);
  const Sha1Hex digest = sha1_hex(bytes == nullptr ? std::string_view() : std::string_view(bytes, size));
  lua_pushlstring(lua, digest.data(), digest.size());
  return 1;
}

bool one_string(lua_State* lua) {
  if (lua_gettop(lua) == 1 && lua_type(lua, 1) == LUA_TSTRING) return true;
  push_error(lua, "wrong number or type of arguments");
  return false;
}

int redis_error_reply(lua_State* lua) {
  if (!one_string(lua)) return 1;
  std::string text = lua_tostring(lua, 1);
  if (!text.starts_with('-')) text.insert(text.begin(), '-');
  push_error(lua, text);
  return 1;
}

int redis_status_reply(lua_State* lua) {
  if (!one_string(lua)) return 1;
  lua_createtable(lua, 0, 1);
  lua_pushvalue(lua, 1);
  lua_setfield(lua, -2, "ok");
  return 1;
}

int redis_set_repl(lua_State* lua) {
  machine_in_call(lua, "set_repl");
  if (lua_gettop(lua) != 1) raise_error(lua, "redis.set_repl() requires two arguments.");
  const auto flags = static_cast<std::int64_t>(lua_tonumber(lua, 1));
  if ((flags & ~std::int64_t{kReplAll}) != 0) {
    raise_error(lua, "Invalid replication flags. Use REPL_AOF, REPL_REPLICA, REPL_ALL or REPL_NONE.");
  }
  return 0;
}

int redis_replicate_commands(lua_State* lua) {
  lua_pushboolean(lua, 1);
  return 1;
}

// There is no debugger to stop in.
int redis_breakpoint(lua_State* lua) {
  lua_pushboolean(lua, 0);
  return 1;
}
int redis_debug(lua_State* /*lua*/) {
  return 0;
}

int redis_acl_check_cmd(lua_State* lua) {
  Machine& machine = machine_in_call(lua, "acl_check_cmd");
  if (!take_arguments(lua, machine)) return lua_error(lua);
  bool known = false;
  const bool may = machine.outside()->may_call(machine.call_arguments, known);
  if (!known) raise_error(lua, "Invalid command passed to redis.acl_check_cmd()");
  lua_pushboolean(lua, may ? 1 : 0);
  return 1;
}

int redis_log(lua_State* lua) {
  const int count = lua_gettop(lua);
  if (count < 2) raise_error(lua, "redis.log() requires two arguments or more.");
  if (lua_isnumber(lua, 1) == 0) raise_error(lua, "First argument must be a number (log level).");
  const auto level = static_cast<int>(lua_tonumber(lua, 1));
  if (level < kLogDebug || level > kLogWarning) raise_error(lua, "Invalid debug level.");
  std::string line;
  for (int i = 2; i <= count; ++i) {
    std::size_t size = 0;
    const char* const bytes = lua_tolstring(lua, i, &size);
    if (bytes == nullptr) continue;
    if (!line.empty()) line.push_back(' ');
    line.append(bytes, size);
  }
  Machine& machine = Machine::of(lua);
  machine.charge(lua, 100 + line.size());
  if (machine.outside() != nullptr) machine.outside()->log(level, line);
  return 0;
}

int redis_setresp(lua_State* lua) {
  Machine& machine = machine_in_call(lua, "setresp");
  if (lua_gettop(lua) != 1) raise_error(lua, "redis.setresp() requires one argument.");
  const lua_Number version = lua_tonumber(lua, 1);
  if (!(version >= 2 && version < 4)) raise_error(lua, "RESP version must be 2 or 3.");
  machine.protocol = version < 3 ? resp::Writer::Protocol::kResp2 : resp::Writer::Protocol::kResp3;
  return 0;
}

void set_number(lua_State* lua, const char* name, int value) {
  lua_pushinteger(lua, value);
  lua_setfield(lua, -2, name);
}

void set_function(lua_State* lua, const char* name, lua_CFunction function) {
  lua_pushcfunction(lua, function);
  lua_setfield(lua, -2, name);
}

// What a library has too while it is loaded.
void set_common_fields(lua_State* lua) {
  set_function(lua, "log", redis_log);
  set_number(lua, "LOG_DEBUG", kLogDebug);
  set_number(lua, "LOG_VERBOSE", kLogVerbose);
  set_number(lua, "LOG_NOTICE", kLogNotice);
  set_number(lua, "LOG_WARNING", kLogWarning);
  set_number(lua, "REDIS_VERSION_NUM", kRedisVersionNumber);
  lua_pushstring(lua, kRedisVersion);
  lua_setfield(lua, -2, "REDIS_VERSION");
}

}  // namespace

void open_redis(lua_State* lua) {
  lua_newtable(lua);
  set_common_fields(lua);
  const luaL_Reg functions[] = {{"call", redis_call},
                                {"pcall", redis_pcall},
                                {"setresp", redis_setresp},
                                {"sha1hex", redis_sha1hex},
                                {"error_reply", redis_error_reply},
                                {"status_reply", redis_status_reply},
                                {"set_repl", redis_set_repl},
                                {"replicate_commands", redis_replicate_commands},
                                {"breakpoint", redis_breakpoint},
                                {"debug", redis_debug},
                                {"acl_check_cmd", redis_acl_check_cmd}};
  for (const luaL_Reg& entry : functions) set_function(lua, entry.name, entry.func);
  set_number(lua, "REPL_NONE", kReplNone);
  set_number(lua, "REPL_AOF", kReplAof);
  set_number(lua, "REPL_SLAVE", kReplReplica);
  set_number(lua, "REPL_REPLICA", kReplReplica);
  set_number(lua, "REPL_ALL", kReplAll);
  lua_setglobal(lua, "redis");

  lua_newtable(lua);
  lua_newtable(lua);
  set_common_fields(lua);
  set_function(lua, "register_function", register_function);
  lua_setfield(lua, -2, "redis");
  lua_setfield(lua, LUA_REGISTRYINDEX, kLoadGlobalsKey);
}

}  // namespace redraft::scripting
