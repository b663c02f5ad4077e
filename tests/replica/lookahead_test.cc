#include "server/replica/lookahead.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace redraft::replica {
namespace {

using commands::CommandId;

CommandId id_of(std::string_view name) {
  return commands::find_command(std::span(&name, 1))->id;
}

// As many as apply will step through, whatever they are: without keys, with more keys than a group holds, with keys
// that the range does not tell, unknown to this version, cut off behind the last.
TEST(Lookahead, StepsThroughEveryCommandOfAnEntry) {
  store::Store store({.databases = 1, .hash_seed = 3});
  store.begin_entry(1, 1);
  store.set_string(0, "key", "value", 0);
  const std::vector<std::vector<std::string_view>> kinds = {{"set", "key", "v"},
                                                            {"mset", "key", "1", "other", "2"},
                                                            {"eval", "return 1", "1", "key"},
                                                            {"flushall"},
                                                            {"get"},
                                                            {"del", "a", "b", "c", "d", "e", "f", "g"},
                                                            {"bitop", "not", "to", "from"}};
  for (std::size_t length = 1; length < 3 * store::Store::kPrefetchMax; ++length) {
    std::string entry;
    for (std::size_t i = 0; i < length; ++i) {
      const auto& arguments = kinds[i * 5 % kinds.size()];
      const CommandId id = i % 11 == 10 ? CommandId::kTransaction : id_of(arguments[0]);
      append_command(entry, {.id = id, .db = static_cast<std::uint32_t>(i % 2)}, arguments);
    }
    std::vector<std::string_view> scratch;
    Lookahead lookahead(store, entry, scratch);
    for (std::size_t i = 0; i < length; ++i) lookahead.step();
  }
  EXPECT_EQ(store.counts(0).keys, 1u);
  EXPECT_EQ(store.read_hits() + store.read_misses(), 0u);
}

TEST(KeyGroup, TakesNoMoreThanThereIsRoomFor) {
  const std::vector<std::string> texts(100, "key");
  std::vector<std::string_view> arguments(texts.begin(), texts.end());
  arguments[0] = "del";
  KeyGroup group;
  EXPECT_FALSE(group.full());
  group.add(*commands::find_command(id_of("del")), 0, arguments);
  EXPECT_TRUE(group.full());
  group.prefetch(store::Store({.databases = 1}));
}

}  // namespace
}  // namespace redraft::replica
