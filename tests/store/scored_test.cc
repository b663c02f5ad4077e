// Hashes and sorted sets against models: packed items, the order with its ranks, the borders of the small encodings.

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "server/store/hash.h"
#include "server/store/sorted_set.h"
#include "tests/store/draw.h"

namespace redraft::store {
namespace {

NoBreather none;

// ---- Packed items

TEST(PackedItem, ReadsBackWhatWasWritten) {
  NumberText scratch;
  std::vector<std::string> texts{"",
                                 "0",
                                 "63",
                                 "64",
                                 "-1",
                                 "-0",
                                 "00",
                                 "+1",
                                 "127",
                                 "128",
                                 "-128",
                                 "-129",
                                 "32767",
                                 "32768",
                                 "2147483648",
                                 "9223372036854775807",
                                 "-9223372036854775808",
                                 "9223372036854775808",
                                 "1.5",
                                 " 1",
                                 "a"};
  for (const std::size_t size : {63u, 64u, 127u, 128u, 255u, 300u, 4000u}) texts.emplace_back(size, 'x');
  for (const std::string& text : texts) {
    const PackedItem item = PackedItem::of_text(text);
    std::string bytes(item.size(), '\0');
    EXPECT_EQ(item.write(bytes.data()), bytes.data() + bytes.size());
    const PackedItem read = PackedItem::read(bytes.data());
    EXPECT_EQ(read.text(scratch), text);
    EXPECT_EQ(read.size(), item.size());
    EXPECT_LE(item.size(), text.size() + 3);
  }
  // Among the others, each is found where it is, as every item and as the first of two.
  for (const std::size_t stride : {1u, 2u}) {
    Packed packed;
    std::vector<std::size_t> offsets;
    for (const std::string& text : texts) {
      offsets.push_back(packed.bytes());
      for (std::size_t i = 0; i < stride; ++i) {
        const PackedItem item = PackedItem::of_text(i == 0 ? std::string_view(text) : "a value");
        item.write(packed.splice(packed.bytes(), packed.bytes(), item.size(), 1));
      }
    }
    for (std::size_t i = 0; i < texts.size(); ++i) {
      std::size_t passed = 0;
      EXPECT_EQ(packed.find(PackedItem::of_text(texts[i]), stride, &passed), offsets[i]) << texts[i];
      EXPECT_EQ(passed, i);
      EXPECT_EQ(packed.size_at(offsets[i]), packed.at(offsets[i]).size());
    }
    for (const std::string_view absent : {"b", "65", "-2000", "a value "}) {
      EXPECT_EQ(packed.find(PackedItem::of_text(absent), stride), packed.bytes()) << absent;
    }
    packed.free();
  }
  EXPECT_EQ(Packed().find(PackedItem::of_text("a"), 1), 0U);
}

TEST(PackedItem, KeepsEveryScoreToTheLastBit) {
  std::vector<double> scores{0.0,
                             -0.0,
                             1,
                             -1,
                             0.5,
                             3.14,
                             -2.5,
                             0.1,
                             1e-5,
                             12345.6789,
                             1e15,
                             1e300,
                             -1e300,
                             5e-324,
                             std::numeric_limits<double>::infinity(),
                             -std::numeric_limits<double>::infinity(),
                             9007199254740993.0,
                             9.3e18,
                             -9.3e18,
                             214748.3647,
                             1.0 / 3};
  Draw draw(1);
  for (int i = 0; i < 2000; ++i) scores.push_back(static_cast<double>(draw.below(1u << 30)) / 1000.0);
  for (const double score : scores) {
    const PackedItem item = PackedItem::of_score(score);
    std::string bytes(item.size(), '\0');
    item.write(bytes.data());
    const PackedItem read = PackedItem::read(bytes.data());
    EXPECT_EQ(read.score(), score);
    EXPECT_EQ(std::signbit(read.score()), std::signbit(score));
    EXPECT_EQ(read.size(), item.size());
    EXPECT_LE(item.size(), 9u);
  }
}

// ---- Hash

TEST(Hash, AgreesWithAMapInEachForm) {
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    Draw draw(seed);
    Shared shared;
    shared.hash_seed = seed * 999;
    NumberText scratch;
    {
      Hash hash(shared);
      std::map<std::string, std::string> model;
      const std::uint64_t range = seed % 2 == 0 ? 60 : 3000;
      for (int i = 0; i < 8000; ++i) {
        const std::string field = (draw.one_in(2) ? "" : "field") + std::to_string(draw.below(range));
        if (draw.one_in(i / 2000 % 2 == 0 ? 4 : 2)) {
          ASSERT_EQ(hash.remove(field), model.erase(field) == 1);
        } else {
          const std::string value =
              draw.one_in(3) ? std::to_string(draw.below(100000)) : std::string(draw.below(60), 'v');
          ASSERT_EQ(hash.set(field, value), model.insert_or_assign(field, value).second);
        }
        ASSERT_EQ(hash.size(), model.size());
        const auto found = model.find(field);
        ASSERT_EQ(hash.contains(field), found != model.end());
        const std::optional<std::string_view> value = hash.get(field, scratch);
        ASSERT_EQ(value.has_value(), found != model.end());
        ASSERT_TRUE(!value || *value == found->second);
      }
      std::map<std::string, std::string> all;
      std::uint64_t rank = 0;
      hash.for_each([&](std::string_view field, std::string_view value) {
        all.emplace(field, value);
        hash.at(rank++, [&](std::string_view at, std::string_view) { ASSERT_EQ(at, field); });
      });
      EXPECT_EQ(all, model);
      std::set<std::string> scanned;
      std::uint64_t cursor = 0;
      do {
        cursor = hash.scan(cursor, 10, [&](std::string_view field, std::string_view) { scanned.emplace(field); });
        ASSERT_LT(cursor, std::uint64_t{1} << 53);
      } while (cursor != 0);
      EXPECT_EQ(scanned.size(), model.size());
      EXPECT_GE(hash.memory(), hash.size());
    }
    EXPECT_EQ(shared.memory, 0);
  }
}

// Names and borders of OBJECT ENCODING (redis/redis:src/t_hash.c).
TEST(Hash, EncodingsChangeAtRedissBorders) {
  Shared shared;
  Hash many(shared);
  for (int i = 0; i < 512; ++i) many.set("f" + std::to_string(i), "v");
  EXPECT_EQ(many.encoding(), "listpack");
  many.set("f0", "w");
  EXPECT_EQ(many.encoding(), "listpack");
  many.set("one more", "v");
  EXPECT_EQ(many.encoding(), "hashtable");
  Hash wide(shared);
  wide.set(std::string(64, 'f'), std::string(64, 'v'));
  EXPECT_EQ(wide.encoding(), "listpack");
  wide.set("f", std::string(65, 'v'));
  EXPECT_EQ(wide.encoding(), "hashtable");
  // Larger than a packed block, and still what Redis calls a listpack.
  Hash heavy(shared);
  for (int i = 0; i < 300; ++i) heavy.set(std::string(50, 'f') + std::to_string(i), std::string(64, 'v'));
  EXPECT_EQ(heavy.encoding(), "listpack");
  EXPECT_FALSE(heavy.small());
}

// A few fields come in the order in which they were set first, as in Redis.
TEST(Hash, FewFieldsKeepTheirOrder) {
  Shared shared;
  Hash hash(shared);
  for (const char* field : {"z", "a", "7", "m"}) hash.set(field, "1");
  hash.set("a", "another value");
  hash.remove("7");
  std::string order;
  hash.for_each([&](std::string_view field, std::string_view value) { order.append(field).append(value).append(","); });
  EXPECT_EQ(order, "z1,aanother value,m1,");
}

// ---- SortedSet

using Model = std::set<std::pair<double, std::string>>;

std::vector<std::pair<double, std::string>> contents(const SortedSet& set, std::uint64_t first, std::uint64_t count,
                                                     bool backwards) {
  std::vector<std::pair<double, std::string>> all;
  set.visit(first, count, backwards, [&](std::string_view member, double score) {
    all.emplace_back(score, member);
    return true;
  });
  return all;
}

void expect_places(const SortedSet& set, const Model& model, Draw& draw) {
  const std::vector<std::pair<double, std::string>> sorted(model.begin(), model.end());
  ASSERT_EQ(contents(set, 0, set.size(), false), sorted);
  ASSERT_EQ(contents(set, 0, set.size(), true),
            (std::vector<std::pair<double, std::string>>(sorted.rbegin(), sorted.rend())));
  for (std::size_t rank = 0; rank < sorted.size(); rank += 1 + draw.below(7)) {
    ASSERT_EQ(set.rank(sorted[rank].second), rank);
    ASSERT_EQ(contents(set, rank, 1, draw.one_in(2)).front(), sorted[rank]);
  }
  for (int i = 0; i < 50; ++i) {
    const double score = static_cast<double>(draw.below(400)) / 4 - 20;
    const auto below = model.lower_bound({score, ""});
    const auto above = model.upper_bound({score, "\xff"});
    ASSERT_EQ(set.count_below(score, false), std::distance(model.begin(), below));
    ASSERT_EQ(set.count_below(score, true), std::distance(model.begin(), above));
  }
}

TEST(SortedSet, AgreesWithASetOfPairsInEachForm) {
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    Draw draw(seed);
    Shared shared;
    shared.hash_seed = seed * 999;
    {
      SortedSet set(shared);
      std::map<std::string, double> scores;
      Model model;
      const std::uint64_t range = seed % 2 == 0 ? 50 : 6000;
      for (int i = 0; i < 14000; ++i) {
        const std::string member = (draw.one_in(2) ? "" : "m") + std::to_string(draw.below(range));
        const auto present = scores.find(member);
        if (draw.one_in(i / 4000 % 2 == 0 ? 5 : 2)) {
          ASSERT_EQ(set.remove(member), present != scores.end());
          if (present != scores.end()) {
            model.erase({present->second, member});
            scores.erase(present);
          }
        } else {
          const double score = seed == 3 ? i : static_cast<double>(draw.below(400)) / 4 - 20;
          ASSERT_EQ(set.set(member, score), present == scores.end());
          if (present != scores.end()) model.erase({present->second, member});
          scores[member] = score;
          model.emplace(score, member);
        }
        ASSERT_EQ(set.size(), model.size());
        ASSERT_EQ(set.score(member).has_value(), scores.contains(member));
        ASSERT_TRUE(!set.score(member) || *set.score(member) == scores[member]);
        if (i % 1000 == 999) expect_places(set, model, draw);
        if (HasFatalFailure()) return;
      }
      while (set.size() > 0) {
        const std::uint64_t rank = draw.below(set.size());
        model.erase(std::next(model.begin(), static_cast<std::ptrdiff_t>(rank)));
        set.remove_at(rank);
        if (set.size() % 500 == 0) expect_places(set, model, draw);
      }
    }
    EXPECT_EQ(shared.memory, 0);
  }
}

TEST(SortedSet, CountsByTextWhereScoresAreEqual) {
  for (const int members : {20, 3000}) {
    Shared shared;
    SortedSet set(shared);
    std::set<std::string> model;
    Draw draw(5);
    for (int i = 0; i < members; ++i) {
      const std::string member = std::to_string(draw.below(9000));
      set.set(member, 0);
      model.insert(member);
    }
    for (int i = 0; i < 200; ++i) {
      const std::string text = std::to_string(draw.below(9000));
      ASSERT_EQ(set.count_before(text, false), std::distance(model.begin(), model.lower_bound(text)));
      ASSERT_EQ(set.count_before(text, true), std::distance(model.begin(), model.upper_bound(text)));
    }
  }
}

// Names and borders of OBJECT ENCODING (redis/redis:src/t_zset.c).
TEST(SortedSet, EncodingsChangeAtRedissBorders) {
  Shared shared;
  SortedSet many(shared);
  for (int i = 0; i < 128; ++i) many.set("m" + std::to_string(i), i);
  EXPECT_EQ(many.encoding(), "listpack");
  many.set("m0", 7);
  EXPECT_EQ(many.encoding(), "listpack");
  many.set("one more", 1);
  EXPECT_EQ(many.encoding(), "skiplist");
  SortedSet wide(shared);
  wide.set(std::string(64, 'm'), 1);
  EXPECT_EQ(wide.encoding(), "listpack");
  wide.set(std::string(65, 'm'), 1);
  EXPECT_EQ(wide.encoding(), "skiplist");
  SortedSet heavy(shared);
  for (int i = 0; i < 100; ++i) heavy.set(std::string(60, 'm') + std::to_string(i), i);
  EXPECT_EQ(heavy.encoding(), "listpack");
  EXPECT_FALSE(heavy.small());
}

// Two sets with the same members and another history: the digest and every place are equal, whatever the tree's shape
// (pitfall G1).
TEST(SortedSet, PlacesDoNotDependOnHistory_G1) {
  Shared shared;
  SortedSet grown(shared);
  SortedSet shrunk(shared);
  Draw draw(9);
  for (int i = 0; i < 4000; ++i) shrunk.set("m" + std::to_string(i), static_cast<double>(draw.below(100)));
  for (int i = 0; i < 4000; i += 1 + (i % 3 == 0)) shrunk.remove("m" + std::to_string(i));
  shrunk.for_each([&](std::string_view member, double score) { grown.set(member, score); });
  EXPECT_EQ(grown.digest(none), shrunk.digest(none));
  for (const char* text : {"m1", "m2000", "m7", "m39", "zz", ""}) {
    EXPECT_EQ(grown.count_before(text, true), shrunk.count_before(text, true));
  }
  EXPECT_EQ(contents(grown, 0, grown.size(), true), contents(shrunk, 0, shrunk.size(), true));
}

}  // namespace
}  // namespace redraft::store
