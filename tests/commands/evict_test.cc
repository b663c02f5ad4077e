#include "server/commands/evict.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/commands/script_runner.h"

namespace redraft::commands {
namespace {

class Evict : public testing::Test {
 protected:
  // One entry at `index` that evicts keys of database 0, chosen at `chosen`.
  std::uint64_t evict(std::uint64_t index, std::uint64_t chosen, const std::vector<std::string>& keys) {
    store_.begin_entry(index, 1000);
    std::vector<std::string> words{"evict", "100"};
    for (const std::string& key : keys) words.insert(words.end(), {"0", std::to_string(chosen), key});
    const std::vector<std::string_view> views(words.begin(), words.end());
    std::string output;
    resp::Writer reply(output, resp::Writer::Protocol::kResp2);
    Random random(1);
    Context context{store_, runner_, runner_, reply, random};
    context.arguments = views;
    context.index = index;
    context.clock_ms = 1000;
    context.applying = true;
    EXPECT_EQ(evicted_bytes(context), 100u);
    return commands::evict(context);
  }
  void set(std::uint64_t index, std::string_view key) {
    store_.begin_entry(index, 1000);
    store_.set_string(0, key, "v", 0);
    store_.touch(0, key);
  }

  store::Store store_{store::Options{.databases = 2, .hash_seed = 1}};
  ScriptRunner runner_{store_};
};

TEST_F(Evict, DeletesWhatWasChosen) {
  set(1, "a");
  set(2, "b");
  set(3, "c");
  EXPECT_EQ(evict(4, 3, {"a", "c", "never there"}), 2u);
  EXPECT_FALSE(store_.exists(0, "a"));
  EXPECT_TRUE(store_.exists(0, "b"));
  EXPECT_FALSE(store_.exists(0, "c"));
  // WATCH sees it.
  EXPECT_TRUE(store_.changed_since(0, "a", 3));
}

TEST_F(Evict, LeavesWhatWasWrittenSince) {
  set(1, "a");
  set(2, "b");
  set(5, "a");  // was on its way while the leader chose at 2
  EXPECT_EQ(evict(6, 2, {"a", "b"}), 1u);
  EXPECT_TRUE(store_.exists(0, "a"));
  EXPECT_FALSE(store_.exists(0, "b"));
  EXPECT_EQ(evict(7, 6, {"a", "a"}), 1u);
  EXPECT_FALSE(store_.exists(0, "a"));
}

}  // namespace
}  // namespace redraft::commands
