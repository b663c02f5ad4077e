#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

#include "tests/base/allocations.h"
#include "tests/commands/script_runner.h"

// What commands may not do whatever they are asked: allocate on the paths that make up most traffic, or exhaust memory.

namespace redraft::commands {
namespace {

class Silent final : public Surroundings, public store::Breather {
 public:
  resp::Writer* waiting_client(const Origin&) override { return nullptr; }
  void notify(Event, std::string_view, std::string_view, std::uint32_t) override {}
  void breathe() override {}
};

// Architecture, section 1: no allocation per command from socket to log. A key's own block is the store's affair and
// not counted here.
TEST(Allocation, GetSetAndIncrNeedNone) {
  store::Store store({.databases = 16, .hash_seed = 1});
  Silent silent;
  std::string output;
  output.reserve(4096);
  resp::Writer reply(output, resp::Writer::Protocol::kResp2);
  Random random(1);
  const std::string value(100, 'v');
  std::uint64_t index = 0;
  const auto run = [&](const std::vector<std::string_view>& arguments) {
    output.clear();
    store.begin_entry(++index, 1000);
    const std::uint64_t before = allocation_count();
    Context context{store, silent, silent, reply, random};
    context.command = find_command(arguments);
    context.arguments = arguments;
    context.clock_ms = 1000;
    context.index = index;
    context.applying = true;
    execute(context);
    return allocation_count() - before;
  };
  run({"SET", "key:000000000001", value});
  run({"SET", "counter", "1000000"});
  EXPECT_EQ(run({"SET", "key:000000000001", value}), 0u);
  EXPECT_EQ(run({"SET", "key:000000000002", value}), 0u);
  EXPECT_EQ(run({"GET", "key:000000000001"}), 0u);
  EXPECT_EQ(output, "$100\r\n" + value + "\r\n");
  EXPECT_EQ(run({"GET", "counter"}), 0u);
  EXPECT_EQ(run({"INCR", "counter"}), 0u);
  EXPECT_EQ(run({"GET", "nothing"}), 0u);
  EXPECT_EQ(run({"EXISTS", "counter", "nothing"}), 0u);
  EXPECT_EQ(run({"SET", "counter", "5"}), 0u);
  EXPECT_EQ(output, "+OK\r\n");
}

// proto-max-bulk-len is cluster state, so that every node refuses the same (redis-semantics, "One configuration").
TEST(Limits, StringsGrowToTheClustersLimitAndNoFurther) {
  store::Store store({.databases = 16, .hash_seed = 1});
  store.set_setting("proto-max-bulk-len", "1048576");
  ScriptRunner runner(store);
  const std::string error = "    => -ERR string exceeds maximum allowed size (proto-max-bulk-len)\n";
  EXPECT_EQ(runner.run("SETRANGE k 1048576 x\n"), "SETRANGE k 1048576 x\n" + error);
  EXPECT_EQ(runner.run("SETRANGE k 1048575 x\n"), "SETRANGE k 1048575 x\n    => :1048576\n");
  EXPECT_EQ(runner.run("APPEND k x\n"), "APPEND k x\n" + error);
  EXPECT_EQ(runner.run("APPEND k \"\"\n"), "APPEND k \"\"\n    => :1048576\n");
  EXPECT_EQ(runner.run("LCS k k LEN\n"),
            "LCS k k LEN\n    => -ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len\n");
}

// A reply without bound, inside a transaction, would be built on every node.
TEST(Limits, ARandomChoiceWithRepetitionIsBounded_G1) {
  store::Store store({.databases = 16, .hash_seed = 1});
  store.set_setting("proto-max-bulk-len", "1048576");
  ScriptRunner runner(store);
  static_cast<void>(runner.run("SADD s a b c\n"));
  EXPECT_EQ(runner.run("SRANDMEMBER s -9223372036854775807\n"),
            "SRANDMEMBER s -9223372036854775807\n    => -ERR value is out of range, the reply would exceed "
            "proto-max-bulk-len\n");
}

}  // namespace
}  // namespace redraft::commands
