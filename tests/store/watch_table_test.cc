#include "server/store/watch_table.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "server/store/part.h"
#include "server/store/store.h"

namespace redraft::store {
namespace {

std::string encoded(const WatchTable& table) {
  std::string bytes;
  table.encode(bytes);
  return bytes;
}

bool decodes(std::string_view bytes) {
  WatchTable table(2);
  return table.decode(bytes) && bytes.empty();
}

// `places` places in runs of (count, index), then two databases.
std::string table_of(std::uint64_t places, const std::vector<std::uint64_t>& runs) {
  std::string bytes;
  put_number(bytes, places);
  for (const std::uint64_t number : runs) put_number(bytes, number);
  put_number(bytes, 0);
  put_number(bytes, 0);
  return bytes;
}

TEST(WatchTable, ComesBackAsItWas) {
  WatchTable table(2);
  table.touch(7, 1);
  table.touch(8, 1);
  table.touch(131071, 300);
  table.touch_database(1, 400);
  const std::string bytes = encoded(table);
  EXPECT_LT(bytes.size(), 32u);
  std::string_view rest = bytes;
  WatchTable read(2);
  ASSERT_TRUE(read.decode(rest));
  EXPECT_TRUE(rest.empty());
  EXPECT_EQ(encoded(read), bytes);
  EXPECT_TRUE(read.changed_since(0, 131071, 299));
  EXPECT_FALSE(read.changed_since(0, 131071, 300));
  EXPECT_TRUE(read.changed_since(0, 8, 0));
  EXPECT_FALSE(read.changed_since(0, 9, 0));
  EXPECT_TRUE(read.changed_since(1, 9, 399));
}

TEST(WatchTable, RefusesWhatItDidNotWrite) {
  ASSERT_TRUE(decodes(table_of(131072, {131072, 5})));
  EXPECT_FALSE(decodes(table_of(16384, {16384, 5}))) << "another size";
  EXPECT_FALSE(decodes(table_of(131072, {131073, 5}))) << "a run beyond the end";
  EXPECT_FALSE(decodes(table_of(131072, {1, 5, 0, 6, 131071, 7}))) << "an empty run";
  const std::string bytes = encoded(WatchTable(2));
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(decodes(std::string_view(bytes).substr(0, size))) << size;
  }
}

TEST(WatchTable, RarelyTakesAnotherKeysChangeForAWatchedOnes) {
  Store store({.hash_seed = 1});
  store.begin_entry(1, 1);
  for (int key = 0; key < 1000; ++key) store.touch(0, "changed:" + std::to_string(key));
  int aborted = 0;
  for (int key = 0; key < 1000; ++key) aborted += store.changed_since(0, "watched:" + std::to_string(key), 0) ? 1 : 0;
  EXPECT_LE(aborted, 20);  // 7.6 are to be expected
}

}  // namespace
}  // namespace redraft::store
