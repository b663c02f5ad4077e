// Streams against a map from ids to fields, the borders of nodes as Redis has them, and the lists of what is pending
// against a map.

#include "server/store/stream.h"

#include <gtest/gtest.h>

#include <iterator>
#include <map>
#include <string>
#include <vector>

#include "tests/store/draw.h"
#include "tests/store/stream_kit.h"

namespace redraft::store {
namespace {

NoBreather none;
using Model = std::map<StreamId, std::vector<std::string>>;
using Direction = Stream::Cursor::Direction;

std::vector<std::string> fields_of(Stream::Cursor& cursor) {
  std::vector<std::string> fields;
  for (const std::string_view field : cursor.fields()) fields.emplace_back(field);
  return fields;
}

void append(Stream& stream, StreamId id, const std::vector<std::string>& fields) {
  const std::vector<std::string_view> views(fields.begin(), fields.end());
  stream.append(id, views);
}

void fill(Stream& stream, std::uint64_t count, std::string_view value = "v") {
  for (std::uint64_t i = 1; i <= count; ++i) append(stream, {i, 0}, {"f", std::string(value)});
}

void compare(const Stream& stream, const Model& model, Draw& draw) {
  const StreamId from{draw.below(stream.last_id().ms + 2), draw.below(3)};
  const StreamId to{draw.below(stream.last_id().ms + 2), draw.below(3)};
  Stream::Cursor forward(stream, from, to);
  for (auto at = model.lower_bound(from); from <= to && at != model.end() && at->first <= to; ++at) {
    ASSERT_TRUE(forward.next());
    ASSERT_TRUE(forward.id() == at->first);
    ASSERT_EQ(fields_of(forward), at->second);
  }
  ASSERT_FALSE(forward.next());
  Stream::Cursor backward(stream, from, to, Direction::kBackward);
  for (auto at = std::make_reverse_iterator(model.upper_bound(to));
       from <= to && at != model.rend() && at->first >= from; ++at) {
    ASSERT_TRUE(backward.next());
    ASSERT_TRUE(backward.id() == at->first);
    ASSERT_EQ(fields_of(backward), at->second);
  }
  ASSERT_FALSE(backward.next());
  ASSERT_TRUE(stream.first_entry() == (model.empty() ? StreamId{} : model.begin()->first));
  ASSERT_TRUE(stream.last_entry() == (model.empty() ? StreamId{} : model.rbegin()->first));
}

TEST(Stream, AgreesWithAMap) {
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    Draw draw(seed);
    Shared shared;
    shared.stream_node_max_entries = seed % 3 == 0 ? 5 : 100;
    {
      Stream stream(shared);
      Model model;
      for (int i = 0; i < 5000; ++i) {
        const StreamId some{draw.below(stream.last_id().ms + 1), draw.below(3)};
        switch (draw.below(i / 1000 % 2 == 0 ? 5 : 8)) {
          case 0:
          case 1:
          case 2:
          case 3: {
            StreamId id = stream.last_id();
            if (draw.one_in(2)) id = {id.ms + draw.below(4), id.seq + 1};
            if (id == stream.last_id()) id.increment();
            std::vector<std::string> fields;
            for (std::uint64_t left = 1 + draw.below(3); left > 0; --left) {
              fields.push_back("name" + std::to_string(draw.one_in(4) ? draw.below(9) : left));
              fields.push_back(std::string(draw.one_in(30) ? draw.below(5000) : draw.below(20), 'v'));
            }
            append(stream, id, fields);
            model[id] = fields;
            break;
          }
          case 4:
          case 5: {
            const auto near = model.lower_bound(some);
            const StreamId id = near == model.end() || draw.one_in(5) ? some : near->first;
            ASSERT_EQ(stream.contains(id), model.contains(id));
            ASSERT_EQ(stream.erase(id), model.erase(id) == 1);
            break;
          }
          case 6: {
            const std::uint64_t length = model.size() - std::min<std::uint64_t>(model.size(), draw.below(60));
            ASSERT_EQ(stream.trim({.length = length}, none), model.size() - length);
            while (model.size() > length) model.erase(model.begin());
            break;
          }
          default: {
            const StreamId id{stream.first_entry().ms + draw.below(40), draw.below(3)};
            std::uint64_t below = 0;
            for (; !model.empty() && model.begin()->first < id; ++below) model.erase(model.begin());
            ASSERT_EQ(stream.trim({.by = StreamTrim::By::kId, .id = id}, none), below);
          }
        }
        ASSERT_EQ(stream.size(), model.size());
        if (draw.one_in(20)) compare(stream, model, draw);
        if (HasFatalFailure()) return;
      }
    }
    EXPECT_EQ(shared.memory, 0);
  }
}

// Recorded from redis-server 7.0.15 by XINFO STREAM's radix-tree-keys and XTRIM's answers.
TEST(Stream, NodesBeginAndEndWhereRedissDo) {
  Shared shared;
  Stream entries(shared);
  fill(entries, 250);
  EXPECT_EQ(entries.node_count(), 3u);  // stream-node-max-entries 100
  EXPECT_EQ(entries.trim({.length = 151, .whole_nodes = true}, none), 0u);
  EXPECT_EQ(entries.trim({.length = 150, .whole_nodes = true}, none), 100u);
  EXPECT_EQ(entries.trim({.by = StreamTrim::By::kId, .id = {200, 0}, .whole_nodes = true}, none), 0u);
  EXPECT_EQ(entries.trim({.by = StreamTrim::By::kId, .id = {201, 0}, .whole_nodes = true}, none), 100u);

  // What is deleted counts for the border, and a node without entries goes.
  Stream deleted(shared);
  fill(deleted, 99);
  for (std::uint64_t i = 1; i <= 98; ++i) EXPECT_TRUE(deleted.erase({i, 0}));
  append(deleted, {100, 0}, {"f", "v"});
  EXPECT_EQ(deleted.node_count(), 1u);
  append(deleted, {101, 0}, {"f", "v"});
  EXPECT_EQ(deleted.node_count(), 2u);
  EXPECT_TRUE(deleted.erase({99, 0}));
  EXPECT_EQ(deleted.node_count(), 2u);
  EXPECT_TRUE(deleted.erase({100, 0}));
  EXPECT_EQ(deleted.node_count(), 1u);

  // LIMIT counts entries, and only whole nodes go.
  Stream limited(shared);
  fill(limited, 300);
  EXPECT_EQ(limited.trim({.length = 0, .whole_nodes = true, .limit = 99}, none), 0u);
  EXPECT_EQ(limited.trim({.length = 0, .whole_nodes = true, .limit = 250}, none), 200u);
}

TEST(Stream, KnowsItsIdsAfterDeletions) {
  Shared shared;
  Stream stream(shared);
  fill(stream, 3);
  EXPECT_TRUE(stream.erase({2, 0}));
  EXPECT_FALSE(stream.erase({2, 0}));
  EXPECT_TRUE(stream.max_deleted_id() == (StreamId{2, 0}));
  EXPECT_TRUE(stream.erase({1, 0}));
  EXPECT_TRUE(stream.first_entry() == (StreamId{3, 0}));
  EXPECT_TRUE(stream.erase({3, 0}));
  EXPECT_TRUE(stream.first_entry().is_zero());
  EXPECT_TRUE(stream.last_id() == (StreamId{3, 0}));
  EXPECT_EQ(stream.entries_added(), 3u);
  EXPECT_EQ(stream.size(), 0u);
}

TEST(StreamId, CountsInBothDirections) {
  StreamId id{5, ~std::uint64_t{0}};
  EXPECT_TRUE(id.increment());
  EXPECT_TRUE(id == (StreamId{6, 0}));
  EXPECT_TRUE(id.decrement());
  EXPECT_TRUE(id == (StreamId{5, ~std::uint64_t{0}}));
  StreamId zero;
  EXPECT_FALSE(zero.decrement());
  StreamId last = kStreamIdMax;
  EXPECT_FALSE(last.increment());
}

TEST(ConsumerGroup, AgreesWithAMap) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    Draw draw(seed);
    Shared shared;
    Stream stream(shared);
    ConsumerGroup& group = stream.create_group("g", {}, 0);
    std::vector<Consumer*> consumers;
    for (int i = 0; i < 3; ++i) consumers.push_back(&group.create_consumer("c" + std::to_string(i), 1));
    std::map<StreamId, Consumer*> model;
    StreamId next{1, 0};
    for (int i = 0; i < 20000; ++i) {
      const bool grows = i / 4000 % 2 == 0;
      if (draw.one_in(grows ? 3 : 2)) {
        const auto some = model.lower_bound({draw.below(next.ms), 0});
        const StreamId id = some == model.end() ? next : draw.one_in(2) ? model.begin()->first : some->first;
        ASSERT_EQ(group.acknowledge(id), model.erase(id) == 1);
      } else {
        Consumer* const consumer = consumers[draw.below(3)];
        const StreamId id = draw.one_in(4) ? StreamId{draw.below(next.ms), 0} : next;
        if (id == next) ++next.ms;
        group.deliver(id, *consumer, 5, 1);
        model[id] = consumer;
      }
      ASSERT_EQ(group.pending().size(), model.size());
    }
    std::map<StreamId, Consumer*> found;
    group.pending().for_each(
        {}, [&](const Delivery& delivery) { return found.emplace(delivery.id, delivery.consumer).second; });
    EXPECT_TRUE(found == model);
    std::size_t owned = 0;
    for (Consumer* consumer : consumers) {
      owned += consumer->owned.size();
      consumer->owned.for_each({}, [&](const Consumer::Owned& one) {
        EXPECT_EQ(model[one.id], consumer);
        return true;
      });
    }
    EXPECT_EQ(owned, model.size());
    const std::uint64_t first = consumers[0]->owned.size();
    EXPECT_EQ(group.remove_consumer(*consumers[0], none), first);
    EXPECT_EQ(group.pending().size(), model.size() - first);
  }
}

// A snapshot's bytes may come from a peer: any damage is an error, never a crash.
TEST(Stream, RefusesDamagedBytes) {
  Shared shared;
  Stream stream(shared);
  Draw draw(7);
  for (int i = 0; i < 300; ++i) change(stream, draw);
  std::string whole;
  stream.encode(whole);
  for (std::size_t at = 0; at < whole.size(); at += 1 + whole.size() / 2000) {
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ (1 << draw.below(8)));
    Stream other(shared);
    if (other.decode(damaged)) std::ignore = contents(other);
    Stream cut(shared);
    EXPECT_FALSE(cut.decode(whole.substr(0, at)));
  }
  Stream same(shared);
  ASSERT_TRUE(same.decode(whole));
  EXPECT_TRUE(contents(same) == contents(stream));
}

}  // namespace
}  // namespace redraft::store
