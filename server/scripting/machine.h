#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "resp/writer.h"
#include "server/scripting/heap.h"
#include "server/scripting/lua_random.h"

struct lua_State;
struct lua_Debug;

namespace redraft::scripting {

// How much a script may do. Both are counted the same way on every node: bytes requested by its Lua state, and steps:
// VM instructions, and in library functions about one for each sixteen bytes touched.
struct Budget {
  std::uint64_t memory_bytes = std::uint64_t{128} << 20;
  std::uint64_t steps = 4'000'000'000;
};

// What a script reaches outside its machine. Nothing here may call the machine.
class Outside {
 public:
  virtual ~Outside() = default;
  // What became of a command: it wrote its reply; it was refused, with the text of Redis's error; or the script ends
  // here, because what it wants cannot be done in this run.
  struct Called {
    enum class Kind : std::uint8_t { kReplied, kRefused, kStop } kind = Kind::kReplied;
    std::string_view error = {};  // kRefused: without code "ERR" is meant, "-CODE text" names another
  };
  virtual Called call(std::span<const std::string_view> arguments, resp::Writer& reply) = 0;
  // redis.acl_check_cmd: whether the user may; false in `known` when there is no such command.
  virtual bool may_call(std::span<const std::string_view> arguments, bool& known) = 0;
  virtual void log(int level, std::string_view line) = 0;
  // About every ten thousand steps: peers are served. False: somebody wants the script to end.
  [[nodiscard]] virtual bool go_on() = 0;
};

// A function that a library registered.
struct FunctionInfo {
  std::string name;
  std::string description;
  bool described = false;
  std::uint32_t flags = 0;  // script_flags.h
};

// Compiled code in its environment, ready to be called any number of times: a function of the code alone. Belongs to
// the machine that made it.
using Image = std::string;

// What is called with what.
struct Invocation {
  std::string_view name;  // the script's digest or the function's name, for error texts
  std::span<const std::string_view> keys;
  std::span<const std::string_view> arguments;
  Budget budget;
  std::uint64_t seed = 0;  // of math.random
};

// How a run ended, besides its reply.
enum class Ending : std::uint8_t {
  kNone,    // by itself, also with an error
  kSteps,   // the budget of steps is used up
  kMemory,  // so is that of memory
  kKilled,  // Outside::go_on said so
  kStopped  // Outside::call said so; nothing was replied
};

// Lua 5.1 in Redis's sandbox (redis.io/docs/interact/programmability/lua-api), made deterministic: what a call does is
// a function of code, arguments, the replies it gets, seed and budget. Each call begins in a fresh copy of its image,
// so no call sees another's. One per replica; not thread-safe, does not nest.
class Machine {
 public:
  Machine();
  ~Machine();
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;

  // The body of an EVAL, its shebang line removed. False with Lua's message.
  [[nodiscard]] bool compile_script(std::string_view body, Image& image, std::string& error);
  // Runs a library's code, which registers its functions. False with Redis's message.
  [[nodiscard]] bool load_library(std::string_view code, const Budget& budget, Outside& outside, Image& image,
                                  std::vector<FunctionInfo>& functions, std::string& error);

  // Writes exactly one reply, none if the ending is kStopped.
  Ending run_script(const Image& image, const Invocation& invocation, Outside& outside, resp::Writer& reply);
  Ending run_function(const Image& image, const Invocation& invocation, Outside& outside, resp::Writer& reply);

  // ---- For the libraries, while a script runs
  [[nodiscard]] static Machine& of(lua_State* lua);
  // Counts work; ends the script when it was too much. Does not return then.
  void charge(lua_State* lua, std::uint64_t steps) {
    steps_ += steps;
    if (steps_ >= breathe_at_) settle(lua);
  }
  void charge_bytes(lua_State* lua, std::size_t bytes) { charge(lua, bytes / 16); }
  // The script must end whatever it catches: raises if so.
  void check_ended(lua_State* lua);
  [[nodiscard]] bool ended() const { return ending_ != Ending::kNone; }
  void end(Ending ending) { ending_ = ending; }
  [[nodiscard]] Outside* outside() { return outside_; }  // nullptr outside of a call
  [[nodiscard]] bool loading() const { return registered_ != nullptr; }
  [[nodiscard]] std::vector<FunctionInfo>* registered() { return registered_; }
  [[nodiscard]] LuaRandom& random() { return random_; }
  [[nodiscard]] std::size_t heap_used() const { return heap_.used(); }
  [[nodiscard]] std::size_t memory_max() const { return budget_.memory_bytes; }
  resp::Writer::Protocol protocol = resp::Writer::Protocol::kResp2;  // redis.setresp
  // Of redis.call, kept over calls so that they allocate nothing.
  std::string reply_buffer;
  std::string argument_buffer;
  std::vector<std::string_view> call_arguments;

 private:
  static void* allocate(void* machine, void* block, std::size_t old_size, std::size_t size);
  static void count_hook(lua_State* lua, lua_Debug* where);
  static int handle_error(lua_State* lua);
  static int call_main(lua_State* lua);
  static int compile_main(lua_State* lua);
  static int load_main(lua_State* lua);
  static int build(lua_State* lua);
  void begin(const Image& image, const Budget& budget, Outside* outside, std::uint64_t seed);
  void end_run();
  void settle(lua_State* lua);
  void breathe();
  Ending run(const Image& image, const Invocation& invocation, Outside& outside, bool function, resp::Writer& reply);
  void answer_error(std::string_view name, resp::Writer& reply);

  Heap heap_;
  lua_State* lua_ = nullptr;
  Image pristine_;
  LuaRandom random_{0};
  Budget budget_;
  Outside* outside_ = nullptr;
  Ending ending_ = Ending::kNone;
  std::uint64_t steps_ = 0;
  std::uint64_t breathe_at_ = 0;  // when `settle` has something to do
  std::vector<FunctionInfo>* registered_ = nullptr;
  // What a protected call is about.
  std::string_view code_;
  const Invocation* invocation_ = nullptr;
  bool function_ = false;
};

}  // namespace redraft::scripting
