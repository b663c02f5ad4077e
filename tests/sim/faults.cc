#include <algorithm>

#include "raft/raft.h"
#include "tests/sim/rot.h"
#include "tests/sim/world.h"

// What goes wrong, when, and how it is healed.

namespace redraft::sim {
namespace {

constexpr std::uint64_t kMillisecond_us = 1000;

}  // namespace

void World::begin_faults() {
  faults_on_ = true;
  recur(FaultKind::kKill, plan_.kill_ms, &World::kill_one);
  recur(FaultKind::kPower, plan_.power_ms, &World::cut_power_of_one);
  recur(FaultKind::kPowerOfMany, plan_.all_power_ms, &World::cut_power_of_many);
  recur(FaultKind::kPause, plan_.pause_ms, &World::pause_one);
  recur(FaultKind::kPartition, plan_.partition_ms, &World::partition);
  recur(FaultKind::kOneWay, plan_.one_way_ms, &World::cut_one_way);
  recur(FaultKind::kReset, plan_.reset_ms, &World::reset_one);
  recur(FaultKind::kSlowLink, plan_.slow_link_ms, &World::slow_one_link);
  recur(FaultKind::kDiskStall, plan_.disk_stall_ms, &World::stall_a_disk);
  recur(FaultKind::kDiskError, plan_.disk_error_ms, &World::fail_a_disk);
  recur(FaultKind::kClock, plan_.clock_jump_ms, &World::jump_a_clock);
  recur(FaultKind::kHangUp, plan_.hang_up_ms, &World::hang_up_one);
  recur(FaultKind::kTerminate, plan_.terminate_ms, &World::terminate_one);
  recur(FaultKind::kSuspend, plan_.suspend_ms, &World::suspend_one);
  recur(FaultKind::kDiskFull, plan_.disk_full_ms, &World::fill_a_disk);
  recur(FaultKind::kBitFlip, plan_.bit_flip_ms, &World::flip_a_bit);
  recur(FaultKind::kOldFile, plan_.old_file_ms, &World::bring_back_a_file);
  recur(FaultKind::kFreeze, plan_.freeze_ms, &World::freeze_leader);
  recur(FaultKind::kBridge, plan_.bridge_ms, &World::bridge_leader);
  recur(FaultKind::kMembers, plan_.member_ms, &World::change_members);
  recur(FaultKind::kWipe, plan_.wipe_ms, &World::wipe_one);
  recur(FaultKind::kFigureEight, plan_.figure_ms, &World::figure_eight);
  recur(FaultKind::kAmnesia, plan_.amnesia_ms, &World::forget_everything);
  recur(FaultKind::kMemory, plan_.memory_ms, &World::rot_memory);
  recur(FaultKind::kOldCopy, plan_.copy_ms, &World::restore_old_copy);
}

void World::count(FaultKind kind) {
  ++faults_;
  ++kinds_[static_cast<std::size_t>(kind)];
}

void World::recur(FaultKind kind, std::uint64_t mean_ms, void (World::*fault)()) {
  if (mean_ms == 0) return;
  schedule_.after(random_.below(2 * mean_ms * kMillisecond_us + 1), [this, kind, mean_ms, fault] {
    if (!faults_on_) return;
    count(kind);
    (this->*fault)();
    recur(kind, mean_ms, fault);
  });
}

void World::restart_later(Node& node) {
  schedule_.after(random_.skewed(1, 3'000) * kMillisecond_us, [this, &node] {
    if (enrolled_[node.id()] && !node.up()) node.start();
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
  // Every other time the leader, so that an old one goes on while there is a new one.
  const Node* leads = random_.chance(1, 2) ? leader() : nullptr;
  const std::uint64_t middle = leads != nullptr ? leads->id() : 1 + random_.below(count);
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

// No word between the node and the others, `but` one of them.
void World::cut_off(std::uint64_t node, std::uint64_t but, std::uint64_t for_us) {
  for (std::uint64_t other = 1; other <= nodes_.size(); ++other) {
    if (other == node || other == but) continue;
    network_.cut(node, other);
    network_.cut(other, node);
  }
  schedule_.after(for_us, [this, node, but] {
    for (std::uint64_t other = 1; other <= nodes_.size(); ++other) {
      if (other == node || other == but) continue;
      network_.heal(node, other);
      network_.heal(other, node);
    }
  });
}

// It wakes and believes that it leads, while the others may long have another leader (pitfall C2).
void World::freeze_leader() {
  Node* node = leader();
  if (node == nullptr || node->paused()) return;
  const std::uint64_t frozen_us = random_.between(1, 6) * plan_.election_timeout_ms * kMillisecond_us;
  cut_off(node->id(), 0, frozen_us + random_.skewed(5, 3'000) * kMillisecond_us);
  node->pause();
  schedule_.after(frozen_us, [node] { node->resume(); });
}

// The others ask for votes in vain while one node hears the leader; then that one starts again and hears nobody at
// first. It has promised the leader not to vote (pitfall C5).
void World::bridge_leader() {
  const Node* leads = leader();
  if (leads == nullptr || nodes_.size() < 3) return;
  const std::uint64_t leader = leads->id();
  const std::uint64_t bridge = 1 + (leader + random_.below(nodes_.size() - 1)) % nodes_.size();
  const std::uint64_t wait_us = random_.between(2, 4) * plan_.election_timeout_ms * kMillisecond_us;
  cut_off(leader, bridge, wait_us + random_.skewed(100, 3'000) * kMillisecond_us);
  schedule_.after(wait_us, [this, leader, bridge] {
    Node& node = *nodes_[bridge - 1];
    if (!faults_on_ || !node.up()) return;
    if (random_.chance(2, 3)) cut_off(leader, 0, random_.skewed(100, 3'000) * kMillisecond_us);
    ++crashes_;
    node.kill();
    node.start();
  });
}

// Leaders that get only a part of the way leave entries that few have (paper figure 8, pitfall B1).
void World::let_leader_fall(Node& node) {
  const std::uint64_t grace_us = random_.skewed(50, 100'000);
  schedule_.after(grace_us, [this, &node, leader = node.id()] {
    if (!faults_on_ || !node.up()) return;
    count(FaultKind::kFallenLeader);
    switch (random_.below(4)) {
      case 0:
        cut_off(leader, 1 + random_.below(nodes_.size()), random_.skewed(100, 2'000) * kMillisecond_us);
        return;
      case 1:
        node.kill();
        break;
      default:
        node.cut_power();
        break;
    }
    ++crashes_;
    schedule_.after(random_.skewed(1, 1'000) * kMillisecond_us, [this, &node] {
      if (enrolled_[node.id()] && !node.up()) node.start();
    });
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
                  [this, from, to] { network_.set_delay_us(from, to, 0, 0); });
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
  const bool sync = random_.chance(1, 2);
  const bool short_write = !sync && random_.chance(1, 2);
  node.files().fail(sync ? testing::Operation::kSyncData : testing::Operation::kWrite, random_.between(1, 10),
                    short_write ? testing::Fault::kIoAfterPart : testing::Fault::kIo);
}

// A frozen machine: its clocks go on (storage-faults row 18, pitfall C4).
void World::suspend_one() {
  Node& node = any_node();
  if (node.paused() || !node.up()) return;
  node.pause();
  node.stall_disk(true);
  schedule_.after(random_.skewed(100, 30'000) * kMillisecond_us, [&node] {
    node.stall_disk(false);
    node.resume();
  });
}

// Writes are refused and nothing is lost; there is room again after a while (storage-faults row 7, pitfall F14).
void World::fill_a_disk() {
  Node& node = any_node();
  node.files().set_capacity(node.files().used_bytes() + random_.skewed(1, 100'000));
  schedule_.after(random_.skewed(50, 5'000) * kMillisecond_us, [&node] { node.files().set_capacity(std::nullopt); });
}

// Rot in the log, the vote file, a snapshot or any other file (storage-faults rows 2, 3, 9).
void World::flip_a_bit() {
  if (damage_.node != 0) return;
  Node& node = any_node();
  ++crashes_;
  node.cut_power();
  restart_later(node);
  const std::optional<RottenSpot> spot = find_rotten_spot(node.files(), random_);
  if (!spot) return;
  damage_ = {node.id(), spot->path, node.files().content(spot->path)};
  node.files().flip_bit(spot->path, spot->bit);
  trace_.note(schedule_.now_us(), "bit flip", node.id(), spot->bit / 8, spot->path);
}

// The node refuses to start and says so; somebody brings the good copy of that file.
bool World::restore_damaged(Node& node) {
  if (damage_.node != node.id()) return false;
  ++refusals_;
  node.kill();
  node.files().set_content(damage_.path, damage_.good);
  damage_ = {};
  restart_later(node);
  return true;
}

// What was removed is there again, with what was in it then (storage-faults row 14).
void World::bring_back_a_file() {
  Node& node = any_node();
  auto& [path, content] = old_files_[node.id()];
  if (!path.empty() && !node.files().exists(path)) {
    ++crashes_;
    node.cut_power();
    node.files().set_content(path, std::move(content));
    trace_.note(schedule_.now_us(), "old file", node.id(), 0, path);
    restart_later(node);
    path.clear();
  } else if (path.empty()) {
    for (const std::string& one : node.files().paths()) {
      if (one.find("/wal/") == std::string::npos || !random_.chance(1, 3)) continue;
      path = one;
      content = node.files().content(one);
      break;
    }
  }
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
  figure_.cuts.clear();
  figure_.stage = Figure::Stage::kNone;
  network_.heal_all();
  for (const auto& node : nodes_) {
    node->files().clear_faults();
    node->files().set_capacity(std::nullopt);
    node->stall_disk(false);
    node->resume();
    if (enrolled_[node->id()] && !node->up()) node->start();
  }
}

}  // namespace redraft::sim
