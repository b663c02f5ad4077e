#include "server/scripting/machine.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "resp/writer.h"

namespace redraft::scripting {
namespace {

// Answers every command by a function, and remembers what was called.
class World final : public Outside {
 public:
  Called call(std::span<const std::string_view> arguments, resp::Writer& reply) override {
    calls.emplace_back(arguments[0]);
    if (stop_at == calls.size()) return {Called::Kind::kStop, {}};
    if (answer) {
      answer(reply);
    } else {
      reply.ok();
    }
    return {};
  }
  bool may_call(std::span<const std::string_view> /*arguments*/, bool& known) override { return known = true; }
  void log(int /*level*/, std::string_view line) override { logged += line; }
  [[nodiscard]] bool go_on() override { return ++breaths != kill_at; }

  std::function<void(resp::Writer&)> answer;
  std::vector<std::string> calls;
  std::string logged;
  std::size_t stop_at = 0;
  std::uint64_t breaths = 0;
  std::uint64_t kill_at = 0;
};

struct Outcome {
  std::string reply;
  Ending ending = Ending::kNone;
  std::size_t calls = 0;
  std::uint64_t breaths = 0;
  friend bool operator==(const Outcome&, const Outcome&) = default;
};

Outcome run(Machine& machine, std::string_view body, const Budget& budget = {}, World* world = nullptr) {
  Image image;
  std::string error;
  EXPECT_TRUE(machine.compile_script(body, image, error)) << error;
  World own;
  World& outside = world != nullptr ? *world : own;
  Outcome outcome;
  resp::Writer reply(outcome.reply, resp::Writer::Protocol::kResp3);
  const Invocation invocation{.name = "sha", .keys = {}, .arguments = {}, .budget = budget, .seed = 42};
  outcome.ending = machine.run_script(image, invocation, outside, reply);
  outcome.calls = outside.calls.size();
  outcome.breaths = outside.breaths;
  return outcome;
}

// What could tell one node from another: addresses, the order of tables by address, the collector, randomness.
constexpr std::string_view kAttacks[] = {
    "return tostring({})..tostring(function() end)..tostring(coroutine.create(function() end))",
    "local t = {} for i = 1, 200 do t[{}] = i; t[function() end] = i end\n"
    "local o = {} for k, v in pairs(t) do o[#o + 1] = v .. type(k) end return table.concat(o, ',')",
    "local t = {} for i = 1, 100 do t[coroutine.create(function() end)] = i end\n"
    "local o = {} for k, v in pairs(t) do o[#o + 1] = v end return table.concat(o, ',')",
    "local o = {} for i = 1, 50 do local t = {} for j = 1, i * 100 do t[j] = {j} end o[i] = collectgarbage('count') "
    "end\n"
    "return table.concat(o, ',')",
    "local weak = setmetatable({}, {__mode = 'k'}) for i = 1, 5000 do weak[{}] = i end\n"
    "local n = 0 for k in pairs(weak) do n = n + 1 end return n",
    "return {tostring(math.random()), math.random(1000), math.random(5, 7)}",
    "return tostring(redis)..tostring(string)..tostring(print == nil)",
    "local t = {} for k in pairs(_G) do t[#t + 1] = tostring(k) end return table.concat(t, ',')",
    "local t = {} for k, v in pairs(redis) do t[#t + 1] = tostring(v) end return table.concat(t, ',')",
    "local c = setmetatable({}, {__tostring = function(t) return tostring(rawequal(t, t)) end}) return tostring(c)",
    "local t = {} for i = 1, 3000 do t[i] = (i * 7919) % 3001 end table.sort(t, function(a, b) return a < b end)\n"
    "return t[1] .. ',' .. t[3000]",
    "return {math.sin(1e22), math.exp(1), math.pow(1.1, 100), tostring(2 ^ 0.5)}",
    "return {pcall(string.rep, 'x', 1e9)}",
    "return #string.dump(function() return 1 end)",
    "local s = {} for i = 1, 300 do s[i] = tostring({}) end return table.concat(s)",
};

// Pitfall G1: whatever ran before, on whatever machine, a script does the same.
TEST(Machine, RepeatsItself_G1) {
  Machine first;
  Machine second;
  for (const char* other : {"local t = {} for i = 1, 10000 do t[i] = {} end", "return string.rep('x', 1000000)"}) {
    static_cast<void>(run(second, other));
  }
  for (const std::string_view attack : kAttacks) {
    const Outcome once = run(first, attack);
    EXPECT_EQ(once, run(second, attack)) << attack;
    EXPECT_EQ(once, run(first, attack)) << attack;
  }
}

TEST(Machine, NoCallSeesAnothersChanges) {
  Machine machine;
  static_cast<void>(run(machine, "getmetatable('x').__index = nil cjson.encode_max_depth(1) collectgarbage('stop')"));
  static_cast<void>(run(machine, "cjson.encode_max_depth(1) collectgarbage('stop') coroutine.wrap(function() end)()"));
  EXPECT_EQ(run(machine, "return ('x'):rep(2)").reply, "$2\r\nxx\r\n");
  EXPECT_EQ(run(machine, "return cjson.encode({{{}}})").reply, "$6\r\n[[{}]]\r\n");
}

// The operator is a call of libm in Lua, of which there are several versions (power.cc); also where Lua folds
// constants.
TEST(Machine, PowerIsOneFunction_G1) {
  Machine machine;
  const Outcome outcome = run(machine,
                              "local same = 0 for x = 1, 300 do for y = -40, 40 do\n"
                              "  local base, exponent = x / 7, y / 3\n"
                              "  if base ^ exponent == math.pow(base, exponent) then same = same + 1 end\n"
                              "end end return {same, tostring(1.1 ^ 100 == math.pow(1.1, 100)), tostring(2 ^ 53)}");
  EXPECT_EQ(outcome.reply, "*3\r\n:24300\r\n$4\r\ntrue\r\n$18\r\n9.007199254741e+15\r\n");
}

TEST(Machine, KeepsAnImageThatWasPreparedBefore) {
  Machine machine;
  Image image;
  std::string error;
  ASSERT_TRUE(machine.compile_script("return {KEYS[1], ARGV[1], #ARGV}", image, error));
  static_cast<void>(run(machine, "return 1"));
  const std::string_view keys[] = {"k"};
  const std::string_view arguments[] = {"a", "b"};
  World world;
  std::string reply;
  resp::Writer writer(reply, resp::Writer::Protocol::kResp2);
  const Invocation invocation{.name = "sha", .keys = keys, .arguments = arguments, .budget = {}, .seed = 0};
  EXPECT_EQ(machine.run_script(image, invocation, world, writer), Ending::kNone);
  EXPECT_EQ(reply, "*3\r\n$1\r\nk\r\n$1\r\na\r\n:2\r\n");
}

// ---- Budgets

class Budgets : public testing::TestWithParam<std::string_view> {};

TEST_P(Budgets, EndAScriptAtTheSameStepEverywhere_G1) {
  const Budget budget{.memory_bytes = std::size_t{8} << 20, .steps = 3'000'000};
  Machine first;
  Machine second;
  static_cast<void>(run(second, "return 1"));
  const Outcome once = run(first, GetParam(), budget);
  EXPECT_NE(once.ending, Ending::kNone) << once.reply;
  EXPECT_TRUE(once.reply.starts_with("-")) << once.reply;
  EXPECT_EQ(once, run(second, GetParam(), budget));
  // Neither the machine nor the next call is any the worse for it.
  EXPECT_EQ(run(first, "return 1").reply, ":1\r\n");
}

INSTANTIATE_TEST_SUITE_P(
    Scripts, Budgets,
    testing::Values("while true do end", "while true do redis.call('x') end",
                    "while true do pcall(function() while true do end end) end",
                    "while true do xpcall(function() while true do end end, function() while true do end end) end",
                    "local function f() return f() end f()", "while true do coroutine.wrap(function() end)() end",
                    "while true do coroutine.resume(coroutine.create(function() while true do end end)) end",
                    "local s = 'x' while true do s = s .. s end", "local t = {} while true do t[#t + 1] = {} end",
                    "while true do pcall(string.rep, 'x', 1e6) end",
                    "local t = {} while true do local ok = pcall(function() while true do t[#t + 1] = {} end end) end",
                    "string.find(('a'):rep(40), ('a*'):rep(40) .. 'b')",
                    "local s = ('x'):rep(1e6) while true do s:find('y', 1, true) end",
                    "local s = ('x'):rep(1e6) while true do s:upper() end",
                    "local s = ('x'):rep(1e6) while true do redis.sha1hex(s) end",
                    "local t = {} for i = 1, 1e5 do t[i] = i end while true do table.insert(t, 1, 0) end",
                    "local t = {} for i = 1, 1e5 do t[i] = i end while true do table.concat(t) end",
                    "local t = {} for i = 1, 2e4 do t[i] = i % 10 end while true do table.sort(t) end",
                    "while true do collectgarbage() end", "while true do loadstring('return 1') end",
                    "local t = {1} for i = 1, 60 do t = {t, t} end return t",
                    "local t = {1} for i = 1, 60 do t = {t, t} end return cjson.encode(t)",
                    "local t = {} for i = 1, 1e4 do t[i] = 'k' .. i end while true do cmsgpack.pack(t) end",
                    "return string.gsub(('x'):rep(1e6), 'x', ('y'):rep(1000))"));

TEST(Machine, WhatAScriptDidBeforeItsBudgetEndedStays) {
  Machine machine;
  World world;
  const Outcome outcome = run(machine, "redis.call('a') redis.call('b') while true do end", {.steps = 100000}, &world);
  EXPECT_EQ(outcome.ending, Ending::kSteps);
  EXPECT_EQ(world.calls, (std::vector<std::string>{"a", "b"}));
  EXPECT_TRUE(outcome.reply.starts_with("-ERR Script ended: its budget of steps is used up")) << outcome.reply;
}

// Lua's own matcher recurses without a bound (5.1.5, lstrlib.c) and so ends the process.
TEST(Machine, APatternCannotExhaustTheStack) {
  Machine machine;
  EXPECT_EQ(run(machine, "return {pcall(string.find, ('x'):rep(1e5), ('x?'):rep(1e5))}").reply,
            "*2\r\n_\r\n$19\r\npattern too complex\r\n");
}

TEST(Machine, NestedCallsAndParsersCannotExhaustTheStack) {
  Machine machine;
  for (const char* deep :
       {"local function f() return 1 + f() end return f()", "return loadstring(('('):rep(1e5))",
        "local s = ('{'):rep(1e5) return loadstring('return ' .. s)",
        "return string.gsub('x', 'x', function() error({}) end)", "local function f() pcall(f) end f() return 1",
        "local function f() return table.foreach({1}, f) end return f()",
        "local function f() coroutine.wrap(f)() end f()",
        "local t = setmetatable({}, {}) getmetatable(t).__index = function(t, k) return t[k] end return t.x",
        "return cjson.decode(('['):rep(1e5))", "local t = {} t[1] = t return t",
        "local t = {} t.x = t return cjson.encode(t)", "local t = {} t[1] = t return #cmsgpack.pack(t)",
        "return cmsgpack.unpack(('\\145'):rep(1e5))"}) {
    EXPECT_FALSE(run(machine, deep).reply.empty()) << deep;
  }
}

// ---- How a run ends

TEST(Machine, ServesOthersMeanwhile_G4) {
  Machine machine;
  for (const char* busy : {"for i = 1, 1e6 do end", "local s = ('x'):rep(1e7) for i = 1, 5 do s:reverse() end",
                           "local t = {} for i = 1, 1e5 do t[i] = i % 97 end table.sort(t)",
                           "string.find(('a'):rep(25), ('a*'):rep(6) .. 'b')"}) {
    EXPECT_GE(run(machine, busy).breaths, 10u) << busy;
  }
}

TEST(Machine, EndsWhenAskedAndCannotCatchThat) {
  Machine machine;
  World world;
  world.kill_at = 5;
  const Outcome outcome = run(machine, "while true do pcall(function() while true do end end) end", {}, &world);
  EXPECT_EQ(outcome.ending, Ending::kKilled);
  EXPECT_TRUE(outcome.reply.starts_with("-ERR Script killed by user with SCRIPT KILL")) << outcome.reply;
}

TEST(Machine, ARunThatIsStoppedRepliesNothing) {
  Machine machine;
  World world;
  world.stop_at = 2;
  const Outcome outcome = run(machine, "redis.pcall('a') pcall(redis.call, 'b') redis.call('c') return 1", {}, &world);
  EXPECT_EQ(outcome.ending, Ending::kStopped);
  EXPECT_EQ(outcome.reply, "");
  EXPECT_EQ(world.calls.size(), 2u);
}

// ---- Conversions

// A generator of replies whose values come back from Lua as they went in.
class Replies {
 public:
  explicit Replies(std::uint64_t seed) : random_(seed) {}

  void write(resp::Writer& to, int depth) {
    switch (below(depth > 0 ? 10 : 7)) {
      case 0:
        return to.bulk(std::string(below(40), static_cast<char>(below(256))));
      case 1:
        return to.integer(static_cast<std::int64_t>(below(1u << 30)) - (1 << 29));
      case 2:
        return to.simple("OK");
      case 3:
        return to.boolean(below(2) == 1);
      case 4:
        return to.number(static_cast<double>(below(1000)) / 8);
      case 5:
        return to.big_number("123456789012345678901234567890");
      case 6:
        return to.verbatim("txt", std::string(below(9), 'v'));
      case 7:
        to.map(1);
        to.bulk("key");
        return write(to, depth - 1);
      case 8:
        to.set(1);
        return to.bulk("member");
      default: {
        const std::size_t count = below(5);
        to.array(count);
        for (std::size_t i = 0; i < count; ++i) write(to, depth - 1);
      }
    }
  }

 private:
  std::uint32_t below(std::uint32_t bound) { return random_.next() % bound; }
  LuaRandom random_;
};

TEST(Conversions, WhatACommandRepliesComesBackUnchanged) {
  Machine machine;
  Replies replies(7);
  for (int i = 0; i < 500; ++i) {
    std::string expected;
    resp::Writer writer(expected, resp::Writer::Protocol::kResp3);
    replies.write(writer, 4);
    World world;
    world.answer = [&](resp::Writer& reply) { reply.raw(expected); };
    EXPECT_EQ(run(machine, "redis.setresp(3) return redis.call('x')", {}, &world).reply, expected);
  }
}

TEST(Conversions, OfOneReplyEach) {
  struct Case {
    const char* reply;
    const char* shown;
  };
  Machine machine;
  for (const Case& one : std::initializer_list<Case>{{"$-1\r\n", "boolean"},
                                                     {"*-1\r\n", "boolean"},
                                                     {"_\r\n", "nil"},
                                                     {"#t\r\n", "boolean"},
                                                     {",nan\r\n", "table"},
                                                     {":5\r\n", "number"},
                                                     {"|1\r\n+a\r\n:1\r\n$1\r\nx\r\n", "string"}}) {
    World world;
    world.answer = [&](resp::Writer& reply) { reply.raw(one.reply); };
    const std::string expected = "$" + std::to_string(std::string_view(one.shown).size()) + "\r\n" + one.shown + "\r\n";
    EXPECT_EQ(run(machine, "return type(redis.call('x'))", {}, &world).reply, expected) << one.reply;
  }
}

TEST(Conversions, AnErrorOfACommandEndsTheScript) {
  Machine machine;
  World world;
  world.answer = [](resp::Writer& reply) { reply.error("WRONGTYPE wrong"); };
  EXPECT_EQ(run(machine, "redis.call('x') return 1", {}, &world).reply,
            "-WRONGTYPE wrong script: sha, on @user_script:1.\r\n");
  EXPECT_EQ(run(machine, "return redis.pcall('x').err", {}, &world).reply, "$15\r\nWRONGTYPE wrong\r\n");
}

// ---- Libraries of functions

TEST(Library, RegistersAndCalls) {
  Machine machine;
  World world;
  Image image;
  std::vector<FunctionInfo> functions;
  std::string error;
  ASSERT_TRUE(
      machine.load_library("\nlocal n = 0\n"
                           "redis.register_function('count', function(k, a) n = n + 1 return n end)\n"
                           "redis.register_function{function_name = 'get', description = 'd', "
                           "callback = function(k) return redis.call('get', k[1]) end, flags = {'no-writes'}}",
                           {}, world, image, functions, error))
      << error;
  ASSERT_EQ(functions.size(), 2u);
  EXPECT_EQ(functions[1].name, "get");
  EXPECT_TRUE(functions[1].described);
  // A library's variables begin anew at every call: they are in the image.
  for (int i = 0; i < 2; ++i) {
    std::string reply;
    resp::Writer writer(reply, resp::Writer::Protocol::kResp2);
    const Invocation invocation{.name = "count", .keys = {}, .arguments = {}, .budget = {}, .seed = 0};
    EXPECT_EQ(machine.run_function(image, invocation, world, writer), Ending::kNone);
    EXPECT_EQ(reply, ":1\r\n");
  }
}

TEST(Library, WhatMayNotBeDoneWhileLoading) {
  Machine machine;
  for (const char* code : {"\nredis.call('get', 'x')", "\nlocal x = math.abs(1)", "\nx = 1", "\nwhile true do end",
                           "\nredis.setresp(3)", "\nredis.register_function('a b', function() end)",
                           "\nredis.register_function('f', 1)", "\nredis.register_function()", "\nreturn {"}) {
    World world;
    Image image;
    std::vector<FunctionInfo> functions;
    std::string error;
    EXPECT_FALSE(machine.load_library(code, {.steps = 1'000'000}, world, image, functions, error)) << code;
    EXPECT_FALSE(error.empty()) << code;
    EXPECT_EQ(run(machine, "return type(redis.call)").reply, "$8\r\nfunction\r\n");
  }
}

}  // namespace
}  // namespace redraft::scripting
