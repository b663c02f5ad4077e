// Keys with a deadline: they are gone for whoever looks at or after it, and freed when there is time.

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "server/store/store.h"
#include "tests/store/draw.h"

namespace redraft::store {
namespace {

std::string digest_of(const Store& store) {
  NoBreather none;
  return store.digest(none);
}

TEST(Expiry, AKeyWhoseDeadlineHasPassedDoesNotExist) {
  Store store({.databases = 2, .hash_seed = 1});
  store.begin_entry(1, 1000);
  store.set_string(0, "gone", "value", 2000);
  store.set_string(0, "stays", "value", 0);
  EXPECT_EQ(store.next_deadline(), 2000u);
  EXPECT_TRUE(store.exists(0, "gone"));

  // A read ahead of the last applied clock must wait for an entry with that clock.
  store.begin_read(1999);
  EXPECT_TRUE(store.exists(0, "gone"));
  EXPECT_FALSE(store.end_read());
  store.begin_read(2000);
  EXPECT_FALSE(store.exists(0, "gone"));
  EXPECT_TRUE(store.end_read());
  store.begin_read(5000);
  EXPECT_TRUE(store.exists(0, "stays"));
  EXPECT_FALSE(store.end_read());

  const std::string with = digest_of(store);
  store.begin_entry(2, 2000);
  EXPECT_FALSE(store.exists(0, "gone"));
  store.begin_read(2000);
  EXPECT_FALSE(store.exists(0, "gone"));
  EXPECT_FALSE(store.end_read());
  EXPECT_EQ(store.counts(0).keys, 2u);  // physical, as DBSIZE
  std::size_t scanned = 0;
  store.scan(0, 0, 1000, [&](const Key&) { ++scanned; });
  EXPECT_EQ(scanned, 1u);
  for (std::uint64_t i = 0; i < 100; ++i) EXPECT_EQ(store.random_key(0, i * 7919)->name(), "stays");

  // Freeing it is invisible.
  const std::string before = digest_of(store);
  EXPECT_NE(before, with);
  std::vector<std::string> told;
  store.on_expired([&](std::uint32_t, std::string_view name) { told.emplace_back(name); });
  EXPECT_EQ(store.expire_due(10), 1u);
  EXPECT_EQ(told, std::vector<std::string>{"gone"});
  EXPECT_EQ(digest_of(store), before);
  EXPECT_EQ(store.counts(0).keys, 1u);
  EXPECT_EQ(store.next_deadline(), 0u);
}

// The event comes once, also when a change meets the key before `expire_due` does.
TEST(Expiry, AChangeThatMeetsAnExpiredKeyTellsOfItOnce) {
  Store store({.databases = 2, .hash_seed = 1});
  store.begin_entry(1, 1);
  std::vector<std::string> told;
  store.on_expired(
      [&](std::uint32_t db, std::string_view name) { told.push_back(std::to_string(db) + std::string(name)); });
  for (const std::string name : {"a", "b", "c", "d"}) store.set_string(1, name, "text", 100);
  store.set_string(1, "from", "text", 0);
  store.set_string(1, "a", "again", 100);
  EXPECT_TRUE(told.empty());
  store.begin_entry(2, 100);
  store.set_string(1, "a", "new", 0);
  EXPECT_FALSE(store.remove(1, "b"));
  EXPECT_EQ(store.find_for_change(1, "c"), nullptr);
  store.rename(1, "from", 1, "d");
  EXPECT_EQ(store.expire_due(100), 0u);
  EXPECT_EQ(told, (std::vector<std::string>{"1a", "1b", "1c", "1d"}));
}

TEST(Expiry, ExpiryFreesInSlicesInTheOrderOfDeadlines) {
  Store store({.databases = 1, .hash_seed = 1});
  store.begin_entry(1, 1);
  for (int i = 0; i < 1000; ++i) store.set_string(0, std::to_string(i), "v", 100 + static_cast<std::uint64_t>(i % 10));
  store.begin_entry(2, 104);
  std::vector<std::string> first;
  store.on_expired([&](std::uint32_t, std::string_view name) { first.emplace_back(name); });
  EXPECT_EQ(store.expire_due(150), 150u);
  store.on_expired({});
  EXPECT_TRUE(std::ranges::all_of(first, [](const std::string& name) { return name.back() < '2'; }));
  EXPECT_EQ(store.expire_due(100000), 350u);
  EXPECT_EQ(store.counts(0).keys, 500u);
  EXPECT_EQ(store.counts(0).expires, 500u);
  EXPECT_EQ(store.next_deadline(), 105u);
}

TEST(Expiry, RandomKeyGivesUpInBoundedWorkWhereAllHaveExpired) {
  Store store({.databases = 1, .hash_seed = 1});
  store.begin_entry(1, 1);
  for (int i = 0; i < 20000; ++i) store.set_string(0, std::to_string(i), "v", 2);
  std::set<std::string_view> drawn;
  Draw draw(1);
  for (int i = 0; i < 1000; ++i) drawn.insert(store.random_key(0, draw.next())->name());
  EXPECT_GT(drawn.size(), 800u);
  store.begin_entry(2, 2);
  EXPECT_EQ(store.random_key(0, 12345), nullptr);
}

}  // namespace
}  // namespace redraft::store
