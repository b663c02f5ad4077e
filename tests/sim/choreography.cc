#include <algorithm>

#include "raft/raft.h"
#include "server/store/store.h"
#include "tests/sim/world.h"

// Faults in a certain order: stories that faults at random moments hardly ever tell.

namespace redraft::sim {
namespace {

constexpr std::uint64_t kMillisecond_us = 1000;

}  // namespace

// ---- Figure 8 of the paper

// Who is in different groups does not hear each other, until the next call; no groups: everybody does.
void World::divide(const std::vector<std::vector<std::uint64_t>>& groups) {
  for (const auto& [a, b] : std::exchange(figure_.cuts, {})) network_.heal(a, b);
  for (const auto& group : groups) {
    for (const auto& other : groups) {
      if (&group == &other) continue;
      for (const std::uint64_t a : group) {
        for (const std::uint64_t b : other) figure_.cuts.emplace_back(a, b);
      }
    }
  }
  for (const auto& [a, b] : figure_.cuts) network_.cut(a, b);
}

// A leader with one follower goes on alone, so that two of five have its last entries; the other three elect another.
void World::figure_eight() {
  Node* leads = leader();
  const bool all = std::ranges::all_of(nodes_, [](const auto& node) { return node->up() && !node->paused(); });
  if (leads == nullptr || !all || nodes_.size() != 5 || figure_.stage != Figure::Stage::kNone) return;
  figure_.stage = Figure::Stage::kTwoLeaders;
  figure_.old_pair = random_.chance(1, 2);
  figure_.term = leads->replica().raft()->term().value;
  figure_.order = {leads->id()};
  for (std::uint64_t i = 1; i < 5; ++i) figure_.order.push_back(1 + (leads->id() - 1 + i) % 5);
  const auto& order = figure_.order;
  divide({{order[0], order[1]}, {order[2], order[3], order[4]}});
  if (figure_.old_pair && !operator_->busy()) {
    // Entries of which no message holds two: who lacks them gets the first one before any of a newer term.
    const std::string large(700'000, 'f');
    operator_->aim_at(leads->id());
    operator_->run({{"SET", "figure:1", large}, {"SET", "figure:2", large}},
                   {.patience_us = 2'000'000, .follow = false}, [](const std::vector<Answer>&) {});
  }
  const std::uint64_t turn = ++figure_.turn;
  schedule_.after(random_.between(12, 20) * plan_.election_timeout_ms * kMillisecond_us, [this, turn] {
    if (turn != figure_.turn) return;
    divide({});
    figure_.stage = Figure::Stage::kNone;
  });
}

void World::figure_elected(Node& node) {
  const std::uint64_t term = node.replica().raft()->term().value;
  if (figure_.stage == Figure::Stage::kNone || !faults_on_ || term <= figure_.term) return;
  auto& order = figure_.order;
  const std::uint64_t a = order[0];
  const std::uint64_t b = order[1];
  if (figure_.stage == Figure::Stage::kTwoLeaders) {
    const auto third = std::ranges::find(order, node.id());
    if (third < order.begin() + 2) return;
    std::iter_swap(order.begin() + 2, third);
    figure_.term = term;
    if (figure_.old_pair) {
      // Its first entry stays its own, and the old pair comes back with a third.
      figure_.stage = Figure::Stage::kOldPair;
      divide({{order[2]}, {a, b, order[3]}, {order[4]}});
    } else {
      // Its first entry overwrites the old leader's and nobody else's, and whom the old one fed leads with the rest:
      // what was overwritten is committed after all (pitfall B10).
      figure_.stage = Figure::Stage::kLast;
      divide({{a, order[2]}, {b, order[3], order[4]}});
    }
    return;
  }
  if (figure_.stage != Figure::Stage::kOldPair) return;
  figure_.stage = Figure::Stage::kOldEntries;
  figure_.term = term;
  figure_falls(random_.between(1, 2) * plan_.election_timeout_ms * kMillisecond_us);
}

// The third of them has an entry of the old term, and with it a majority; none of the new term reaches it any more.
void World::figure_counted(const Node& node) {
  if (figure_.stage != Figure::Stage::kOldEntries || !faults_on_ || node.id() != figure_.order[3]) return;
  figure_.stage = Figure::Stage::kFalling;
  for (const std::uint64_t from : {figure_.order[0], figure_.order[1]}) {
    figure_.cuts.emplace_back(from, node.id());
    network_.cut(from, node.id());
  }
  figure_falls(random_.between(1, 60) * kMillisecond_us);
}

// The pair falls, and who led in between has a newer last entry: it wins with the votes of the two who have none of the
// newest term (pitfall B1).
void World::figure_falls(std::uint64_t after_us) {
  schedule_.after(after_us, [this, turn = figure_.turn] {
    const bool due = figure_.stage == Figure::Stage::kOldEntries || figure_.stage == Figure::Stage::kFalling;
    if (!faults_on_ || turn != figure_.turn || !due) return;
    figure_.stage = Figure::Stage::kLast;
    const auto& order = figure_.order;
    divide({{order[0]}, {order[1]}, {order[2], order[3], order[4]}});
  });
}

// ---- Leases

// Who hands over goes on hearing nobody, so that it does not know when there is another leader (pitfall C5).
void World::deafen(Node& node) {
  const std::uint64_t deaf = node.id();
  for (std::uint64_t other = 1; other <= nodes_.size(); ++other) network_.cut(other, deaf);
  schedule_.after(random_.skewed(20, 1'000) * kMillisecond_us, [this, deaf] {
    for (std::uint64_t other = 1; other <= nodes_.size(); ++other) network_.heal(other, deaf);
  });
}

// ---- Amnesia

// A voter of three is emptied and starts under its old name, together with one that lacks the newest entries, while the
// leader is cut off: a vote of the one who forgot would elect the other (storage-faults row 16).
void World::forget_everything() {
  Node* leads = leader();
  const std::optional<raft::Configuration> now = members();
  if (leads == nullptr || !now || plan_.nodes != 3 || amnesia_) return;
  std::vector<Node*> others;
  for (const raft::Member& member : now->members()) {
    Node* machine = machine_of(member.id.value);
    if (member.voter && machine != nullptr && machine != leads) others.push_back(machine);
  }
  if (others.size() != 2 || now->members().size() != 3) return;
  const bool first = random_.chance(1, 2);
  Node& emptied = *others[first ? 0 : 1];
  Node& behind = *others[first ? 1 : 0];
  // Under the name of a member that joined later nobody starts by its settings.
  if (emptied.member() != emptied.id() || emptied.settings().values().initial_cluster.empty()) return;
  amnesia_ = true;
  const std::uint64_t wait_us = random_.between(20, 300) * kMillisecond_us;
  cut_off(behind.id(), 0, wait_us);
  schedule_.after(wait_us - 1, [this, &emptied, cut = leads->id()] {
    amnesia_ = false;
    if (!faults_on_ || !emptied.up() || !can_spare(emptied.member())) return;
    empty(emptied);
    cut_off(cut, 0, random_.between(2, 6) * plan_.election_timeout_ms * kMillisecond_us);
    restart_later(emptied);
  });
}

// ---- Memory

// One value in one node's memory is another one, once in a life (architecture, section 6, "Audit"). No client looks at
// it before the end. Where it is the leader's, a minority is mostly away: then nobody can tell who is right, and a
// leader that is believed gives its value to those who are left.
void World::rot_memory() {
  if (memory_rotten_) return;
  Node* leads = leader();
  Node* node = random_.chance(1, 2) ? leads : &any_node();
  if (node == nullptr || !node->up() || node->replica().store() == nullptr) return;
  if (node == leads && random_.chance(3, 4)) {
    for (std::uint64_t i = 1; i <= (nodes_.size() - 1) / 2; ++i) {
      cut_off(1 + (node->id() - 1 + i) % nodes_.size(), 0, random_.between(3, 10) * 1'000 * kMillisecond_us);
    }
  }
  node->replica().store()->set_string(0, std::string(kCanary), "rotten", 0);
  memory_rotten_ = true;
  trace_.note(schedule_.now_us(), "memory", node->id());
}

// Audits find it and put it right, whoever had it: all nodes have the value that was written.
void World::await_right_memory() {
  for (int i = 0; i < 120 && !broken_; ++i) {
    if (at_rest() && !observer.same_state(running_nodes())) return;
    run_for(500 * kMillisecond_us);
  }
  break_off("a value that is another one in the memory of one node is not found by audits");
}

// ---- Old copies of a directory

// A directory is replaced by a copy of an earlier boot, which the others have seen surpassed: they do not speak with
// it, whatever it has forgotten (storage-faults row 16). Then the operator does what the page says: empties it.
void World::restore_old_copy() {
  const std::optional<raft::Configuration> now = members();
  Node& node = any_node();
  const bool all = std::ranges::all_of(nodes_, [](const auto& one) { return one->up() && one->member() != 0; });
  if (!now || !all || copied_ || !can_spare(node.member())) return;
  copied_ = true;
  ++crashes_;
  node.kill();
  std::map<std::string, std::string> copy;
  for (const std::string& path : node.files().paths()) copy[path] = node.files().content(path);
  node.start();
  const std::uint64_t settled_us = 3'000 * kMillisecond_us;
  schedule_.after(settled_us, [&node] {
    if (!node.up()) return;
    node.kill();
    node.start();
  });
  schedule_.after(2 * settled_us, [this, &node, copy = std::move(copy)] {
    if (!node.up() || node.member() == 0 || !can_spare(node.member())) {
      copied_ = false;
      return;
    }
    const std::uint64_t member = node.member();
    node.kill();
    node.wipe();
    for (const auto& [path, content] : copy) node.files().set_content(path, content);
    observer.forgets(member);
    on_a_copy_ = node.id();
    ++copies_;
    trace_.note(schedule_.now_us(), "old copy", node.id(), member);
    node.start();
    schedule_.after(random_.between(500, 3'000) * kMillisecond_us, [this, &node] { throw_away_copy(node); });
  });
}

void World::throw_away_copy(Node& node) {
  copied_ = false;
  on_a_copy_ = 0;
  const raft::Raft* raft = node.up() ? node.replica().raft() : nullptr;
  if (raft != nullptr && (raft->leader().value != 0 || raft->is_leader())) {
    break_off("an old copy of node " + std::to_string(node.id()) + "'s directory follows node " +
              std::to_string(raft->leader().value));
    return;
  }
  if (raft != nullptr) empty(node);
  join(node);
}

}  // namespace redraft::sim
