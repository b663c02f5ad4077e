// Whole groups under loss, repetition, reordering, partitions, crashes that lose what was not durable, slow disks and
// snapshots, from one seed each. Cluster checks paper figure 3 and linearizable reads (C2, C6, C7) all the way;
// RaftInvariants every step. Then everything is healed and progress is asked for.
#include <gtest/gtest.h>

#include <cstdlib>

#include "base/check.h"
#include "tests/raft/cluster.h"
#include "tests/raft/describe.h"

namespace redraft::raft::testing {
namespace {

struct Chaos {
  Cluster cluster;
  Random random;
  std::uint64_t commands = 0;
  std::uint64_t reads = 0;
  std::map<std::uint64_t, int> read_answers;
  bool changes_members = false;

  Chaos(Cluster::Options options, std::uint64_t seed) : cluster(std::move(options)), random(seed) {}

  std::uint64_t any() { return 1 + random.below(static_cast<std::uint32_t>(cluster.nodes().size())); }

  void collect_reads() {
    for (const auto& result : cluster.read_results) ++read_answers[result.id];
    cluster.read_results.clear();
  }

  // A step of the network: in order, out of order, twice or never.
  void move_message() {
    auto& network = cluster.network();
    if (network.empty()) return;
    const std::uint32_t choice = random.below(100);
    const std::size_t position = choice < 70 ? 0 : random.below(static_cast<std::uint32_t>(network.size()));
    if (choice < 5) {
      network.erase(network.begin() + static_cast<std::ptrdiff_t>(position));
    } else {
      if (choice > 94) network.push_back(network[position]);
      cluster.deliver(position);
    }
  }

  // The leader alone while the others elect another and commit; it does not know yet, and is asked to read (pitfalls
  // C4, C8).
  void depose_and_read() {
    const std::uint64_t old = cluster.leader();
    if (old == 0) return;
    cluster.heal();
    cluster.settle();
    if (cluster.node(old).raft == nullptr || !cluster.raft(old).is_leader()) return;
    cluster.isolate(old);
    for (int i = 0; i < 40; ++i) {
      cluster.now_us += cluster.us_per_tick;
      for (auto& [id, node] : cluster.nodes()) {
        if (node.raft != nullptr && id != old) cluster.tick(id);
      }
      cluster.settle();
      const std::uint64_t now_leads = cluster.leader();
      if (now_leads != 0 && now_leads != old) {
        cluster.propose(now_leads, "c" + std::to_string(++commands));
        cluster.settle();
        cluster.read(old, ++reads);
        cluster.settle();
        cluster.check_leases();
        break;
      }
    }
    cluster.heal();
  }

  // One to three changes at whoever believes to lead: also ones that make no sense, that take the quorum away from
  // everybody who is up to date, or that remove the leader (pitfalls D1-D3, D5, D9, D12). Removed nodes stay and go on
  // campaigning (A9).
  void change_members() {
    const std::uint64_t leader = cluster.leader();
    if (leader == 0) return;
    const Configuration& now = cluster.raft(leader).configuration();
    std::vector<MemberChange> changes(1 + random.below(3));
    std::uint64_t next = now.highest_id().value + 1;
    for (MemberChange& change : changes) {
      change.kind = static_cast<MemberChangeKind>(random.below(4));
      change.member.id = now.members()[random.below(static_cast<std::uint32_t>(now.members().size()))].id;
      if (change.kind == MemberChangeKind::kRemove && now.members().size() < 4)
        change.kind = MemberChangeKind::kPromote;
      if (change.kind != MemberChangeKind::kAdd || next > kNodesMax) continue;
      if (!cluster.nodes().contains(next)) cluster.spawn(next);
      change.member.id = NodeId{next++};
    }
    changed_members += cluster.change(leader, std::move(changes)).status == ProposalStatus::kAccepted ? 1 : 0;
  }
  static constexpr std::uint64_t kNodesMax = 9;
  std::uint64_t changed_members = 0;

  void one_event() {
    const std::uint64_t id = any();
    Node& node = cluster.node(id);
    const std::uint32_t choice = random.below(1000);
    if (node.raft == nullptr) {
      if (choice < 30) {
        cluster.restart(id);
        for (auto& [other, peer] : cluster.nodes()) {
          if (peer.raft == nullptr || other == id) continue;
          cluster.step(other, LinkRestored{NodeId{id}});
          cluster.step(id, LinkRestored{NodeId{other}});
        }
      }
    } else if (choice < 10) {
      crash(id);
    } else if (choice < 25) {
      if (random.below(2) == 0) {
        cluster.cut(id, any());
      } else {
        cluster.isolate(id);
      }
    } else if (choice < 40) {
      cluster.heal();
    } else if (choice < 250) {
      cluster.now_us += random.below(2) * cluster.us_per_tick / 2;
      cluster.tick(id);
    } else if (choice < 450) {
      cluster.persist(id, 1 + random.below(3));
    } else if (choice < 550) {
      const std::uint64_t target = random.below(4) != 0 && cluster.leader() != 0 ? cluster.leader() : id;
      cluster.propose(target, "c" + std::to_string(++commands));
    } else if (choice < 600) {
      cluster.read(id, ++reads);
    } else if (choice < 603) {
      cluster.step(id, TransferLeadership{NodeId{any()}});
    } else if (choice < 610) {
      cluster.take_snapshot(id);
    } else if (choice < 640) {
      cluster.finish_snapshot(id, random.below(3) != 0);
    } else if (choice < 645) {
      cluster.step(id, PeerUnreachable{NodeId{any()}});
    } else if (choice < 646) {
      depose_and_read();
    } else if (choice < 648) {
      cluster.step(id, LinkRefused{NodeId{any()}});  // may be wrong: safety must not rest on it
    } else if (changes_members && choice < 656) {
      change_members();
    } else if (choice < 660) {
      cluster.step(id, Spread{});
    } else {
      for (int i = 0; i < 4; ++i) move_message();
    }
    cluster.check_leases();
  }

  void crash(std::uint64_t id) {
    Node& node = cluster.node(id);
    const auto requests = random.below(static_cast<std::uint32_t>(node.pending.size()) + 1);
    cluster.crash(id, requests, random.below(3));
    for (auto& [other, peer] : cluster.nodes()) {
      if (peer.raft == nullptr || random.below(2) == 0) continue;
      cluster.step(other, PeerUnreachable{NodeId{id}});
      cluster.step(other, LinkRefused{NodeId{id}});
    }
  }

  std::string status() {
    std::string text;
    for (auto& [id, node] : cluster.nodes()) {
      const Raft& raft = *node.raft;
      text += "\n" + std::to_string(id) + " " + name(raft.role()) + " term " + std::to_string(raft.term().value) +
              " first " + std::to_string(raft.first_index().value) + " last " +
              std::to_string(raft.last_index().value) + " commit " + std::to_string(raft.commit_index().value) +
              " snapshot " + std::to_string(raft.snapshot_index().value) + " tickets " +
              std::to_string(raft.persisted_ticket().value) + "/" + std::to_string(raft.last_ticket().value) +
              " commands " + std::to_string(node.state.size()) + " configuration " +
              std::to_string(raft.configuration_index().value) + ":";
      for (const Member& member : raft.configuration().members()) {
        text += " " + std::to_string(member.id.value) + (member.voter ? "v" : "") + (member.outgoing_voter ? "o" : "");
      }
      for (const Progress& progress : raft.progress()) {
        text += "\n    " + std::to_string(progress.node.value) + " " + name(progress.state) + " match " +
                std::to_string(progress.match_index.value) + " next " + std::to_string(progress.next_index.value) +
                (progress.loading ? " loading" : "") + (progress.probe_sent ? " probing" : "") + " pending " +
                std::to_string(progress.pending_snapshot.index.value);
      }
    }
    return text;
  }

  void heal_and_expect_progress() {
    cluster.heal();
    for (auto& [id, node] : cluster.nodes()) {
      if (node.raft == nullptr) cluster.restart(id);
    }
    for (auto& [id, node] : cluster.nodes()) {
      for (auto& [other, peer] : cluster.nodes()) {
        if (other != id) cluster.step(id, LinkRestored{NodeId{other}});
      }
    }
    // What is still on its way (a TimeoutNow, a refused link) may depose one leader more.
    cluster.run_until([] { return false; }, 50);
    const bool led = cluster.run_until([this] {
      const std::uint64_t leader = cluster.leader();
      if (leader == 0) return false;
      const Raft& raft = cluster.raft(leader);
      return raft.has_committed_in_term() && raft.transfer_target().value == 0 && !raft.configuration().is_joint() &&
             raft.configuration_index() <= raft.commit_index() && raft.configuration().is_voter(NodeId{leader});
    });
    ASSERT_TRUE(led) << "no leader after everything was healed" << status();
    const std::uint64_t leader = cluster.leader();
    const Proposal proposal = cluster.propose(leader, "last");
    ASSERT_EQ(proposal.status, ProposalStatus::kAccepted);
    cluster.read(leader, ++reads);
    const std::uint64_t last_read = reads;
    const bool equal = cluster.run_until([&] {
      for (auto& [id, node] : cluster.nodes()) {
        if (!cluster.raft(leader).configuration().contains(NodeId{id})) continue;
        if (node.applied < proposal.index || node.state != cluster.node(leader).state) return false;
      }
      return true;
    });
    ASSERT_TRUE(equal) << "not everybody caught up" << status();
    collect_reads();
    EXPECT_EQ(read_answers[last_read], 1);
    for (const auto& [id, answers] : read_answers) EXPECT_EQ(answers, 1) << "read " << id << " answered twice";
  }
};

std::uint64_t changes_made = 0;

void run(std::uint64_t seed, std::uint64_t count, bool leases, bool changes_members = false) {
  SCOPED_TRACE("seed " + std::to_string(seed) + " nodes " + std::to_string(count) + (leases ? " leases" : ""));
  Cluster::Options options;
  options.members = Cluster::voters(count);
  if (count == 4) {  // three voters and a learner
    options.members.back().voter = false;
    options.members.back().learner = true;
  }
  options.seed = seed;
  options.config.catch_up_tail_entries = 5;
  options.config.catch_up_pin_entries_max = 30;
  options.config.log_limits = {2000, 20};
  options.config.inflight_entries_max = 8;
  options.config.inflight_bytes_max = 100;
  options.config.message_bytes_max = 20;
  options.config.message_entries_max = 4;
  options.config.uncommitted_bytes_max = 200;
  options.config.held_back_bytes_max = seed % 2 == 0 ? 0 : 40;
  options.config.held_back_spreads_max = 1 + static_cast<std::uint32_t>(seed / 2 % 3);
  if (leases) {
    options.config.lease_us = 80000;
    options.config.lease_longest_us = 100000;
    options.config.lease_drift_us = 1000;
  }
  Chaos chaos(std::move(options), seed * 77 + count);
  chaos.changes_members = changes_members;
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 2500; ++i) chaos.one_event();
    chaos.collect_reads();
    chaos.heal_and_expect_progress();
    if (::testing::Test::HasFatalFailure()) return;
  }
  changes_made += chaos.changed_members;
}

// REDRAFT_SEEDS and REDRAFT_SEED choose how many and where to begin; a failure prints its seed.
std::uint64_t from_environment(const char* variable, std::uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

class RaftChaos : public ::testing::TestWithParam<std::uint64_t> {};

TEST_P(RaftChaos, SafeThenLive) {
  const std::uint64_t first = from_environment("REDRAFT_SEED", 1);
  const std::uint64_t seeds = from_environment("REDRAFT_SEEDS", 12);
  for (std::uint64_t seed = first; seed < first + seeds; ++seed) {
    run(seed, GetParam(), seed % 3 == 0);
    if (HasFatalFailure()) return;
  }
}

TEST(RaftChaosMembers, SafeThenLive) {
  const std::uint64_t first = from_environment("REDRAFT_SEED", 1);
  const std::uint64_t seeds = from_environment("REDRAFT_SEEDS", 12);
  for (std::uint64_t seed = first; seed < first + seeds; ++seed) {
    run(seed, 1 + seed % 5, seed % 3 == 0, true);
    if (HasFatalFailure()) return;
  }
  EXPECT_GT(changes_made, seeds) << "the changes were refused";
}

INSTANTIATE_TEST_SUITE_P(Nodes, RaftChaos, ::testing::Values(1, 2, 3, 4, 5));

}  // namespace
}  // namespace redraft::raft::testing
