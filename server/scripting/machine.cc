#include "server/scripting/machine.h"

#include <algorithm>

#include <lua5.1/lua.hpp>

#include "base/check.h"
#include "server/scripting/libraries.h"
#include "server/scripting/replies.h"

namespace redraft::scripting {

namespace {

constexpr int kHookInterval = 256;
constexpr std::uint64_t kBreathInterval = 10'000;
// Parsing a byte of source takes longer than touching it.
constexpr std::uint64_t kStepsPerSourceByte = 4;
constexpr std::uint64_t kLibraryMemoryMax = std::uint64_t{32} << 20;

struct Run {
  Machine* machine;
  const Invocation* invocation;
  Outside* outside;
  bool function;
  resp::Writer* reply;
};

// From {err, source, line} as `handle_error` left it, or a bare message.
void answer_failure(lua_State* lua, std::string_view name, resp::Writer& reply) {
  std::string text;
  if (!lua_istable(lua, -1)) {
    const char* const message = lua_isstring(lua, -1) != 0 ? lua_tostring(lua, -1) : "execution failure";
    text.append("ERR Error running script ").append(name).append(", ");
    text.append(std::string_view(message).substr(0, 100));
    reply.error(text);
    return;
  }
  const auto field = [lua](const char* key) {
    lua_getfield(lua, -1, key);
    std::size_t size = 0;
    const char* const bytes = lua_isstring(lua, -1) != 0 ? lua_tolstring(lua, -1, &size) : nullptr;
    std::string value = bytes != nullptr ? std::string(bytes) : std::string();
    lua_pop(lua, 1);
    return value;
  };
  text = field("err");
  const std::string source = field("source");
  const std::string line = field("line");
  if (!source.empty() && !line.empty()) {
    text.append(" script: ").append(name).append(", on ").append(source).append(":").append(line).append(".");
  }
  reply.error(text);
}

void push_array(lua_State* lua, std::span<const std::string_view> values) {
  lua_createtable(lua, static_cast<int>(values.size()), 0);
  for (std::size_t i = 0; i < values.size(); ++i) {
    lua_pushlstring(lua, values[i].data(), values[i].size());
    lua_rawseti(lua, -2, static_cast<int>(i + 1));
  }
}

void set_global(lua_State* lua, const char* name) {
  lua_getfield(lua, LUA_REGISTRYINDEX, kGlobalsKey);
  lua_insert(lua, -2);
  lua_pushstring(lua, name);
  lua_insert(lua, -2);
  lua_rawset(lua, -3);
  lua_pop(lua, 1);
}

}  // namespace

Machine::Machine() {
  lua_ = lua_newstate(&Machine::allocate, this);
  ensure(lua_ != nullptr, "an empty Lua state fits into its heap");
  const int built = lua_cpcall(lua_, &Machine::build, this);
  ensure(built == 0, "the sandbox can be built");
  pristine_ = heap_.save();
}

// Nothing to close: whatever the state owns lies in its heap.
Machine::~Machine() = default;

int Machine::build(lua_State* lua) {
  lua_pushcfunction(lua, &Machine::handle_error);
  lua_setglobal(lua, "__redis__err__handler");  // a global in Redis too
  open_base(lua);
  open_tables(lua);
  open_strings(lua);
  open_math(lua);
  open_bit(lua);
  open_struct(lua);
  open_json(lua);
  open_msgpack(lua);
  open_redis(lua);
  protect_globals(lua);
  lua_sethook(lua, &Machine::count_hook, LUA_MASKCOUNT, kHookInterval);
  lua_settop(lua, 0);
  lua_gc(lua, LUA_GCCOLLECT, 0);
  return 0;
}

Machine& Machine::of(lua_State* lua) {
  void* machine = nullptr;
  lua_getallocf(lua, &machine);
  return *static_cast<Machine*>(machine);
}

// Work that grows with memory, such as joining strings and growing tables, is counted here. It cannot raise, so the
// next hook does.
void* Machine::allocate(void* machine, void* block, std::size_t old_size, std::size_t size) {
  auto& self = *static_cast<Machine*>(machine);
  void* const to = self.heap_.resize(block, old_size, size);
  if (to == nullptr && size != 0) {
    self.end(Ending::kMemory);
    return nullptr;
  }
  if (size > old_size) {
    self.steps_ += size / 32;
    if (self.steps_ >= self.breathe_at_) self.breathe();
  }
  return to;
}

void Machine::breathe() {
  breathe_at_ = steps_ + kBreathInterval;
  if (steps_ > budget_.steps && ending_ == Ending::kNone) ending_ = Ending::kSteps;
  if (outside_ != nullptr && !outside_->go_on() && ending_ == Ending::kNone) ending_ = Ending::kKilled;
}

void Machine::settle(lua_State* lua) {
  breathe();
  check_ended(lua);
}

void Machine::check_ended(lua_State* lua) {
  switch (ending_) {
    case Ending::kNone:
      return;
    case Ending::kSteps:
      raise_error(lua, "Script ended: its budget of steps is used up (script-steps-max)");
    case Ending::kMemory:
      raise_error(lua, "Script ended: its budget of memory is used up (script-memory-max)");
    case Ending::kKilled:
      raise_error(lua, "Script killed by user with SCRIPT KILL...");
    case Ending::kStopped:
      raise_error(lua, "Script stopped");
  }
}

void Machine::count_hook(lua_State* lua, lua_Debug* /*where*/) {
  Machine& machine = of(lua);
  machine.charge(lua, kHookInterval);
  machine.check_ended(lua);
}

// Gives every error Redis's form: a table with the text and the place of the Lua code that failed; a C function's
// caller counts as that place.
int Machine::handle_error(lua_State* lua) {
  lua_Debug where{};
  bool known = lua_getstack(lua, 1, &where) != 0 && lua_getinfo(lua, "nSl", &where) != 0;
  if (known && std::string_view(where.what) == "C") {
    known = lua_getstack(lua, 2, &where) != 0 && lua_getinfo(lua, "nSl", &where) != 0;
  }
  if (!lua_istable(lua, 1)) {
    std::size_t size = 0;
    const char* message = lua_isstring(lua, 1) != 0 ? lua_tolstring(lua, 1, &size) : luaL_typename(lua, 1);
    if (lua_isboolean(lua, 1)) message = lua_toboolean(lua, 1) != 0 ? "true" : "false";
    lua_newtable(lua);
    lua_pushfstring(lua, "ERR %s", message);
    lua_setfield(lua, -2, "err");
    lua_replace(lua, 1);
  }
  lua_settop(lua, 1);
  if (known) {
    lua_pushstring(lua, where.source);
    lua_setfield(lua, 1, "source");
    lua_pushinteger(lua, where.currentline);
    lua_setfield(lua, 1, "line");
  }
  return 1;
}

void Machine::begin(const Image& image, const Budget& budget, Outside* outside, std::uint64_t seed) {
  ensure(outside_ == nullptr, "a script runs no other script");
  heap_.restore(image);
  heap_.set_limit(heap_.used() + budget.memory_bytes);
  budget_ = budget;
  outside_ = outside;
  random_ = LuaRandom(seed);
  ending_ = Ending::kNone;
  steps_ = 0;
  breathe_at_ = kBreathInterval;
  protocol = resp::Writer::Protocol::kResp2;
}

void Machine::end_run() {
  outside_ = nullptr;
  registered_ = nullptr;
  heap_.set_limit(Heap::kRegionSize);
  heap_.trim();
  constexpr std::size_t kKept = std::size_t{64} << 10;
  if (reply_buffer.capacity() > kKept) std::string().swap(reply_buffer);
  if (argument_buffer.capacity() > kKept) std::string().swap(argument_buffer);
}

int Machine::compile_main(lua_State* lua) {
  auto& self = *static_cast<Machine*>(lua_touserdata(lua, 1));
  const std::string_view source = self.code_;
  // Byte code begins with ESC; Lua does not check it, so it gets no further than the parser.
  const bool byte_code = source.starts_with('\33');
  if (byte_code) return luaL_error(lua, "user_script:1: unexpected symbol near char(27)");
  if (luaL_loadbuffer(lua, source.data(), source.size(), "@user_script") != 0) return lua_error(lua);
  lua_setfield(lua, LUA_REGISTRYINDEX, kMainKey);
  lua_settop(lua, 0);
  lua_gc(lua, LUA_GCCOLLECT, 0);
  return 0;
}

bool Machine::compile_script(std::string_view body, Image& image, std::string& error) {
  begin(pristine_, {}, nullptr, 0);
  code_ = body;
  const int status = lua_cpcall(lua_, &Machine::compile_main, this);
  code_ = {};
  if (status == 0) {
    image = heap_.save();
  } else {
    error = lua_isstring(lua_, -1) != 0 ? lua_tostring(lua_, -1) : "unknown";
  }
  end_run();
  return status == 0;
}

int Machine::load_main(lua_State* lua) {
  auto& self = *static_cast<Machine*>(lua_touserdata(lua, 1));
  lua_newtable(lua);
  lua_setfield(lua, LUA_REGISTRYINDEX, kFunctionsKey);
  if (self.code_.starts_with('\33') ||
      luaL_loadbuffer(lua, self.code_.data(), self.code_.size(), "@user_function") != 0) {
    if (lua_gettop(lua) == 1) lua_pushliteral(lua, "user_function:1: unexpected symbol near char(27)");
    lua_pushfstring(lua, "Error compiling function: %s", lua_tostring(lua, -1));
    return lua_error(lua);
  }
  show_globals(lua, kLoadGlobalsKey);
  lua_pushcfunction(lua, &Machine::handle_error);
  lua_insert(lua, -2);
  if (lua_pcall(lua, 0, 0, -2) != 0) {
    const bool table = lua_istable(lua, -1);
    if (table) lua_getfield(lua, -1, "err");
    lua_pushfstring(lua, "Error registering functions: %s",
                    lua_isstring(lua, -1) != 0 ? lua_tostring(lua, -1) : "unknown");
    return lua_error(lua);
  }
  show_globals(lua, kGlobalsKey);
  lua_settop(lua, 0);
  lua_gc(lua, LUA_GCCOLLECT, 0);
  return 0;
}

bool Machine::load_library(std::string_view code, const Budget& budget, Outside& outside, Image& image,
                           std::vector<FunctionInfo>& functions, std::string& error) {
  // Its image is kept and copied at each call, so it stays well below what a call may use.
  begin(pristine_, {std::min(budget.memory_bytes, kLibraryMemoryMax), budget.steps}, &outside, 0);
  code_ = code;
  registered_ = &functions;
  steps_ = code.size() * kStepsPerSourceByte;
  const int status = lua_cpcall(lua_, &Machine::load_main, this);
  code_ = {};
  if (status == 0) {
    image = heap_.save();
  } else {
    error = lua_isstring(lua_, -1) != 0 ? lua_tostring(lua_, -1) : "unknown";
  }
  end_run();
  return status == 0;
}

int Machine::call_main(lua_State* lua) {
  const Run run = *static_cast<const Run*>(lua_touserdata(lua, 1));
  const Invocation& invocation = *run.invocation;
  lua_pushcfunction(lua, &Machine::handle_error);
  const int handler = lua_gettop(lua);
  int arguments = 0;
  if (run.function) {
    lua_getfield(lua, LUA_REGISTRYINDEX, kFunctionsKey);
    lua_pushlstring(lua, invocation.name.data(), invocation.name.size());
    lua_rawget(lua, -2);
    lua_remove(lua, -2);
    push_array(lua, invocation.keys);
    push_array(lua, invocation.arguments);
    arguments = 2;
  } else {
    push_array(lua, invocation.keys);
    set_global(lua, "KEYS");
    push_array(lua, invocation.arguments);
    set_global(lua, "ARGV");
    lua_getfield(lua, LUA_REGISTRYINDEX, kMainKey);
  }
  const int status = lua_pcall(lua, arguments, 1, handler);
  if (run.machine->ending_ == Ending::kStopped) return 0;
  if (status != 0) {
    answer_failure(lua, invocation.name, *run.reply);
  } else {
    write_reply(lua, *run.reply);
  }
  return 0;
}

Ending Machine::run(const Image& image, const Invocation& invocation, Outside& outside, bool function,
                    resp::Writer& reply) {
  begin(image, invocation.budget, &outside, invocation.seed);
  Run run{this, &invocation, &outside, function, &reply};
  const auto start = reply.defer();
  if (lua_cpcall(lua_, &Machine::call_main, &run) != 0) {
    // Not even the arguments or the reply found room. What is done here is not protected, so it must find some.
    heap_.set_limit(Heap::kRegionSize);
    reply.rollback(start);
    answer_failure(lua_, invocation.name, reply);
  }
  const Ending ending = ending_;
  end_run();
  return ending;
}

Ending Machine::run_script(const Image& image, const Invocation& invocation, Outside& outside, resp::Writer& reply) {
  return run(image, invocation, outside, false, reply);
}

Ending Machine::run_function(const Image& image, const Invocation& invocation, Outside& outside, resp::Writer& reply) {
  return run(image, invocation, outside, true, reply);
}

}  // namespace redraft::scripting
