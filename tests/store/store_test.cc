// The whole store: keys of every kind against a model, and a snapshot's walk between any two changes. What is restored
// is the state of `begin_walk`, and from there both stores go on alike (pitfalls G1, E12, F12).

#include "server/store/store.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "tests/store/draw.h"
#include "tests/store/no_breath.h"

namespace redraft::store {
namespace {

std::string digest_of(const Store& store) {
  NoBreath breather;
  return store.digest(breather);
}

// Everything that a client could see, in the order in which it would see it.
std::vector<std::string> visible(const Store& store) {
  std::vector<std::string> all;
  for (std::uint32_t db = 0; db < store.database_count(); ++db) {
    std::uint64_t cursor = 0;
    do {
      cursor = store.scan(db, cursor, 10, [&](const Key& key) {
        std::string line = std::to_string(db) + ' ' + std::string(key.name()) + ' ' + std::string(key.encoding()) +
                           ' ' + std::to_string(key.deadline_ms()) + ' ';
        std::string scratch;
        if (key.is_string()) line += key.string(scratch);
        if (key.type() == Type::kList) {
          const auto& list = static_cast<const List&>(*key.object());
          for (List::Cursor at = list.cursor(0); at.valid(); at.next()) line.append(at.value()) += ',';
        }
        if (key.type() == Type::kSet) {
          static_cast<const Set&>(*key.object()).for_each([&](std::string_view member) { line.append(member) += ','; });
        }
        all.push_back(std::move(line));
      });
      EXPECT_LT(cursor, std::uint64_t{1} << 53);  // JavaScript clients read cursors as numbers
    } while (cursor != 0);
  }
  return all;
}

std::string text(Draw& draw, std::size_t most) {
  if (draw.one_in(3)) return std::to_string(draw.below(100000));
  std::string bytes(draw.below(most), '\0');
  for (char& byte : bytes) byte = static_cast<char>('a' + draw.below(26));
  return bytes;
}

// One random change: the same on every store for the same draws. Deadlines lie around the clock.
void change(Store& store, Draw& draw, std::uint64_t keys) {
  const auto db = static_cast<std::uint32_t>(draw.below(3));
  const auto other_db = static_cast<std::uint32_t>(draw.below(3));
  const bool tagged = draw.one_in(2);
  const std::string name = (tagged ? "{tag}" : "") + std::to_string(draw.below(keys));
  const std::string other = (tagged ? "{tag}" : "") + std::to_string(draw.below(keys));
  const std::uint64_t deadline = draw.one_in(4) ? store.clock_ms() + 1 + draw.below(3000) : 0;
  const Key* const key = store.find(db, name);
  switch (draw.below(28)) {
    case 0:
    case 1:
    case 2:
      store.set_string(db, name, text(draw, 200), deadline);
      break;
    case 3:
      store.set_string(db, name, text(draw, 20000), deadline);
      break;
    case 4:
      store.set_integer(db, name, static_cast<std::int64_t>(draw.next()), deadline);
      break;
    case 5:
    case 6:
      if (key == nullptr || key->is_string()) store.append(db, name, text(draw, 3000));
      break;
    case 7:
      if (key == nullptr || key->is_string()) store.write_range(db, name, draw.below(9000), "range");
      break;
    case 8:
    case 9:
    case 10:
    case 11:
    case 12: {
      Key* const changed = store.find_for_change(db, name);
      if (changed != nullptr && changed->type() != Type::kList) break;
      List& list = changed == nullptr ? store.create_list(db, name) : static_cast<List&>(*changed->object());
      for (std::uint64_t i = draw.below(60) + 1; i > 0; --i) {
        draw.one_in(2) ? list.push_back(text(draw, 300)) : list.push_front(text(draw, 30));
      }
      for (std::uint64_t i = draw.below(20); i > 0 && list.size() > 1; --i) {
        draw.one_in(2) ? list.pop_back() : list.pop_front();
      }
      break;
    }
    case 13:
    case 14:
    case 15:
    case 16:
    case 17: {
      Key* const changed = store.find_for_change(db, name);
      if (changed != nullptr && changed->type() != Type::kSet) break;
      Set& set = changed == nullptr ? store.create_set(db, name) : static_cast<Set&>(*changed->object());
      for (std::uint64_t i = draw.below(300) + 1; i > 0; --i) set.add(text(draw, 12));
      for (std::uint64_t i = draw.below(30); i > 0 && set.size() > 1; --i) set.remove(set.at(draw.below(set.size())));
      break;
    }
    case 18:
    case 19:
      store.remove(db, name);
      break;
    case 20:
      if (key != nullptr) store.set_deadline(db, name, deadline);
      break;
    case 21:
    case 22:
      if (key != nullptr && (db != other_db || name != other)) store.rename(db, name, other_db, other);
      break;
    case 23:
      if (key != nullptr && (db != other_db || name != other)) {
        NoBreather breather;
        store.copy(db, name, other_db, other, breather);
      }
      break;
    case 24:
      if (draw.one_in(60)) {
        store.flush(db);
        store.touch_database(db);
      }
      break;
    case 25:
      if (draw.one_in(20)) store.swap(db, other_db);
      break;
    case 26:
      store.waiters().remove({1, draw.below(40), 1});
      if (const WaiterId id{1, draw.below(40), 1}; store.waiters().find(id) == nullptr) {
        store.waiters().add({id, db, 7, false, {name, other}, {"BLPOP", name, other, "0"}});
      }
      break;
    default:
      if (draw.one_in(30)) store.flush_all();
      if (draw.one_in(5)) store.set_setting("set-max-intset-entries", std::to_string(draw.below(600)));
  }
  store.touch(db, name);
}

void entry(Store& store, Draw& draw, std::uint64_t keys) {
  store.begin_entry(store.index() + 1, store.clock_ms() + draw.below(4));
  for (std::uint64_t i = draw.below(3) + 1; i > 0; --i) change(store, draw, keys);
}

std::unique_ptr<Store> restored_from(const std::vector<std::string>& pieces) {
  Restorer restorer;
  for (const std::string& piece : pieces) {
    const Status added = restorer.add(piece);
    if (!added) ADD_FAILURE() << added.error().message;
  }
  Result<std::unique_ptr<Store>> store = restorer.finish();
  if (!store) {
    ADD_FAILURE() << store.error().message;
    return nullptr;
  }
  return std::move(*store);
}

std::vector<std::string> snapshot_of(Store& store) {
  std::vector<std::string> pieces(1);
  store.begin_walk();
  while (store.walk(pieces.back())) pieces.emplace_back();
  return pieces;
}

TEST(Store, ASnapshotIsTheStateWhenItsWalkBeganAndGoesOnAlike) {
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Draw draw(seed);
    Store store({.databases = 3, .hash_seed = seed * 7919});
    const std::uint64_t keys = seed % 2 == 0 ? 40 : 1500;
    const std::uint64_t entries = 200 + draw.below(1500);
    for (std::uint64_t i = 0; i < entries; ++i) entry(store, draw, keys);
    const std::vector<std::string> pieces = snapshot_of(store);
    const std::vector<std::string> at_begin = visible(store);
    const std::string digest = digest_of(store);

    // A walk with changes, frees and expiries between its slices gives the same state.
    store.begin_walk();
    std::vector<std::string> during(1);
    bool more = true;
    Draw changes(seed + 1000);
    while (more) {
      for (std::uint64_t i = changes.below(30); i > 0; --i) entry(store, changes, keys);
      if (changes.one_in(3)) store.free_some(changes.below(400));
      if (changes.one_in(3)) store.expire_due(changes.below(20));
      during.emplace_back();
      more = store.walk(during.back());
    }
    const std::unique_ptr<Store> quiet = restored_from(pieces);
    const std::unique_ptr<Store> restored = restored_from(during);
    ASSERT_NE(quiet, nullptr);
    ASSERT_NE(restored, nullptr);
    EXPECT_TRUE(visible(*quiet) == at_begin);
    ASSERT_TRUE(visible(*restored) == at_begin);
    EXPECT_EQ(digest_of(*quiet), digest);
    ASSERT_EQ(digest_of(*restored), digest);
    EXPECT_EQ(restored->clock_ms(), quiet->clock_ms());
    EXPECT_EQ(restored->index(), quiet->index());
    EXPECT_EQ(restored->waiters().size(), quiet->waiters().size());
    EXPECT_EQ(restored->next_deadline(), quiet->next_deadline());
    EXPECT_EQ(restored->setting("set-max-intset-entries"), quiet->setting("set-max-intset-entries"));

    // Two nodes that were restored do the same from here on, also when one frees its expired keys and the other does
    // not.
    Draw left(seed + 5000);
    Draw right(seed + 5000);
    for (int i = 0; i < 300; ++i) {
      entry(*quiet, left, keys);
      entry(*restored, right, keys);
      if (i % 7 == 0) quiet->expire_due(100);
    }
    restored->expire_due(100000);
    quiet->expire_due(100000);
    EXPECT_EQ(digest_of(*quiet), digest_of(*restored));
  }
}

// A node that replayed the log and one that was restored half-way choose the same at random (pitfall G1).
TEST(Store, ARestoredNodeBehavesLikeOneThatReplayed) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    Draw draw(seed);
    Store replayed({.databases = 3, .hash_seed = seed});
    for (int i = 0; i < 700; ++i) entry(replayed, draw, 60);
    const std::unique_ptr<Store> restored = restored_from(snapshot_of(replayed));
    ASSERT_NE(restored, nullptr);
    Draw left(seed * 3);
    Draw right(seed * 3);
    for (int i = 0; i < 700; ++i) {
      entry(replayed, left, 60);
      entry(*restored, right, 60);
    }
    EXPECT_TRUE(visible(replayed) == visible(*restored));
    EXPECT_EQ(digest_of(replayed), digest_of(*restored));
  }
}

TEST(Store, AnAbandonedWalkLeavesNothingBehind) {
  Draw draw(3);
  Store store({.databases = 3, .hash_seed = 1});
  for (int i = 0; i < 1500; ++i) entry(store, draw, 300);
  for (int walk = 0; walk < 5; ++walk) {
    store.begin_walk();
    std::string piece;
    EXPECT_TRUE(store.walk(piece));
    for (int i = 0; i < 100; ++i) entry(store, draw, 300);
    if (walk % 2 == 0) store.end_walk();
  }
  const std::unique_ptr<Store> restored = restored_from(snapshot_of(store));
  ASSERT_NE(restored, nullptr);
  EXPECT_TRUE(visible(*restored) == visible(store));
}

// What is overwritten or flushed while a snapshot is taken is freed as soon as the walk has it, not at its end.
TEST(Store, AWalkKeepsOnlyWhatItStillNeeds) {
  Store store({.databases = 2, .hash_seed = 1});
  store.begin_entry(1, 1);
  const std::string page(20000, 'x');
  for (int i = 0; i < 50; ++i) store.set_string(1, "k" + std::to_string(i), page, 0);
  store.begin_walk();
  for (int i = 0; i < 1000; ++i) {
    store.set_string(0, "hot", page, 0);
    store.set_string(1, "k1", page, 0);
    store.free_some(1000);
  }
  EXPECT_LT(store.used_memory(), 60 * 21000u);
  for (int i = 0; i < 100; ++i) {
    store.set_string(0, "hot", page, 0);
    store.flush(0);
    store.free_some(1000);
  }
  store.flush(1);
  EXPECT_LT(store.used_memory(), 60 * 21000u);
  std::vector<std::string> pieces(1);
  while (store.walk(pieces.back())) pieces.emplace_back();
  for (int i = 0; i < 1000 && store.garbage() > 0; ++i) store.free_some(1000);
  EXPECT_EQ(store.garbage(), 0u);
  EXPECT_EQ(store.used_memory(), 0u);
  const std::unique_ptr<Store> restored = restored_from(pieces);
  ASSERT_NE(restored, nullptr);
  EXPECT_EQ(restored->counts(1).keys, 50u);
  EXPECT_EQ(restored->counts(0).keys, 0u);
}

// Each slice of a walk is bounded, whatever lies in the store (architecture, section 5).
TEST(Store, SlicesOfAWalkAreBounded) {
  Store store({.databases = 16, .hash_seed = 4});
  store.begin_entry(1, 1);
  for (int i = 0; i < 30000; ++i) store.set_string(0, "key:" + std::to_string(i), std::string(100, 'v'), 0);
  List& list = store.create_list(1, "list");
  for (int i = 0; i < 100000; ++i) list.push_back("element " + std::to_string(i));
  Set& set = store.create_set(2, "set");
  for (int i = 0; i < 50000; ++i) set.add("member " + std::to_string(i));
  store.set_string(3, "long", std::string(5 << 20, 'l'), 0);
  store.begin_walk();
  for (bool more = true; more;) {
    std::string piece;
    more = store.walk(piece);
    EXPECT_LE(piece.size(), Store::kWalkPiece);
    EXPECT_LE(store.walked_ahead(), Store::kWalkPiece);
  }
}

TEST(Store, ADamagedSnapshotIsAnError) {
  Draw draw(8);
  Store store({.databases = 3, .hash_seed = 1});
  for (int i = 0; i < 300; ++i) entry(store, draw, 60);
  std::string whole;
  for (const std::string& piece : snapshot_of(store)) whole += piece;
  for (int i = 0; i < 400; ++i) {
    std::string damaged = whole;
    if (draw.one_in(2)) {
      damaged.resize(draw.below(damaged.size()));
    } else {
      // Behind the table of changes, whose numbers may be any.
      damaged[damaged.size() - 1 - draw.below(damaged.size() - 20000)] ^= static_cast<char>(1 << draw.below(8));
    }
    Restorer restorer;
    if (!restorer.add(damaged)) continue;
    std::ignore = restorer.finish();  // any state or an error, no crash; checksums are the file's business
  }
  Restorer cut;
  ASSERT_TRUE(cut.add(std::string_view(whole).substr(0, whole.size() - 3)));
  EXPECT_FALSE(cut.finish());
}

// ---- Many keys

TEST(Store, ScanReturnsWhatStaysThroughAnything) {
  for (const std::string tag : {"", "{one tag}"}) {
    Draw draw(5);
    auto store = std::make_unique<Store>(Options{.databases = 1, .hash_seed = 77});
    store->begin_entry(1, 1);
    std::set<std::string> staying;
    for (int i = 0; i < 3000; ++i) {
      const std::string name = tag + std::to_string(draw.below(1000000));
      store->set_string(0, name, "v", 0);
      if (draw.one_in(3)) staying.insert(name);
    }
    std::set<std::string> seen;
    std::uint64_t cursor = 0;
    int calls = 0;
    do {
      cursor = store->scan(0, cursor, 10, [&](const Key& key) { seen.emplace(key.name()); });
      ++calls;
      for (int i = 0; i < 40; ++i) {
        const std::string name = tag + std::to_string(draw.below(1000000));
        if (calls < 100) {
          store->set_string(0, name, "v", 0);
        } else if (!staying.contains(name)) {
          store->remove(0, name);
        }
      }
      // In the middle another node takes over that was restored from a snapshot.
      if (calls == 60) store = restored_from(snapshot_of(*store));
      ASSERT_LT(calls, 100000);
    } while (cursor != 0);
    EXPECT_TRUE(std::ranges::includes(seen, staying));
  }
}

// Nobody outside can know which keys share a leaf; all nodes of a cluster do.
TEST(Store, TheFirstEntryWithASeedSeedsTheHashes) {
  const auto order = [](std::uint64_t seed, std::uint64_t later) {
    auto store = std::make_unique<Store>(Options{.databases = 1});
    store->begin_entry(1, 1);
    store->seed_hashes(seed);
    for (int i = 0; i < 200; ++i) store->set_string(0, "{tag}" + std::to_string(i), "v", 0);
    store = restored_from(snapshot_of(*store));
    store->begin_entry(2, 1);
    store->seed_hashes(later);
    EXPECT_TRUE(store->exists(0, "{tag}7"));
    return visible(*store);
  };
  EXPECT_TRUE(order(5, 6) == order(5, 7));
  EXPECT_FALSE(order(5, 6) == order(6, 6));
  EXPECT_TRUE(order(0, 6) == order(0, 7));
}

// Whatever names they are: absent, in a database that is not there, in a store without keys, too many.
TEST(Store, APrefetchHasNoEffectThatCanBeSeen) {
  Store store({.databases = 2, .hash_seed = 2});
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < 2 * Store::kPrefetchMax; ++i) texts.push_back("key:" + std::to_string(i));
  std::vector<Store::KeyName> names;
  for (const std::string& text : texts) names.push_back({static_cast<std::uint32_t>(names.size() % 3), text});
  names.front().db = ~0u;
  store.prefetch(names);
  store.prefetch({});
  store.begin_entry(1, 1000);
  for (std::size_t i = 0; i < texts.size(); i += 2) store.set_string(0, texts[i], "value", i % 4 == 0 ? 1500 : 0);
  store.begin_entry(2, 2000);
  const auto before = visible(store);
  const std::uint64_t keys = store.counts(0).keys;
  store.prefetch(names);
  EXPECT_TRUE(visible(store) == before);
  EXPECT_EQ(store.counts(0).keys, keys);  // not even those that have expired are freed
  EXPECT_EQ(store.read_hits() + store.read_misses(), 0u);
}

TEST(Store, LongLoopsBreathe) {
  Store store({.databases = 1, .hash_seed = 2});
  store.begin_entry(1, 1);
  for (int i = 0; i < 5000; ++i) store.set_string(0, std::to_string(i), "v", 0);
  NoBreath breather;
  std::size_t keys = 0;
  store.for_each_key(0, breather, [&](const Key&) { ++keys; });
  EXPECT_EQ(keys, 5000u);
  EXPECT_GE(breather.breaths, 10u);
}

// ---- WATCH and waiters

TEST(Store, WatchSeesEveryChangeAndSurvivesASnapshot) {
  Store store({.databases = 2, .hash_seed = 2});
  store.begin_entry(5, 1);
  store.touch(0, "a");
  EXPECT_FALSE(store.changed_since(0, "a", 5));
  EXPECT_TRUE(store.changed_since(0, "a", 4));
  EXPECT_FALSE(store.changed_since(1, "a", 4));
  store.begin_entry(6, 1);
  store.touch_database(1);
  EXPECT_TRUE(store.changed_since(1, "anything", 5));
  EXPECT_FALSE(store.changed_since(0, "a", 5));
  const std::unique_ptr<Store> restored = restored_from(snapshot_of(store));
  ASSERT_NE(restored, nullptr);
  EXPECT_TRUE(restored->changed_since(0, "a", 4));
  EXPECT_FALSE(restored->changed_since(0, "a", 5));
  EXPECT_TRUE(restored->changed_since(1, "anything", 5));
}

TEST(Waiters, AreServedInTheOrderInWhichTheyBeganToWait) {
  Waiters waiters;
  waiters.add({{2, 10, 1}, 0, 1, false, {"b", "a"}, {}});
  waiters.add({{1, 11, 1}, 0, 1, false, {"a", "a"}, {}});
  waiters.add({{3, 12, 1}, 1, 1, false, {"a"}, {}});
  std::uint64_t position = 0;
  EXPECT_EQ(waiters.next(0, "a", position)->id.node, 2u);
  EXPECT_EQ(waiters.next(0, "a", position)->id.node, 1u);
  EXPECT_EQ(waiters.next(0, "a", position), nullptr);
  waiters.mark_ready(0, "nobody");
  waiters.mark_ready(0, "a");
  waiters.mark_ready(0, "b");
  waiters.mark_ready(0, "a");
  std::uint32_t db = 9;
  std::string key;
  EXPECT_TRUE(waiters.take_ready(db, key));
  EXPECT_EQ(key, "a");
  EXPECT_TRUE(waiters.take_ready(db, key));
  EXPECT_EQ(key, "b");
  EXPECT_FALSE(waiters.take_ready(db, key));
  EXPECT_TRUE(waiters.remove({2, 10, 1}));
  EXPECT_FALSE(waiters.remove({2, 10, 1}));
  EXPECT_FALSE(waiters.waits_for(0, "b"));
  position = 0;
  EXPECT_EQ(waiters.next(0, "a", position)->id.node, 1u);

  // They are in the snapshot, in their order (pitfall E12).
  std::string bytes;
  waiters.encode(bytes);
  Waiters restored;
  std::string_view from = bytes;
  ASSERT_TRUE(restored.decode(from));
  std::string again;
  restored.encode(again);
  EXPECT_EQ(again, bytes);
  EXPECT_TRUE(restored.remove({1, 11, 1}));
  EXPECT_FALSE(restored.waits_for(0, "a"));
  EXPECT_TRUE(restored.waits_for(1, "a"));
}

}  // namespace
}  // namespace redraft::store
