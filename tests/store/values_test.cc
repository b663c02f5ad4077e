// Lists, sets, hashes, sorted sets and long strings against models, with a snapshot's walk between their changes: what
// is restored is the value as it was when the walk began, and it goes on exactly like it (pitfalls G1, E12).

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <limits>
#include <memory>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "server/store/hash.h"
#include "server/store/list.h"
#include "server/store/long_string.h"
#include "server/store/set.h"
#include "server/store/sorted_set.h"
#include "tests/store/draw.h"
#include "tests/store/stream_kit.h"

namespace redraft::store {
namespace {

NoBreather none;

std::string some_bytes(Draw& draw) {
  if (draw.one_in(3)) return std::to_string(static_cast<std::int64_t>(draw.below(2000)) - 1000);
  const std::uint64_t size = draw.one_in(40) ? draw.below(9000) : draw.below(80);
  std::string bytes(size, '\0');
  for (char& byte : bytes) byte = static_cast<char>(draw.next());
  return bytes;
}

// One value's walk, as the store does it: header, then parts in slices between the value's changes.
class ValueWalk {
 public:
  ValueWalk(Shared& shared, Object& value) : shared_(shared), value_(value) {
    shared.walking = true;
    ++shared.epoch;
    value.begin_walk(header_);
    value.in_parts = true;
    value.set_walked();
  }
  bool slice(std::size_t bytes) { return value_.walk(shared_.walked, bytes); }
  void restore_to(Object& other) {
    while (!slice(5000)) {
    }
    shared_.walking = false;
    value_.in_parts = false;
    std::string_view records = shared_.walked;
    ASSERT_TRUE(other.restore_header(header_));
    while (!records.empty()) {
      ASSERT_EQ(records.front(), static_cast<char>(Record::kPart));
      records.remove_prefix(1);
      std::string_view record;
      std::uint64_t id = 0;
      ASSERT_TRUE(take_bytes(records, record));
      ASSERT_TRUE(take_number(record, id));
      ASSERT_EQ(id, value_.id());
      ASSERT_TRUE(other.restore_part(record));
    }
    ASSERT_TRUE(other.restore_end());
    shared_.walked.clear();
  }

 private:
  Shared& shared_;
  Object& value_;
  std::string header_;
};

constexpr std::int64_t kInt64Max = std::numeric_limits<std::int64_t>::max();

std::vector<std::string> contents(const List& list) {
  std::vector<std::string> all;
  for (List::Cursor at = list.cursor(0); at.valid(); at.next()) all.emplace_back(at.value());
  return all;
}
std::vector<std::string> contents(const Set& set) {
  std::vector<std::string> all;
  set.for_each([&](std::string_view member) { all.emplace_back(member); });
  return all;
}
std::vector<std::string> contents(const Hash& hash) {
  std::vector<std::string> all;
  hash.for_each([&](std::string_view field, std::string_view value) {
    all.emplace_back(field);
    all.emplace_back(value);
  });
  return all;
}
std::vector<std::string> contents(const SortedSet& set) {
  std::vector<std::string> all;
  set.for_each([&](std::string_view member, double score) {
    all.emplace_back(member);
    all.push_back(std::to_string(score));
  });
  return all;
}
std::string contents(const LongString& string) {
  std::string all;
  string.read(0, string.size(), all);
  return all;
}

// ---- One random change; the same for the same draws

void change(List& list, Draw& draw) {
  const std::string bytes = some_bytes(draw);
  const std::size_t at = list.size() == 0 ? 0 : draw.below(list.size());
  switch (draw.below(list.size() > 600 ? 12 : 8)) {
    case 0:
    case 1:
      return list.push_front(bytes);
    case 2:
    case 3:
      return list.push_back(bytes);
    case 4:
    case 5:
      return list.insert(list.size() == 0 ? 0 : draw.below(list.size() + 1), bytes);
    case 6:
      if (list.size() > 0) list.set(at, bytes);
      return;
    case 7:
    case 8:
      if (list.size() > 0) list.pop_front();
      return;
    case 9:
    case 10:
      if (list.size() > 0) list.pop_back();
      return;
    default:
      if (list.size() > 0) list.erase(at, 1 + draw.below(std::min<std::size_t>(60, list.size() - at)));
  }
}

void change(Set& set, Draw& draw) {
  if (set.size() > 0 && draw.one_in(set.size() > 700 ? 2 : 3)) {
    set.take(draw.below(set.size()), [](std::string_view) {});  // SPOP
  } else {
    set.add(draw.one_in(2) ? std::to_string(draw.below(3000)) : some_bytes(draw));
  }
}

void change(Hash& hash, Draw& draw) {
  if (hash.size() > 0 && draw.one_in(hash.size() > 700 ? 2 : 3)) {
    std::string removed;
    hash.at(draw.below(hash.size()), [&](std::string_view field, std::string_view) { removed = field; });
    hash.remove(removed);
  } else {
    const std::string field = std::to_string(draw.below(3000));
    hash.set(field, some_bytes(draw));
  }
}

void change(SortedSet& set, Draw& draw) {
  if (set.size() > 0 && draw.one_in(set.size() > 700 ? 2 : 3)) {
    set.remove_at(draw.below(set.size()));
  } else {
    const std::string member = draw.one_in(2) ? std::to_string(draw.below(1000)) : some_bytes(draw);
    set.set(member, static_cast<double>(draw.below(300)) / 8);
  }
}

void change(LongString& string, Draw& draw) {
  const std::string bytes = some_bytes(draw);
  if (draw.one_in(4)) {
    string.write(string.size() + draw.below(3000), bytes);
  } else {
    string.write(draw.below(string.size() + 1), bytes);
  }
}

// ---- Models

TEST(List, AgreesWithADeque) {
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    Draw draw(seed);
    Shared shared;
    {
      List list(shared);
      std::deque<std::string> model;
      for (int i = 0; i < 6000; ++i) {
        const std::string bytes = some_bytes(draw);
        const std::size_t at = model.empty() ? 0 : draw.below(model.size());
        const auto place = model.begin() + static_cast<std::ptrdiff_t>(at);
        switch (draw.below(i / 1500 % 2 == 0 ? 7 : 10)) {
          case 0:
          case 1:
            list.push_front(bytes);
            model.push_front(bytes);
            break;
          case 2:
          case 3:
            list.push_back(bytes);
            model.push_back(bytes);
            break;
          case 4:
            list.insert(at, bytes);
            model.insert(place, bytes);
            break;
          case 5:
            if (model.empty()) break;
            list.set(at, bytes);
            *place = bytes;
            break;
          case 6:
          case 7: {
            if (model.empty()) break;
            const std::size_t count = 1 + draw.below(std::min<std::size_t>(30, model.size() - at));
            list.erase(at, count);
            model.erase(place, place + static_cast<std::ptrdiff_t>(count));
            break;
          }
          case 8:
            if (model.empty()) break;
            EXPECT_EQ(list.front(), model.front());
            list.pop_front();
            model.pop_front();
            break;
          default:
            if (model.empty()) break;
            EXPECT_EQ(list.back(), model.back());
            list.pop_back();
            model.pop_back();
        }
        ASSERT_EQ(list.size(), model.size());
        if (!model.empty()) {
          const std::size_t index = draw.below(model.size());
          ASSERT_EQ(list.at(index), model[index]);
        }
      }
      EXPECT_EQ(contents(list), std::vector<std::string>(model.begin(), model.end()));
      std::vector<std::string> backwards;
      for (List::Cursor at = list.cursor(list.size() - 1); at.valid(); at.previous())
        backwards.emplace_back(at.value());
      EXPECT_EQ(backwards, std::vector<std::string>(model.rbegin(), model.rend()));
      const std::size_t first = draw.below(list.size() + 1);
      const std::size_t count = draw.below(list.size() - first + 1);
      std::vector<std::string> some;
      list.for_each(first, count, [&](std::string_view element) { some.emplace_back(element); });
      const auto begin = model.begin() + static_cast<std::ptrdiff_t>(first);
      EXPECT_EQ(some, std::vector<std::string>(begin, begin + static_cast<std::ptrdiff_t>(count)));
      EXPECT_GT(shared.memory, 0);
    }
    EXPECT_EQ(shared.memory, 0);
  }
}

// Where the length of an element, or of an element with its length, takes a byte more.
TEST(List, ElementsOfEveryLengthKeepTheirBytes) {
  Shared shared;
  List list(shared);
  for (std::size_t size = 0; size <= 300; ++size) list.push_back(std::string(size, static_cast<char>(size)));
  std::size_t size = 0;
  list.for_each(0, list.size(), [&](std::string_view element) {
    EXPECT_EQ(element, std::string(size, static_cast<char>(size)));
    ++size;
  });
  EXPECT_EQ(size, 301U);
  for (size = 0; size <= 300; ++size) EXPECT_EQ(list.at(size).size(), size);
}

// Chunks come and go at both ends for long, so that the gap in front of them is made, filled and given up.
TEST(List, QueuesInBothDirections) {
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    Draw draw(seed);
    Shared shared;
    {
      List list(shared);
      std::deque<std::string> model;
      for (int i = 0; i < 20'000; ++i) {
        const std::string bytes(200 + draw.below(300), static_cast<char>('a' + i % 26));
        const bool grows = draw.one_in(i / 5000 % 2 == 0 ? 2 : 4) || model.empty();
        const bool in_front = draw.one_in(seed % 2 == 0 ? 8 : 2);
        if (grows || draw.one_in(3)) {
          in_front ? list.push_front(bytes) : list.push_back(bytes);
          in_front ? model.push_front(bytes) : model.push_back(bytes);
        } else if (in_front == (seed < 3)) {
          ASSERT_EQ(list.front(), model.front());
          list.pop_front();
          model.pop_front();
        } else {
          ASSERT_EQ(list.back(), model.back());
          list.pop_back();
          model.pop_back();
        }
        ASSERT_EQ(list.size(), model.size());
      }
      EXPECT_EQ(contents(list), std::vector<std::string>(model.begin(), model.end()));
    }
    EXPECT_EQ(shared.memory, 0);
  }
}

// Integers take as many bytes as the widest of them.
TEST(Set, IntegersAtTheBordersOfTheirWidths) {
  Shared shared;
  {
    Set set(shared);
    std::set<std::int64_t> model;
    for (const std::int64_t border : {std::int64_t{0}, std::int64_t{1} << 15, std::int64_t{1} << 31, kInt64Max}) {
      for (std::int64_t near = -2; near <= 2; ++near) {
        if (border == kInt64Max && (near > 0 || near < -1)) continue;
        for (const std::int64_t value : {border + near, -border + near}) {
          EXPECT_EQ(set.add(std::to_string(value)), model.insert(value).second);
        }
      }
      std::vector<std::string> wanted;
      for (const std::int64_t value : model) wanted.push_back(std::to_string(value));
      EXPECT_EQ(contents(set), wanted);
    }
    EXPECT_EQ(set.encoding(), "intset");
    for (const std::int64_t value : model) {
      EXPECT_TRUE(set.contains(std::to_string(value)));
      EXPECT_TRUE(set.remove(std::to_string(value)));
      EXPECT_FALSE(set.contains(std::to_string(value)));
    }
    EXPECT_EQ(set.size(), 0U);
  }
  EXPECT_EQ(shared.memory, 0);
}

TEST(Set, AgreesWithASetInEachEncoding) {
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    Draw draw(seed);
    Shared shared;
    shared.hash_seed = seed * 999;
    {
      Set set(shared);
      std::set<std::string> model;
      const std::uint64_t range = seed % 3 == 0 ? 100 : 4000;
      for (int i = 0; i < 8000; ++i) {
        const bool number = seed % 3 == 1 ? i < 4000 || draw.one_in(3) : draw.one_in(2);
        const std::string member = (number ? "" : "m") + std::to_string(draw.below(range));
        if (draw.one_in(i / 2000 % 2 == 0 ? 4 : 2)) {
          ASSERT_EQ(set.remove(member), model.erase(member) == 1);
        } else {
          ASSERT_EQ(set.add(member), model.insert(member).second);
        }
        ASSERT_EQ(set.size(), model.size());
        ASSERT_EQ(set.contains(member), model.contains(member));
      }
      const std::vector<std::string> all = contents(set);
      EXPECT_EQ(std::set<std::string>(all.begin(), all.end()), model);
      for (std::size_t rank = 0; rank < all.size(); ++rank) ASSERT_EQ(set.at(rank), all[rank]);
      std::set<std::string> scanned;
      std::uint64_t cursor = 0;
      do {
        cursor = set.scan(cursor, 10, [&](std::string_view member) { scanned.emplace(member); });
        ASSERT_LT(cursor, std::uint64_t{1} << 53);
      } while (cursor != 0);
      EXPECT_EQ(scanned, model);
      while (set.size() > 0) {
        const std::uint64_t rank = draw.below(set.size());
        const std::string wanted = set.at(rank);
        set.take(rank, [&](std::string_view member) { ASSERT_EQ(member, wanted); });
        ASSERT_EQ(model.erase(wanted), 1);
        ASSERT_FALSE(set.contains(wanted));
      }
      EXPECT_TRUE(model.empty());
    }
    EXPECT_EQ(shared.memory, 0);
  }
}

// What OBJECT ENCODING shows follows the settings; the form in memory follows bytes, and a walk restores both.
TEST(Set, IsATableWhenItIsTooLargeToLieInOneBlock) {
  for (const bool integers : {true, false}) {
    Shared shared;
    shared.set_max_intset_entries = 5000;
    shared.set_max_listpack_entries = 5000;
    {
      Set set(shared);
      const auto member = [&](int i) { return (integers ? "" : "member:") + std::to_string(i); };
      for (int i = 0; i < 3000; ++i) ASSERT_TRUE(set.add(member(i)));
      const std::string_view shown = integers ? "intset" : "listpack";
      EXPECT_EQ(set.encoding(), shown);
      EXPECT_FALSE(set.small());
      for (int i = 0; i < 3000; ++i) ASSERT_TRUE(set.contains(member(i)));
      ValueWalk walk(shared, set);
      Set other(shared);
      walk.restore_to(other);
      EXPECT_EQ(contents(other), contents(set));
      EXPECT_EQ(other.encoding(), shown);
      for (int i = 3000; i < 5001; ++i) set.add(member(i));
      EXPECT_EQ(set.encoding(), "hashtable");
      EXPECT_TRUE(other.add("no integer"));
      EXPECT_EQ(other.encoding(), "listpack");
      EXPECT_EQ(other.copy(none)->encoding(), "listpack");
    }
    EXPECT_EQ(shared.memory, 0);
  }
}

// Elements longer than a chunk have one each, and whatever is around them stays in order.
TEST(List, LongElementsAmongShortOnes) {
  Shared shared;
  {
    List list(shared);
    std::vector<std::string> model;
    for (int i = 0; i < 60; ++i) {
      const std::string element(i % 7 == 3 ? 100'000 + i : i % 5 == 1 ? 4090 : i, static_cast<char>('a' + i % 26));
      const auto at = static_cast<std::size_t>(i) * 7 % (model.size() + 1);
      list.insert(at, element);
      model.insert(model.begin() + static_cast<std::ptrdiff_t>(at), element);
      if (i % 4 == 3) {
        const std::size_t place = static_cast<std::size_t>(i) * 5 % model.size();
        model[place] = std::string(static_cast<std::size_t>(i) * 300, 'z');
        list.set(place, model[place]);
      }
      ASSERT_EQ(contents(list), model);
    }
    List::Cursor at = list.cursor(model.size() - 1);
    for (std::size_t left = model.size(); left > 0; --left, at.previous()) ASSERT_EQ(at.value(), model[left - 1]);
    EXPECT_FALSE(at.valid());
    while (list.size() > 0) {
      list.pop_back();
      if (list.size() > 0) list.pop_front();
    }
  }
  EXPECT_EQ(shared.memory, 0);
}

TEST(LongString, AgreesWithAString) {
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    Draw draw(seed);
    Shared shared;
    {
      LongString string(shared);
      std::string model;
      for (int i = 0; i < 400; ++i) {
        const std::string bytes = some_bytes(draw);
        const std::size_t offset = draw.below(model.size() + (draw.one_in(5) ? 10000 : 1));
        string.write(offset, bytes);
        if (!bytes.empty() || offset <= model.size()) {
          if (model.size() < offset + bytes.size()) model.resize(offset + bytes.size(), '\0');
          model.replace(offset, bytes.size(), bytes);
        } else {
          model.resize(offset, '\0');
        }
        ASSERT_EQ(string.size(), model.size());
        const std::size_t from = draw.below(model.size() + 1);
        const std::size_t count = draw.below(9000);
        std::string part;
        string.read(from, count, part);
        ASSERT_EQ(part, model.substr(from, count));
      }
      EXPECT_EQ(contents(string), model);
    }
    EXPECT_EQ(shared.memory, 0);
  }
}

// ---- The walk

template <class Value>
class AnyValue : public ::testing::Test {};
using Values = ::testing::Types<List, Set, Hash, SortedSet, LongString, Stream>;
TYPED_TEST_SUITE(AnyValue, Values);

TYPED_TEST(AnyValue, IsRestoredAsItWasWhenTheWalkBeganAndGoesOnAlike) {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    Draw draw(seed);
    Shared shared;
    shared.hash_seed = seed;
    TypeParam value(shared);
    TypeParam twin(shared);  // has had the same changes until the walk begins
    const std::uint64_t before = 1 + draw.below(1500);
    Draw twins = draw;
    for (std::uint64_t i = 0; i < before; ++i) {
      change(value, draw);
      change(twin, twins);
    }
    const std::string encoding(value.encoding());
    const auto at_begin = contents(value);
    const std::uint64_t digest = value.digest(none);

    ValueWalk walk(shared, value);
    for (int i = 0; i < 300; ++i) {
      change(value, draw);
      if (draw.one_in(4)) std::ignore = walk.slice(draw.below(3000));
    }
    Shared other_shared;
    other_shared.hash_seed = seed;
    TypeParam restored(other_shared);
    walk.restore_to(restored);
    if (this->HasFatalFailure()) return;
    ASSERT_TRUE(contents(restored) == at_begin) << "seed " << seed;
    EXPECT_EQ(restored.encoding(), encoding);
    EXPECT_EQ(restored.digest(none), digest);

    // From here on both do the same: the value that was never restored, and the one that was.
    Draw left(seed * 31);
    Draw right(seed * 31);
    for (int i = 0; i < 500; ++i) {
      change(twin, left);
      change(restored, right);
    }
    ASSERT_TRUE(contents(restored) == contents(twin)) << "seed " << seed;
    EXPECT_EQ(restored.encoding(), twin.encoding());
    EXPECT_EQ(restored.digest(none), twin.digest(none));

    // A copy has the same members in the same order.
    const std::unique_ptr<Object> copy = twin.copy(none);
    ASSERT_TRUE(contents(static_cast<TypeParam&>(*copy)) == contents(twin));
    EXPECT_EQ(copy->digest(none), twin.digest(none));
  }
}

TYPED_TEST(AnyValue, IsFreedInSlices) {
  Draw draw(4);
  Shared shared;
  {
    TypeParam value(shared);
    for (int i = 0; i < 3000; ++i) change(value, draw);
    int slices = 1;
    for (std::size_t elements = 4; !value.free_some(elements); elements = 4) ++slices;
    EXPECT_GT(slices, 3);
  }
  EXPECT_EQ(shared.memory, 0);
}

}  // namespace
}  // namespace redraft::store
