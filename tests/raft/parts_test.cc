// The parts against models that are obviously right: log, majorities, pipeline, configurations, bytes.
#include <gtest/gtest.h>

#include <algorithm>

#include "base/crc32c.h"
#include "raft/handshake.h"
#include "raft/log.h"
#include "raft/progress.h"
#include "raft/quorum.h"
#include "raft/random.h"
#include "raft/stored.h"
#include "raft/wire.h"
#include "tests/raft/cluster.h"

namespace redraft::raft::testing {
namespace {

// --- majorities ---

// Counts for every value how many reach it.
std::uint64_t naive_majority(const std::vector<std::uint64_t>& values) {
  std::uint64_t best = 0;
  for (const std::uint64_t candidate : values) {
    const auto reach =
        std::count_if(values.begin(), values.end(), [candidate](std::uint64_t v) { return v >= candidate; });
    if (static_cast<std::size_t>(reach) * 2 > values.size()) best = std::max(best, candidate);
  }
  return best;
}

TEST(Quorum, AgainstNaiveModel) {
  Random random(1);
  for (int round = 0; round < 20000; ++round) {
    std::vector<Member> members;
    std::map<std::uint64_t, std::uint64_t> value;
    std::vector<std::uint64_t> incoming;
    std::vector<std::uint64_t> outgoing;
    const std::uint32_t count = 1 + random.below(9);
    for (std::uint64_t id = 1; id <= count; ++id) {
      Member member;
      member.id = NodeId{id};
      member.voter = random.below(3) != 0;
      member.outgoing_voter = round % 2 == 0 && random.below(2) == 0;
      member.learner = !member.voter && !member.outgoing_voter;
      value[id] = random.below(6);
      if (member.voter) incoming.push_back(value[id]);
      if (member.outgoing_voter) outgoing.push_back(value[id]);
      members.push_back(member);
    }
    const Configuration configuration("c", members);
    std::uint64_t expected = 0;
    if (!incoming.empty() && !outgoing.empty()) {
      expected = std::min(naive_majority(incoming), naive_majority(outgoing));  // thesis 4.3
    } else if (!incoming.empty() || !outgoing.empty()) {
      expected = naive_majority(incoming.empty() ? outgoing : incoming);
    }
    const std::uint64_t reached = quorum_value(configuration, [&value](NodeId id) { return value.at(id.value); });
    ASSERT_EQ(reached, expected) << "round " << round;
    const bool quorum = is_quorum(configuration, [&value](NodeId id) { return value.at(id.value) >= 3; });
    ASSERT_EQ(quorum, expected >= 3) << "round " << round;
  }
}

// Any two quorums of one configuration share a voter, and a joint one's with either side's (thesis 4.3).
TEST(Quorum, AnyTwoIntersect) {
  for (std::uint32_t voters = 1; voters < 128; ++voters) {
    const std::uint32_t old_voters = (voters * 37) % 128;
    std::vector<Member> members;
    for (std::uint64_t id = 0; id < 7; ++id) {
      Member member;
      member.id = NodeId{id + 1};
      member.voter = (voters >> id & 1U) != 0;
      member.outgoing_voter = (old_voters >> id & 1U) != 0;
      members.push_back(member);
    }
    const Configuration configuration("c", members);
    std::vector<std::uint32_t> quorums;
    for (std::uint32_t set = 0; set < 128; ++set) {
      if (is_quorum(configuration, [set](NodeId id) { return (set >> (id.value - 1) & 1U) != 0; }))
        quorums.push_back(set);
    }
    ASSERT_FALSE(quorums.empty());
    for (const std::uint32_t a : quorums) {
      for (const std::uint32_t b : quorums) {
        ASSERT_NE(a & b & voters, 0U);
        if (old_voters != 0) {
          ASSERT_NE(a & b & old_voters, 0U);
        }
      }
    }
  }
}

TEST(Quorum, NobodyIsNoQuorum) {
  EXPECT_FALSE(is_quorum(Configuration(), [](NodeId) { return true; }));
  EXPECT_EQ(quorum_value(Configuration(), [](NodeId) { return std::uint64_t{7}; }), 0U);
}

// --- the log ---

struct ModelLog {
  std::uint64_t compacted = 0;
  std::uint64_t compacted_term = 0;
  std::vector<std::uint64_t> terms;  // of compacted + 1 ...
  [[nodiscard]] std::uint64_t last() const { return compacted + terms.size(); }
  [[nodiscard]] std::optional<std::uint64_t> term(std::uint64_t index) const {
    if (index == compacted) return compacted_term;
    if (index < compacted || index > last()) return std::nullopt;
    return terms[index - compacted - 1];
  }
};

TEST(LogProperty, AgainstNaiveModel) {
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    Random random(seed);
    Log log({50, 10, 20});
    ModelLog model;
    std::uint64_t applied = 0;
    std::uint64_t term = 1;
    for (int step = 0; step < 200; ++step) {
      const std::uint32_t choice = random.below(20);
      if (choice < 10) {
        term += random.below(4) == 0 ? random.below(3) : 0;
        const std::string text(random.below(12), 'x');
        log.append(command_entry(model.last() + 1, term, text));
        model.terms.push_back(term);
      } else if (choice < 12 && model.last() > applied) {
        const std::uint64_t from = applied + 1 + random.below(static_cast<std::uint32_t>(model.last() - applied));
        log.truncate_from(LogIndex{from});
        model.terms.resize(from - model.compacted - 1);
        ++term;
      } else if (choice < 15 && model.last() > applied) {
        applied += 1 + random.below(static_cast<std::uint32_t>(model.last() - applied));
        log.shrink_cache(LogIndex{applied}, LogIndex{random.below(static_cast<std::uint32_t>(applied) + 1)});
      } else if (choice < 17 && applied > model.compacted) {
        const std::uint64_t to =
            model.compacted + 1 + random.below(static_cast<std::uint32_t>(applied - model.compacted));
        model.compacted_term = *model.term(to);
        model.terms.erase(model.terms.begin(), model.terms.begin() + static_cast<std::ptrdiff_t>(to - model.compacted));
        model.compacted = to;
        log.compact_to(LogIndex{to});
      } else if (choice == 17 && random.below(10) == 0) {
        model.compacted = model.last() + random.below(5);
        model.compacted_term = term;
        model.terms.clear();
        applied = model.compacted;
        log.reset(LogIndex{model.compacted}, Term{term});
      }
      ASSERT_EQ(log.last_index().value, model.last());
      ASSERT_EQ(log.first_index().value, model.compacted + 1);
      ASSERT_EQ(log.last_term().value, model.term(model.last()));  // pitfall A5
      ASSERT_LE(log.first_cached_index().value, applied + 1);
      std::size_t bytes = 0;
      for (std::uint64_t i = model.compacted > 2 ? model.compacted - 2 : 0; i < model.last() + 3; ++i) {
        const auto expected = model.term(i);
        ASSERT_EQ(log.term_of(LogIndex{i}).has_value(), expected.has_value()) << i;  // pitfall B5
        if (expected.has_value()) {
          ASSERT_EQ(log.term_of(LogIndex{i})->value, *expected);
        }
        if (const Entry* entry = log.find(LogIndex{i}); entry != nullptr) {
          ASSERT_EQ(entry->index.value, i);
          ASSERT_EQ(entry->term.value, *expected);
          bytes += entry->payload.size();
        } else {
          ASSERT_TRUE(i <= applied || i > model.last());
        }
        for (std::uint64_t bound = 0; bound <= term; ++bound) {
          const std::uint64_t found = log.last_index_not_newer_than(LogIndex{i}, Term{bound}).value;
          ASSERT_LE(found, i);
          std::uint64_t best = std::min(i, model.last());
          while (best >= model.compacted && model.term(best).has_value() && *model.term(best) > bound && best > 0)
            --best;
          ASSERT_EQ(found, best);
        }
      }
      ASSERT_EQ(bytes, log.cached_bytes());
    }
  }
}

// What every node has is kept up to a smaller limit than what one lacks.
TEST(LogCache, LetsGoOfWhatNobodyLacks) {
  Log log({.cached_bytes_max = 50, .cached_entries_max = 100, .known_bytes_max = 20});
  for (std::uint64_t index = 1; index <= 10; ++index) log.append(command_entry(index, 1, std::string(10, 'x')));
  log.shrink_cache(LogIndex{8}, LogIndex{0});
  EXPECT_EQ(log.first_cached_index(), LogIndex{6});
  log.shrink_cache(LogIndex{8}, LogIndex{6});
  EXPECT_EQ(log.first_cached_index(), LogIndex{7});
  log.shrink_cache(LogIndex{8}, LogIndex{8});
  EXPECT_EQ(log.first_cached_index(), LogIndex{9});
  log.shrink_cache(LogIndex{10}, LogIndex{10});
  EXPECT_EQ(log.cached_bytes(), 20U);
}

// --- pipeline, configurations ---

TEST(InflightProperty, BytesAreTheSumOfWhatIsThere) {
  Random random(3);
  Inflight inflight;
  std::deque<std::pair<std::uint64_t, std::uint64_t>> model;
  std::uint64_t last = 0;
  for (int i = 0; i < 20000; ++i) {
    if (random.below(2) == 0) {
      last += 1 + random.below(5);
      const std::uint64_t bytes = random.below(1000);
      inflight.add(LogIndex{last}, bytes);
      model.emplace_back(last, bytes);
    } else if (last > 0) {
      const std::uint64_t to = random.below(static_cast<std::uint32_t>(last + 1));
      inflight.free_to(LogIndex{to});
      while (!model.empty() && model.front().first <= to) model.pop_front();
    }
    std::uint64_t sum = 0;
    for (const auto& [index, bytes] : model) sum += bytes;
    ASSERT_EQ(inflight.bytes(), sum);
    ASSERT_EQ(inflight.count(), model.size());
    if (random.below(500) == 0) {
      inflight.clear();
      model.clear();
    }
  }
}

TEST(ConfigurationHistory, RollsBackAndCompacts) {  // pitfalls D5, D6
  ConfigurationHistory history;
  history.reset(LogIndex{3}, Configuration("c", Cluster::voters(3)));
  history.append(LogIndex{5}, Configuration("c", Cluster::voters(4)));
  history.append(LogIndex{9}, Configuration("c", Cluster::voters(5)));
  EXPECT_FALSE(history.truncate_from(LogIndex{10}));
  EXPECT_TRUE(history.truncate_from(LogIndex{9}));
  EXPECT_EQ(history.newest().members().size(), 4U);
  history.append(LogIndex{7}, Configuration("c", Cluster::voters(5)));
  EXPECT_EQ(history.at(LogIndex{6}).members().size(), 4U);
  history.compact_to(LogIndex{6});
  EXPECT_EQ(history.at(LogIndex{6}).members().size(), 4U);
  EXPECT_EQ(history.newest().members().size(), 5U);
}

// --- bytes ---

Configuration joint_configuration() {
  auto members = Cluster::voters(4);
  members[3].voter = false;
  members[3].learner = true;
  members[2].outgoing_voter = true;
  members[0].incarnation = Incarnation{~std::uint64_t{0}};
  return Configuration(std::string("id\0with zero", 12), members);
}

std::vector<Envelope> samples() {
  AppendEntries append;
  append.term = Term{7};
  append.prev_log_index = LogIndex{41};
  append.prev_log_term = Term{5};
  append.commit_index = LogIndex{40};
  append.round = 9;
  append.sent_at_us = 123;
  append.lease_us = 456;
  append.entries = {command_entry(42, 5, "first"), command_entry(43, 6, ""),
                    configuration_entry(LogIndex{44}, Term{7}, joint_configuration())};
  append.entries[1].type = EntryType::kTermStart;
  AppendEntriesReply reply{Term{7}, 9, 123, true, false, LogIndex{1}, LogIndex{2}, LogIndex{3}, Term{4}};
  std::vector<Message> messages = {
      append,
      AppendEntries{},
      reply,
      RoundReply{Term{1}, 2, 3},
      RequestVote{Term{1}, LogIndex{2}, Term{1}, true, true, true},
      RequestVoteReply{Term{1}, true, true},
      InstallSnapshot{Term{9}, {LogIndex{8}, Term{7}, joint_configuration()}},
      InstallSnapshotReply{Term{9}, true, true, LogIndex{8}, LogIndex{7}},
      TimeoutNow{Term{3}},
      ReadIndexRequest{Term{3}, ReadId{4}},
      ReadIndexReply{Term{3}, ReadId{4}, true, LogIndex{5}},
  };
  std::vector<Envelope> envelopes;
  for (Message& message : messages) {
    envelopes.push_back({NodeId{1}, NodeId{2}, GroupId{3}, Incarnation{4}, std::move(message)});
  }
  return envelopes;
}

SharedBytes gather(const WireFrame& frame) {
  std::string bytes;
  for (const SharedBytes& payload : frame.payloads) bytes += payload.view();
  return SharedBytes::copy_of(bytes);
}

TEST(Wire, RoundTrip) {
  for (const Envelope& envelope : samples()) {
    WireFrame frame;
    encode(envelope, frame);
    const SharedBytes payload = gather(frame);
    EXPECT_EQ(payload.size(), frame.payload_size);
    Result<Envelope> decoded = decode(frame.header, payload);
    ASSERT_TRUE(decoded.ok()) << decoded.error().message;
    EXPECT_EQ(decoded->from, envelope.from);
    EXPECT_EQ(decoded->to, envelope.to);
    EXPECT_EQ(decoded->group, envelope.group);
    EXPECT_EQ(decoded->incarnation, envelope.incarnation);
    WireFrame again;
    encode(*decoded, again);
    EXPECT_EQ(again.header, frame.header);
    EXPECT_EQ(gather(again).view(), payload.view());
    if (const auto* append = std::get_if<AppendEntries>(&decoded->message);
        append != nullptr && !append->entries.empty()) {
      EXPECT_EQ(append->entries[0].index, LogIndex{42});
      EXPECT_EQ(append->entries[0].payload.data(), payload.data());  // a slice, not a copy
    }
  }
}

TEST(Wire, RefusesDamage) {
  const Envelope envelope = samples()[0];
  WireFrame frame;
  encode(envelope, frame);
  const SharedBytes payload = gather(frame);
  std::string flipped(payload.view());
  for (std::size_t i = 0; i < flipped.size(); ++i) {
    flipped[i] = static_cast<char>(flipped[i] ^ 1);
    const auto decoded = decode(frame.header, SharedBytes::copy_of(flipped));
    ASSERT_FALSE(decoded.ok());
    EXPECT_EQ(decoded.error().code, ErrorCode::kCorrupt);
    flipped[i] = static_cast<char>(flipped[i] ^ 1);
  }
  EXPECT_FALSE(decode(frame.header, payload.slice(0, payload.size() - 1)).ok());
  EXPECT_FALSE(decode(frame.header, SharedBytes::copy_of(std::string(payload.view()) + "x")).ok());
  EXPECT_FALSE(decode(std::string(kHeaderSizeMax + 1, 'x'), SharedBytes()).ok());
  EXPECT_FALSE(decode(frame.header, SharedBytes::copy_of(std::string(kPayloadSizeMax + 1, 'x'))).ok());
  EXPECT_FALSE(decode("", SharedBytes()).ok());
}

TEST(Wire, RefusesTheLater) {  // pitfall I4
  AppendEntries append;
  append.term = Term{1};
  append.entries = {command_entry(1, 1, "x")};
  append.entries[0].type = static_cast<EntryType>(99);
  WireFrame frame;
  encode({NodeId{1}, NodeId{2}, GroupId{}, Incarnation{}, append}, frame);
  const auto decoded = decode(frame.header, gather(frame));
  ASSERT_FALSE(decoded.ok());
  EXPECT_EQ(decoded.error().code, ErrorCode::kUnsupported);
}

TEST(Wire, RefusesImpossibleTerms) {  // the core relies on it
  AppendEntries append;
  append.term = Term{3};
  append.prev_log_term = Term{2};
  append.entries = {command_entry(1, 1, "x")};
  WireFrame frame;
  encode({NodeId{1}, NodeId{2}, GroupId{}, Incarnation{}, append}, frame);
  EXPECT_FALSE(decode(frame.header, gather(frame)).ok());
  append.entries = {command_entry(1, 4, "x")};
  encode({NodeId{1}, NodeId{2}, GroupId{}, Incarnation{}, append}, frame);
  EXPECT_FALSE(decode(frame.header, gather(frame)).ok());
}

TEST(Stored, RoundTrip) {
  const HardState hard_state{Term{5}, NodeId{3}};
  EXPECT_EQ(*decode_hard_state(encode_hard_state(hard_state)), hard_state);
  EXPECT_EQ(*decode_hard_state(encode_hard_state({})), HardState{});
  const Configuration configuration = joint_configuration();
  EXPECT_EQ(*decode_configuration(encode_configuration(configuration)), configuration);
  EXPECT_TRUE(configuration.is_joint());
  const SnapshotMetadata snapshot{LogIndex{9}, Term{8}, configuration};
  EXPECT_EQ(*decode_snapshot_metadata(encode_snapshot_metadata(snapshot)), snapshot);
  EXPECT_EQ(*decode_snapshot_metadata(encode_snapshot_metadata({})), SnapshotMetadata{});
  EXPECT_FALSE(decode_configuration("\xff\xff\xff").ok());

  char bytes[kEntryHeaderSize];
  encode_entry_header({LogIndex{0x0102030405060708}, Term{9}, EntryType::kTermStart, 0xdeadbeef, LogIndex{7}}, bytes);
  const auto header = decode_entry_header({bytes, sizeof(bytes)});
  ASSERT_TRUE(header.ok());
  EXPECT_EQ(header->index, LogIndex{0x0102030405060708});
  EXPECT_EQ(header->term, Term{9});
  EXPECT_EQ(header->type, EntryType::kTermStart);
  EXPECT_EQ(header->payload_crc, 0xdeadbeef);
  EXPECT_EQ(header->commit_index, LogIndex{7});
  EXPECT_FALSE(decode_entry_header({bytes, kEntryHeaderSize - 1}).ok());
}

TEST(HandshakeBytes, RoundTripAndLimits) {
  Handshake handshake;
  handshake.protocol = {1, 3};
  handshake.features = {2, 2};
  handshake.cluster_id = "cluster";
  handshake.group = GroupId{1};
  handshake.node = NodeId{2};
  handshake.expected_peer = NodeId{3};
  handshake.incarnation = Incarnation{4};
  handshake.boot = 5;
  handshake.address = "host:1@2";
  handshake.nonce = std::string(32, '\0');
  handshake.proof = std::string(32, '\xff');
  EXPECT_EQ(*decode_handshake(encode_handshake(handshake)), handshake);
  handshake.protocol = {3, 1};
  EXPECT_FALSE(decode_handshake(encode_handshake(handshake)).ok());
  EXPECT_FALSE(decode_handshake("garbage").ok());
  EXPECT_FALSE(decode_handshake(std::string(kHandshakeSizeMax + 1, 'x')).ok());
}

}  // namespace
}  // namespace redraft::raft::testing
