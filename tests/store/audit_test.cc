// Digests of ranges, by which nodes compare their states (docs/decisions/0009-audit.md).
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "server/store/store.h"
#include "tests/store/no_breath.h"

namespace redraft::store {
namespace {

// Two stores with the same keys by different ways: other tables, keys not yet freed, values in other forms.
TEST(Store, AuditRangesAreAFunctionOfTheStateAlone) {
  Store one({.databases = 3, .hash_seed = 2});
  Store two({.databases = 3, .hash_seed = 2});
  one.begin_entry(1, 1);
  two.begin_entry(1, 1);
  for (int i = 0; i < 4000; ++i) one.set_string(i % 3 == 0 ? 2 : 0, "key:" + std::to_string(i), "v", 0);
  for (int i = 0; i < 9000; ++i) two.set_string(1, "gone:" + std::to_string(i), "v", 5);
  for (int i = 0; i < 9000; ++i) two.set_string(0, "{tag}" + std::to_string(i), "v", 5);
  for (int i = 3999; i >= 0; --i) two.set_string(i % 3 == 0 ? 2 : 0, "key:" + std::to_string(i), "v", 0);
  for (int i = 0; i < 4000; ++i) one.set_string(0, "{tag}" + std::to_string(i), "w", 9);
  for (int i = 3999; i >= 0; --i) two.set_string(0, "{tag}" + std::to_string(i), "w", 9);
  one.begin_entry(2, 6);
  two.begin_entry(2, 6);
  NoBreath breather;
  std::size_t ranges = 0;
  for (AuditPlace from; from != one.audit_end(); ++ranges) {
    const AuditPlan plan = (ranges % 2 == 0 ? one : two).plan_audit(from, 300);
    ASSERT_LT(from, plan.end);
    EXPECT_EQ(one.digest_of_range(from, plan.end, breather), two.digest_of_range(from, plan.end, breather));
    from = plan.end;
  }
  EXPECT_GE(ranges, 20u);
  EXPECT_GT(breather.breaths, 0u);
}

TEST(Store, AuditADifferenceShowsInItsOwnRangeOnly) {
  Store store({.databases = 2, .hash_seed = 2});
  store.begin_entry(1, 1);
  for (int i = 0; i < 3000; ++i) store.set_string(0, "key:" + std::to_string(i), "v", 0);
  NoBreath breather;
  const auto all = [&] {
    std::vector<std::string> digests;
    for (AuditPlace from; from < store.audit_end(); from.slot += 1024) {
      if (from.slot == kSlotCount) from = {from.db + 1, 0, 0};
      digests.push_back(store.digest_of_range(from, {from.db, from.slot + 1024, 0}, breather));
    }
    return digests;
  };
  const std::vector<std::string> before = all();
  store.set_string(0, "key:77", "w", 0);
  const std::vector<std::string> after = all();
  std::size_t different = 0;
  for (std::size_t i = 0; i < before.size(); ++i) different += before[i] != after[i] ? 1 : 0;
  EXPECT_EQ(different, 1u);
  const std::string rest = store.digest_of_rest({});
  EXPECT_NE(store.digest_of_rest("more"), rest);
  store.set_setting("a", "b");
  EXPECT_NE(store.digest_of_rest({}), rest);
}

// Of each type, a value of many ranges: the parts hold all of it, and a change is in the part where it was made.
TEST(Store, AuditOfLargeValuesInParts) {
  Store store({.databases = 1, .hash_seed = 2});
  store.begin_entry(1, 1);
  List& list = store.create_list(0, "list");
  Set& set = store.create_set(0, "set");
  Hash& hash = store.create_hash(0, "hash");
  SortedSet& sorted = store.create_sorted_set(0, "sorted");
  for (int i = 0; i < 5000; ++i) {
    const std::string text = "element:" + std::to_string(i);
    list.push_back(text);
    set.add(text);
    hash.set(text, "v");
    sorted.set(text, i);
  }
  store.append(0, "string", std::string(6'000'000, 's'));
  NoBreath breather;
  const AuditPlan plan = store.plan_audit({}, 1'000'000);
  EXPECT_EQ(plan.end, store.audit_end());
  ASSERT_EQ(plan.large.size(), 5u);
  const auto change = [&](std::string_view name) {
    if (name == "list") list.set(2500, "changed");
    if (name == "set") set.add("changed");
    if (name == "hash") hash.set("element:17", "changed");
    if (name == "sorted") sorted.set("element:4000", 4000.5);
    if (name == "string") store.write_range(0, "string", 3'000'000, "changed");
  };
  for (const LargeValue& value : plan.large) {
    ASSERT_GT(value.units, Store::kAuditUnitsMax);
    const std::string keys = store.digest_of_range({}, store.audit_end(), breather);
    const auto parts = [&] {
      std::vector<std::string> digests;
      for (std::uint64_t first = 0; first < value.units; first += Store::kAuditUnitsMax)
        digests.push_back(store.digest_of_part(0, value.name, first, Store::kAuditUnitsMax, breather));
      return digests;
    };
    const std::vector<std::string> before = parts();
    change(value.name);
    const std::vector<std::string> after = parts();
    EXPECT_NE(before, after) << value.name;
    if (value.name != "set") {
      EXPECT_EQ(store.digest_of_range({}, store.audit_end(), breather), keys) << value.name;
    }
    EXPECT_EQ(store.digest_of_part(0, value.name, 1'000'000, 1000, breather),
              store.digest_of_part(0, "none", 0, 1000, breather));
  }
}

}  // namespace
}  // namespace redraft::store
