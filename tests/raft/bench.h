#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "tests/raft/cluster.h"

namespace redraft::raft::testing {

// Node 1 of three, alone on a table: messages go in, the Output is looked at.
struct Bench {
  Config config;
  Restored restored;
  std::unique_ptr<Raft> raft;
  RaftInvariants invariants;
  Output out;

  explicit Bench(std::vector<Member> members = Cluster::voters(3), std::vector<Entry> log = {}, std::uint64_t term = 1,
                 std::uint64_t voted_for = 0, std::uint64_t commit = 1) {
    config.id = NodeId{1};
    config.incarnation = Incarnation{101};
    restored.hard_state = {Term{term}, NodeId{voted_for}};
    restored.commit_index = LogIndex{commit};
    restored.applied_index = LogIndex{commit};
    restored.entries.push_back(configuration_entry(LogIndex{1}, Term{1}, Configuration("test", std::move(members))));
    for (Entry& entry : log) restored.entries.push_back(std::move(entry));
  }
  void start() { raft = std::make_unique<Raft>(config, restored, 7); }
  Output& step(Input input) {
    if (raft == nullptr) start();
    out = Output{};
    raft->step(std::move(input), out);
    invariants.check(*raft, out);
    return out;
  }
  Output& receive(std::uint64_t from, Message message, std::uint64_t incarnation = 0) {
    return step(Receive{Envelope{NodeId{from}, NodeId{1}, GroupId{},
                                 Incarnation{incarnation != 0 ? incarnation : 100 + from}, std::move(message)}});
  }
  void persist() { step(Persisted{raft->last_ticket()}); }
  void tick(std::uint32_t times) {
    for (std::uint32_t i = 0; i < times; ++i) step(Tick{now_us += 10000});
  }
  std::uint64_t now_us = 0;
  // Through an election, to the point where the term-start entry is proposed.
  void lead() {
    step(Campaign{});
    receive(2, RequestVoteReply{Term{raft->term().value + 1}, true, true});
    persist();
    receive(2, RequestVoteReply{raft->term(), false, true});
    ASSERT_TRUE(out.became_leader);
    Propose start_of_term;
    start_of_term.type = EntryType::kTermStart;
    step(start_of_term);
  }
  void acknowledge(std::uint64_t from, std::uint64_t index) {
    AppendEntriesReply reply;
    reply.term = raft->term();
    reply.match_index = LogIndex{index};
    reply.round = raft->round();
    receive(from, reply);
  }
  template <class M>
  static const M* find(const std::vector<Envelope>& envelopes, std::uint64_t to = 0) {
    for (const Envelope& envelope : envelopes) {
      if (to != 0 && envelope.to.value != to) continue;
      if (const M* message = std::get_if<M>(&envelope.message)) return message;
    }
    return nullptr;
  }
  // Wherever it went, at once or as a promise.
  template <class M>
  const M* said(std::uint64_t to = 0) const {
    const M* message = find<M>(out.messages, to);
    return message != nullptr ? message : find<M>(out.promises, to);
  }
};

[[nodiscard]] AppendEntries append(std::uint64_t term, std::uint64_t prev, std::uint64_t prev_term,
                                   std::vector<Entry> entries = {}, std::uint64_t commit = 0);
[[nodiscard]] RequestVote vote_request(std::uint64_t term, std::uint64_t last, std::uint64_t last_term);

// One row for one sentence of the paper or the dissertation, of our own rules, or a pitfall. The tables are in the
// files beside this one, by sections.
struct Rule {
  const char* name;
  const char* sentence;
  std::function<void()> check;
};
void PrintTo(const Rule& rule, std::ostream* out);
[[nodiscard]] std::string rule_name(const ::testing::TestParamInfo<Rule>& info);

class Paper : public ::testing::TestWithParam<Rule> {};

}  // namespace redraft::raft::testing
