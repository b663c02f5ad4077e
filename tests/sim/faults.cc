#include <algorithm>

#include "raft/raft.h"
#include "tests/sim/world.h"

// What goes wrong, when, and how it is healed.

namespace redraft::sim {
namespace {

constexpr std::uint64_t kMillisecond_us = 1000;

}  // namespace

void World::begin_faults() {
  faults_on_ = true;
  recur(plan_.kill_ms, &World::kill_one);
  recur(plan_.power_ms, &World::cut_power_of_one);
  recur(plan_.all_power_ms, &World::cut_power_of_many);
  recur(plan_.pause_ms, &World::pause_one);
  recur(plan_.partition_ms, &World::partition);
  recur(plan_.one_way_ms, &World::cut_one_way);
  recur(plan_.reset_ms, &World::reset_one);
  recur(plan_.slow_link_ms, &World::slow_one_link);
  recur(plan_.disk_stall_ms, &World::stall_a_disk);
  recur(plan_.disk_error_ms, &World::fail_a_disk);
  recur(plan_.clock_jump_ms, &World::jump_a_clock);
  recur(plan_.hang_up_ms, &World::hang_up_one);
  recur(plan_.terminate_ms, &World::terminate_one);
}

void World::recur(std::uint64_t mean_ms, void (World::*fault)()) {
  if (mean_ms == 0) return;
  schedule_.after(random_.below(2 * mean_ms * kMillisecond_us + 1), [this, mean_ms, fault] {
    if (!faults_on_) return;
    ++faults_;
    (this->*fault)();
    recur(mean_ms, fault);
  });
}

void World::restart_later(Node& node) {
  schedule_.after(random_.skewed(1, 3'000) * kMillisecond_us, [&node] {
    if (!node.up()) node.start();
  });
}

// ---- Processes and machines

void World::kill_one() {
  // Every other time the leader: that is where most can go wrong.
  Node* victim = random_.chance(1, 2) ? leader() : nullptr;
  if (victim == nullptr) victim = &any_node();
  if (!victim->up()) return;
  ++crashes_;
  victim->kill();
  restart_later(*victim);
}

void World::cut_power_of_one() {
  Node* victim = random_.chance(1, 2) ? leader() : nullptr;
  if (victim == nullptr) victim = &any_node();
  ++crashes_;
  victim->cut_power();
  restart_later(*victim);
}

void World::cut_power_of_many() {
  const std::uint64_t spared = nodes_.size() > 2 && random_.chance(1, 2) ? 1 + random_.below(nodes_.size()) : 0;
  for (const auto& node : nodes_) {
    if (node->id() == spared) continue;
    ++crashes_;
    node->cut_power();
    restart_later(*node);
  }
}

void World::pause_one() {
  Node& node = any_node();
  if (node.paused() || !node.up()) return;
  node.pause();
  schedule_.after(random_.skewed(50, 5'000) * kMillisecond_us, [&node] { node.resume(); });
}

void World::terminate_one() {
  Node& node = any_node();
  if (node.up() && !node.paused() && node.replica().raft() != nullptr) node.terminate();
}

// ---- The network

void World::partition() {
  std::vector<std::pair<std::uint64_t, std::uint64_t>> cut;
  const std::uint64_t count = nodes_.size();
  const std::uint64_t shape = random_.below(3);
  const std::uint64_t middle = 1 + random_.below(count);
  std::vector<bool> side(count + 1);
  for (std::uint64_t id = 1; id <= count; ++id) side[id] = shape == 0 ? id == middle : random_.chance(1, 2);
  for (std::uint64_t a = 1; a <= count; ++a) {
    for (std::uint64_t b = 1; b <= count; ++b) {
      if (a == b) continue;
      // Isolate one, two halves, or a bridge: one node sees everybody, the halves see only it.
      const bool apart = side[a] != side[b] && (shape != 2 || (a != middle && b != middle));
      if (apart) cut.emplace_back(a, b);
    }
  }
  for (const auto& [a, b] : cut) network_.cut(a, b);
  schedule_.after(random_.skewed(100, 8'000) * kMillisecond_us, [this, cut] {
    for (const auto& [a, b] : cut) network_.heal(a, b);
  });
}

void World::cut_one_way() {
  const std::uint64_t from = any_node().id();
  const std::uint64_t to = any_node().id();
  network_.cut(from, to);
  schedule_.after(random_.skewed(100, 6'000) * kMillisecond_us, [this, from, to] { network_.heal(from, to); });
}

void World::reset_one() {
  network_.reset_links(any_node().id(), any_node().id());
}

void World::slow_one_link() {
  const std::uint64_t from = any_node().id();
  const std::uint64_t to = any_node().id();
  const std::uint64_t high = random_.skewed(1, 300) * kMillisecond_us;
  network_.set_delay_us(from, to, high / 2, high);
  schedule_.after(random_.skewed(100, 6'000) * kMillisecond_us,
                  [this, from, to] { network_.set_delay_us(from, to, 30, 300); });
}

// ---- Disks and clocks

void World::stall_a_disk() {
  Node& node = any_node();
  node.stall_disk(true);
  schedule_.after(random_.skewed(20, 8'000) * kMillisecond_us, [&node] { node.stall_disk(false); });
}

// The process ends at a failed write or sync; what was on its disk stays (storage-faults rows 5, 6).
void World::fail_a_disk() {
  Node& node = any_node();
  if (!node.up()) return;
  node.fail_disk_soon(random_.chance(1, 2) ? testing::Operation::kSyncData : testing::Operation::kWrite,
                      random_.between(1, 10));
}

// One machine's wall clock at a time: a majority stays right.
void World::jump_a_clock() {
  const auto jump_ms = static_cast<std::int64_t>(random_.skewed(100, 100'000));
  const std::int64_t by_ms = random_.chance(1, 2) ? jump_ms : -jump_ms;
  Node& node = any_node();
  node.jump_wall_clock(by_ms);
  schedule_.after(random_.skewed(100, 5'000) * kMillisecond_us, [&node, by_ms] { node.jump_wall_clock(-by_ms); });
}

void World::hang_up_one() {
  clients_[random_.below(clients_.size())]->hang_up();
}

void World::heal_everything() {
  faults_on_ = false;
  network_.heal_all();
  for (const auto& node : nodes_) {
    node->files().clear_faults();
    node->stall_disk(false);
    node->resume();
    if (!node->up()) node->start();
  }
}

}  // namespace redraft::sim
