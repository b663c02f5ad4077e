#include <algorithm>

#include "tests/sim/world.h"

namespace redraft::sim {
namespace {

// A fault is in half of the seeds, at a rate of any order of magnitude.
std::uint64_t rate(Random& random, std::uint64_t low_ms, std::uint64_t high_ms) {
  return random.chance(1, 2) ? random.skewed(low_ms, high_ms) : 0;
}

std::uint64_t cluster_size(Random& random) {
  const std::uint64_t dice = random.below(20);
  if (dice < 2) return 1;
  if (dice < 4) return 2;
  if (dice < 15) return 3;
  return dice < 17 ? 4 : 5;
}

void draw_tuning(Random& random, Plan& plan) {
  plan.clients = random.between(2, 8);
  plan.think_max_us = random.skewed(5'000, 200'000);
  plan.restless = random.chance(1, 3) ? 3 : 40;
  plan.disk_high_us = random.skewed(200, 20'000);
  if (random.chance(2, 3)) {
    plan.snapshot_entries = random.chance(1, 4) ? random.skewed(10, 100) : random.between(50, 1'000);
  }
  if (random.chance(2, 3)) plan.tail_entries = random.skewed(1, 500);
  plan.segment_size = std::uint64_t{4096} << random.below(9);
  plan.election_timeout_ms = static_cast<std::uint32_t>(random.between(2, 10) * 100);
  plan.heartbeat_ms =
      static_cast<std::uint32_t>(std::max<std::uint64_t>(20, plan.election_timeout_ms / random.between(4, 10)));
  if (random.chance(1, 4)) plan.client_memory = random.skewed(4096, 1 << 20);
}

void draw_workloads(Random& random, Plan& plan, std::size_t most) {
  std::vector<WorkloadKind> all;
  for (std::size_t i = 0; i + 1 < kWorkloadCount; ++i) all.push_back(static_cast<WorkloadKind>(i));
  const std::uint64_t count = random.between(1, most);
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::size_t which = random.below(all.size());
    plan.workloads.push_back(all[which]);
    all.erase(all.begin() + static_cast<std::ptrdiff_t>(which));
  }
}

Plan draw_all(std::uint64_t seed) {
  Random random(seed * 0x2545f4914f6cdd1dU + 1);
  Plan plan;
  plan.nodes = cluster_size(random);
  draw_tuning(random, plan);
  draw_workloads(random, plan, 6);
  // Costly, so few seeds have it.
  if (random.chance(1, 12)) {
    plan.workloads.push_back(WorkloadKind::kLarge);
    plan.think_max_us = std::max<std::uint64_t>(plan.think_max_us, 100'000);
    plan.client_memory = std::max<std::uint64_t>(plan.client_memory, 1 << 20);
    plan.faults_us = 10'000'000;
  }
  plan.kill_ms = rate(random, 500, 10'000);
  plan.power_ms = rate(random, 500, 10'000);
  plan.all_power_ms = rate(random, 1'000, 10'000);
  plan.pause_ms = rate(random, 500, 10'000);
  plan.partition_ms = rate(random, 500, 10'000);
  plan.one_way_ms = rate(random, 500, 10'000);
  plan.reset_ms = rate(random, 100, 10'000);
  plan.slow_link_ms = rate(random, 500, 10'000);
  plan.disk_stall_ms = rate(random, 500, 10'000);
  plan.disk_error_ms = rate(random, 1'000, 20'000);
  plan.clock_jump_ms = rate(random, 500, 10'000);
  plan.hang_up_ms = rate(random, 50, 5'000);
  plan.terminate_ms = rate(random, 1'000, 10'000);
  plan.suspend_ms = rate(random, 1'000, 20'000);
  plan.disk_full_ms = rate(random, 500, 10'000);
  plan.old_file_ms = rate(random, 500, 5'000);
  plan.repeat_one_of = random.chance(1, 2) ? random.skewed(3, 1'000) : 0;
  plan.one_down_at_end = plan.nodes > 2 && random.chance(1, 2);
  if (random.chance(1, 2)) plan.skew_max_ms = random.skewed(1, 3'000);
  if (random.chance(1, 2)) plan.drift_max_ppm = static_cast<std::int64_t>(random.below(400));
  plan.follower_reads = random.chance(1, 2);
  if (random.chance(1, 3)) plan.readers = random.between(1, plan.clients / 2);
  plan.leases = random.chance(1, 4);
  if (random.chance(1, 3)) plan.command_cost_us = random.skewed(10, 2'000);
  plan.freeze_ms = rate(random, 1'000, 20'000);
  plan.bridge_ms = rate(random, 1'000, 20'000);
  if (random.chance(1, 4)) plan.fallen_leader = random.between(2, 10);
  if (random.chance(1, 4)) plan.path_delay_max_us = random.skewed(500, 20'000);
  // One node at a time is damaged, and what then is left must be a majority.
  if (plan.nodes % 2 == 1 && random.chance(1, 3)) plan.bit_flip_ms = random.skewed(500, 10'000);
  if (plan.nodes < 5 && plan.bit_flip_ms == 0 && random.chance(1, 4)) {
    plan.spares = random.between(1, 5 - plan.nodes);
    plan.member_ms = random.skewed(500, 10'000);
    plan.wipe_ms = rate(random, 2'000, 20'000);
    plan.one_down_at_end = false;
  }
  if (random.chance(1, 4)) plan.early_faults_us = random.skewed(10'000, 2'000'000);
  return plan;
}

Plan draw_crashes(std::uint64_t seed) {
  Random random(seed * 0x9fb21c651e98df25U + 7);
  Plan plan;
  plan.nodes = 1 + random.below(3);
  draw_tuning(random, plan);
  plan.workloads = {WorkloadKind::kCounters, WorkloadKind::kRegisters, WorkloadKind::kLists};
  plan.faults_us = 10'000'000;
  plan.election_timeout_ms = 300;
  plan.heartbeat_ms = 50;
  plan.think_max_us = random.skewed(2'000, 50'000);
  plan.power_ms = random.skewed(200, 3'000);
  plan.all_power_ms = random.skewed(300, 4'000);
  if (random.chance(1, 2)) plan.kill_ms = random.skewed(500, 5'000);
  if (random.chance(1, 2)) plan.disk_error_ms = random.skewed(500, 5'000);
  if (random.chance(1, 3)) plan.early_faults_us = random.skewed(10'000, 1'000'000);
  plan.old_file_ms = rate(random, 500, 5'000);
  plan.aimed = random.chance(2, 3) ? random.skewed(10, 1'000) : 0;
  return plan;
}

// Little else happens. Where few write, a leader that is cut off has one entry on its way and no more.
void draw_figure_eight(Random& random, Plan& plan) {
  plan.figure_ms = random.between(500, 3'000);
  if (random.chance(1, 2)) {
    plan.clients = 2;
    plan.think_max_us = random.between(100'000, 400'000);
  }
  plan.fallen_leader = plan.kill_ms = plan.power_ms = plan.partition_ms = plan.terminate_ms = 0;
  plan.path_delay_max_us = random.skewed(500, 5'000);
  plan.client_memory = std::uint64_t{64} << 20;
  plan.snapshot_entries = std::max<std::uint64_t>(plan.snapshot_entries, 500);
  if (!random.chance(1, 6)) return;
  plan.workloads.push_back(WorkloadKind::kLarge);
  plan.think_max_us = std::max<std::uint64_t>(plan.think_max_us, 300'000);
  plan.faults_us = 10'000'000;
  plan.segment_size = std::uint64_t{1} << 20;
}

Plan draw_elections(std::uint64_t seed) {
  Random random(seed * 0xd6e8feb86659fd93U + 3);
  Plan plan;
  plan.nodes = random.chance(2, 3) ? 5 : 3;
  draw_tuning(random, plan);
  plan.workloads = {WorkloadKind::kCounters, WorkloadKind::kRegisters, WorkloadKind::kLists};
  plan.election_timeout_ms = 200;
  plan.heartbeat_ms = 30;
  plan.think_max_us = random.skewed(10'000, 100'000);
  plan.fallen_leader = random.between(1, 3);
  plan.path_delay_max_us = random.skewed(500, 60'000);
  if (random.chance(1, 2)) plan.kill_ms = random.skewed(500, 5'000);
  if (random.chance(1, 2)) plan.power_ms = random.skewed(500, 5'000);
  if (random.chance(1, 2)) plan.partition_ms = random.skewed(500, 5'000);
  if (random.chance(1, 2)) plan.terminate_ms = random.skewed(500, 5'000);
  plan.leases = random.chance(1, 3);
  plan.drift_max_ppm = 200;
  if (plan.nodes == 5 && random.chance(1, 2)) draw_figure_eight(random, plan);
  return plan;
}

Plan draw_reads(std::uint64_t seed) {
  Random random(seed * 0xa0761d6478bd642fU + 5);
  Plan plan;
  plan.nodes = random.chance(3, 4) ? 3 : 5;
  draw_tuning(random, plan);
  plan.workloads = {WorkloadKind::kCounters, WorkloadKind::kRegisters};
  plan.clients = 8;
  plan.readers = random.between(3, 5);
  plan.restless = 5;
  plan.think_max_us = random.skewed(3'000, 30'000);
  plan.election_timeout_ms = static_cast<std::uint32_t>(random.between(2, 4) * 100);
  plan.heartbeat_ms =
      static_cast<std::uint32_t>(random.between(plan.election_timeout_ms / 10, plan.election_timeout_ms / 4));
  plan.freeze_ms = random.skewed(500, 3'000);
  if (random.chance(1, 2)) plan.bridge_ms = random.skewed(1'000, 5'000);
  if (random.chance(1, 2)) plan.partition_ms = random.skewed(500, 3'000);
  if (random.chance(1, 2)) plan.terminate_ms = random.skewed(500, 5'000);
  if (random.chance(1, 2)) plan.kill_ms = random.skewed(500, 5'000);
  plan.slow_link_ms = rate(random, 500, 5'000);
  plan.disk_stall_ms = rate(random, 500, 5'000);
  plan.path_delay_max_us = rate(random, 5'000, 100'000);
  plan.follower_reads = random.chance(1, 2);
  plan.leases = random.chance(1, 2);
  plan.drift_max_ppm = 200;
  if (plan.leases && random.chance(1, 2)) {
    // Nothing is written while a leader is on a bridge: who is cut off has all entries, and may be elected.
    plan.bridge_ms = random.skewed(1'000, 3'000);
    plan.quiet_ms = random.between(1'000, 4'000);
    plan.readers = plan.clients - 1;
    plan.freeze_ms = plan.partition_ms = plan.kill_ms = 0;
  }
  if (plan.leases && random.chance(1, 2)) {
    plan.terminate_ms = random.skewed(300, 2'000);
    plan.deaf_one_of = 1;
  }
  return plan;
}

Plan draw_rot(std::uint64_t seed) {
  Random random(seed * 0xe7037ed1a0b428dbU + 9);
  Plan plan = draw_crashes(seed);
  plan.nodes = random.chance(1, 8) ? 1 : random.chance(3, 4) ? 3 : 5;
  plan.bit_flip_ms = random.skewed(300, 3'000);
  plan.faults_us = 20'000'000;
  return plan;
}

Plan draw_members(std::uint64_t seed) {
  Random random(seed * 0x8ebc6af09c88c6e3U + 11);
  Plan plan;
  plan.nodes = random.chance(1, 2) ? 3 : 1;
  plan.spares = random.between(2, 5 - plan.nodes);
  draw_tuning(random, plan);
  draw_workloads(random, plan, 4);
  plan.faults_us = 40'000'000;
  plan.think_max_us = std::max<std::uint64_t>(plan.think_max_us, 30'000);
  plan.member_ms = random.skewed(200, 3'000);
  plan.wipe_ms = rate(random, 2'000, 20'000);
  plan.kill_ms = rate(random, 1'000, 10'000);
  plan.power_ms = rate(random, 1'000, 10'000);
  plan.partition_ms = rate(random, 1'000, 10'000);
  plan.terminate_ms = rate(random, 1'000, 10'000);
  plan.disk_stall_ms = rate(random, 1'000, 10'000);
  plan.freeze_ms = rate(random, 2'000, 20'000);
  if (plan.nodes == 3 && random.chance(1, 2)) {
    plan.amnesia_ms = random.between(1'000, 5'000);
    if (random.chance(1, 2)) plan.member_ms = 0;
  }
  return plan;
}

// No snapshot but those that audits ask for, which could carry a rotten value to a majority.
Plan draw_audits(std::uint64_t seed) {
  Random random(seed * 0xd1342543de82ef95U + 13);
  Plan plan;
  plan.nodes = random.chance(3, 4) ? 3 : 5;
  draw_tuning(random, plan);
  draw_workloads(random, plan, 3);
  plan.snapshot_entries = 1'000'000;
  plan.tail_entries = 10'000;
  plan.faults_us = 15'000'000;
  plan.think_max_us = std::max<std::uint64_t>(plan.think_max_us, 20'000);
  plan.memory_ms = random.between(1'000, 8'000);
  plan.kill_ms = rate(random, 2'000, 10'000);
  plan.partition_ms = rate(random, 2'000, 10'000);
  plan.pause_ms = rate(random, 2'000, 10'000);
  plan.terminate_ms = rate(random, 2'000, 10'000);
  return plan;
}

// Who has seen a boot forgets it when it starts again itself, so nobody else does (docs/membership.md).
Plan draw_copies(std::uint64_t seed) {
  Random random(seed * 0xaf251af3b0f025b5U + 17);
  Plan plan;
  plan.nodes = 3;
  draw_tuning(random, plan);
  draw_workloads(random, plan, 3);
  plan.faults_us = 30'000'000;
  plan.think_max_us = std::max<std::uint64_t>(plan.think_max_us, 20'000);
  plan.copy_ms = random.between(1'000, 5'000);
  plan.reset_ms = rate(random, 1'000, 10'000);
  plan.slow_link_ms = rate(random, 1'000, 10'000);
  plan.clock_jump_ms = rate(random, 1'000, 10'000);
  plan.hang_up_ms = rate(random, 100, 5'000);
  return plan;
}

// What a snapshot may cost beside clients: from less than what is written to no bound. Drawn apart from all else, so
// that the other draws of a seed are what they were without it.
void draw_snapshot_rate(std::uint64_t seed, Plan& plan) {
  Random random(seed * 0xd7210dff076ce2efU + 19);
  if (!random.chance(1, 4)) return;
  plan.snapshot_rate = random.chance(1, 8) ? 0 : random.skewed(1 << 10, 64 << 20);
}

}  // namespace

Plan Plan::draw(std::uint64_t seed, Aim aim) {
  constexpr std::array kDraws{&draw_all, &draw_crashes, &draw_elections, &draw_reads,
                              &draw_rot, &draw_members, &draw_audits,    &draw_copies};
  static_assert(kDraws.size() == kAimNames.size());
  Plan plan = kDraws[static_cast<std::size_t>(aim)](seed);
  draw_snapshot_rate(seed, plan);
  plan.seed = seed;
  return plan;
}

std::string Plan::describe() const {
  std::string text = std::to_string(nodes) + " nodes, " + std::to_string(clients) + " clients";
  const auto say = [&](std::string_view what, std::uint64_t value) {
    if (value != 0) text += ", " + std::string(what) + " " + std::to_string(value);
  };
  say("kill", kill_ms);
  say("power", power_ms);
  say("power of many", all_power_ms);
  say("pause", pause_ms);
  say("partition", partition_ms);
  say("one way", one_way_ms);
  say("reset", reset_ms);
  say("slow link", slow_link_ms);
  say("disk stall", disk_stall_ms);
  say("disk error", disk_error_ms);
  say("clock jump", clock_jump_ms);
  say("hang up", hang_up_ms);
  say("terminate", terminate_ms);
  say("suspend", suspend_ms);
  say("disk full", disk_full_ms);
  say("bit flip", bit_flip_ms);
  say("old file", old_file_ms);
  say("freeze", freeze_ms);
  say("bridge", bridge_ms);
  say("fallen leader", fallen_leader);
  say("path delay", path_delay_max_us);
  say("readers", readers);
  say("leases", leases ? 1 : 0);
  say("spares", spares);
  say("members", member_ms);
  say("wipe", wipe_ms);
  say("amnesia", amnesia_ms);
  say("old copy", copy_ms);
  say("memory", memory_ms);
  say("figure 8", figure_ms);
  say("deaf one of", deaf_one_of);
  say("quiet", quiet_ms);
  say("command cost", command_cost_us);
  say("repeat one of", repeat_one_of);
  say("one down at the end", one_down_at_end ? 1 : 0);
  say("skew", skew_max_ms);
  say("early faults", early_faults_us);
  say("aimed", aimed);
  say("clients' memory", client_memory);
  say("snapshot entries", snapshot_entries);
  say("snapshot rate", snapshot_rate);
  say("segment", segment_size);
  say("election timeout", election_timeout_ms);
  return text;
}

}  // namespace redraft::sim
