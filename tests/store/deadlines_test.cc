#include "server/store/deadlines.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/store/draw.h"

namespace redraft::store {
namespace {

struct FreeKey {
  void operator()(Key* key) const { KeyBlock::free(key); }
};
using OwnedKey = std::unique_ptr<Key, FreeKey>;

OwnedKey make_key(const std::string& name, std::uint64_t deadline_ms) {
  return OwnedKey(KeyBlock::make(name, KeyBlock::integer_value(1), deadline_ms, 0));
}

std::vector<std::string> names_from(const Deadlines& deadlines, std::uint64_t deadline_ms) {
  std::vector<std::string> names;
  for (auto at = deadlines.from(deadline_ms); !at.at_end(); at.advance()) names.emplace_back(at.key().name());
  return names;
}

// Against the obvious: all of them, sorted by deadline.
class Model {
 public:
  void set(const std::string& name, std::uint64_t deadline_ms) {
    OwnedKey key = make_key(name, deadline_ms);
    OwnedKey& kept = keys_[name];
    if (kept == nullptr) {
      deadlines.insert(*key);
    } else {
      deadlines.replace(*kept, *key);
    }
    kept = std::move(key);
  }
  void remove(const std::string& name) {
    const auto at = keys_.find(name);
    if (at == keys_.end()) return;
    deadlines.erase(*at->second);
    keys_.erase(at);
  }
  void check(std::uint64_t from_ms) const {
    std::vector<std::uint64_t> expected;
    for (const auto& [name, key] : keys_) {
      if (key->deadline_ms() >= from_ms) expected.push_back(key->deadline_ms());
    }
    std::ranges::sort(expected);
    std::vector<std::uint64_t> found;
    for (auto at = deadlines.from(from_ms); !at.at_end(); at.advance()) {
      found.push_back(at.deadline_ms());
      ASSERT_EQ(keys_.find(std::string(at.key().name()))->second.get(), &at.key());
    }
    ASSERT_EQ(found, expected);
    ASSERT_EQ(deadlines.size(), keys_.size());
  }
  Deadlines deadlines;

 private:
  std::map<std::string, OwnedKey> keys_;
};

TEST(Deadlines, AreInOrderWhateverHappensToThem) {
  // Few deadlines have long ties; many have none.
  for (const std::uint64_t span : {std::uint64_t{3}, std::uint64_t{1'000}, std::uint64_t{1} << 62}) {
    Draw draw(span);
    Model model;
    for (int i = 0; i < 20'000; ++i) {
      const std::string name = std::to_string(draw.below(3'000));
      if (draw.below(3) == 0) {
        model.remove(name);
      } else {
        model.set(name, 1 + draw.below(span));
      }
      if (i % 1'000 == 0) model.check(draw.below(span));
    }
    for (int i = 0; i < 3'000; ++i) {
      model.remove(std::to_string(i));
      if (i % 500 == 0) model.check(0);
    }
    EXPECT_TRUE(model.deadlines.empty());
  }
}

TEST(Deadlines, TiesAreOrderedByNamesAlone) {
  std::vector<OwnedKey> keys;
  for (int i = 0; i < 2'000; ++i) keys.push_back(make_key("key:" + std::to_string(i), 7));
  Deadlines forwards;
  Deadlines backwards;
  for (const OwnedKey& key : keys) forwards.insert(*key);
  std::vector<OwnedKey> others;
  for (int i = 1'999; i >= 0; --i) {
    others.push_back(make_key("key:" + std::to_string(i), 7));
    backwards.insert(*others.back());
  }
  EXPECT_EQ(names_from(forwards, 0), names_from(backwards, 0));
  EXPECT_EQ(names_from(forwards, 7).size(), 2'000u);
  EXPECT_TRUE(names_from(forwards, 8).empty());
}

TEST(Deadlines, AreDroppedInSlices) {
  std::vector<OwnedKey> keys;
  Deadlines deadlines;
  for (std::uint64_t i = 1; i <= 1'500; ++i) {
    keys.push_back(make_key(std::to_string(i), i));
    deadlines.insert(*keys.back());
  }
  EXPECT_EQ(deadlines.earliest_ms(), 1u);
  EXPECT_EQ(deadlines.latest_ms(), 1'500u);
  std::size_t dropped = 0;
  while (!deadlines.empty()) {
    const std::size_t now = deadlines.drop_some(100);
    EXPECT_GE(now, 1u);
    EXPECT_LE(now, 100u);
    dropped += now;
  }
  EXPECT_EQ(dropped, 1'500u);
}

}  // namespace
}  // namespace redraft::store
