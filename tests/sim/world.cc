#include "tests/sim/world.h"

#include <algorithm>

#include "raft/raft.h"
#include "tests/sim/replay.h"

namespace redraft::sim {
namespace {

constexpr std::uint64_t kSecond_us = 1'000'000;
constexpr std::uint64_t kSetUpBound_us = 30 * kSecond_us;
constexpr std::uint64_t kRestBound_us = 60 * kSecond_us;
// What was begun by a fault is over by then.
constexpr std::uint64_t kCalm_us = 3 * kSecond_us;
// Longer than any key of the expiry workload lives.
constexpr std::uint64_t kAfterglow_us = 3 * kSecond_us;

// How much earlier than its time a key may go (docs/decisions/0012-clock-lag.md). Where no majority's wall clocks agree
// at a restart the logical clock falls behind by the time that the nodes were down, which a later term begins by
// catching up; so does a cluster that formed while a clock was far off, once that is right again.
std::uint64_t early_expiry_us(const Plan& plan) {
  const bool restarts = plan.kill_ms + plan.power_ms + plan.all_power_ms + plan.disk_error_ms + plan.terminate_ms +
                            plan.aimed + plan.fallen_leader + plan.bridge_ms + plan.bit_flip_ms + plan.member_ms +
                            plan.wipe_ms !=
                        0;
  const bool agree = plan.clock_jump_ms == 0 && 2 * plan.skew_max_ms < 2'000;
  const bool steady = !restarts && plan.nodes > 1 && (plan.clock_jump_ms == 0 || plan.early_faults_us == 0);
  // What is heard late over a slow or stalled path shows a clock that lags by so much; a later leader knows better.
  const bool late = plan.slow_link_ms + plan.one_way_ms + plan.partition_ms + plan.pause_ms + plan.suspend_ms +
                        plan.freeze_ms + plan.bridge_ms + plan.path_delay_max_us !=
                    0;
  return agree || steady ? (2 * plan.skew_max_ms + (late ? 1'000 : 100)) * 1000 : kNever / 2;
}

}  // namespace

World::World(const Plan& plan)
    : plan_(plan),
      random_(plan.seed ^ 0x5deece66dU),
      network_(schedule_, trace_, random_.next(), plan.nodes + plan.spares),
      enrolled_(plan.nodes + plan.spares + 1) {
  trace_.printing = plan.print_trace;
  network_.repeat_one_of = plan.repeat_one_of;
  observer.disks_rot = plan.bit_flip_ms + plan.memory_ms != 0;
  observer.memory_rots = plan.memory_ms != 0;
  for (std::uint64_t id = 1; id <= plan.nodes + plan.spares; ++id) {
    enrolled_[id] = id <= plan.nodes;
    nodes_.push_back(
        std::make_unique<Node>(id, random_.next(), plan.bug, settings_of(id), schedule_, network_, trace_, *this));
    Node& node = *nodes_.back();
    const auto skew = static_cast<std::int64_t>(random_.below(2 * plan.skew_max_ms + 1));
    node.jump_wall_clock(skew - static_cast<std::int64_t>(plan.skew_max_ms));
    const std::uint64_t drift = random_.below(static_cast<std::uint64_t>(2 * plan.drift_max_ppm + 1));
    node.drift_ppm = static_cast<std::int64_t>(drift) - plan.drift_max_ppm;
    node.limits.disk_high_us = plan.disk_high_us;
    node.limits.command_cost_us = plan.command_cost_us;
  }
  for (std::uint64_t id = 1; id <= plan.clients; ++id) {
    clients_.push_back(std::make_unique<Client>(id, random_.next(), schedule_, trace_, ledger_, node_list()));
    clients_.back()->follower_reads = plan.follower_reads && random_.chance(1, 2);
  }
  operator_ = std::make_unique<Client>(plan.clients + 1, random_.next(), schedule_, trace_, ledger_, node_list());
  for (std::uint64_t from = 1; from <= nodes_.size() && plan.path_delay_max_us != 0; ++from) {
    for (std::uint64_t to = 1; to <= nodes_.size(); ++to) {
      const std::uint64_t high = random_.skewed(100, plan.path_delay_max_us);
      network_.set_own_delay_us(from, to, high / 4, high);
    }
  }
  WorkloadOptions options;
  options.seed = random_.next();
  options.early_expiry_us = early_expiry_us(plan);
  for (const WorkloadKind kind : plan.workloads) workloads_.push_back(make_workload(kind, schedule_, options));
  if (std::ranges::none_of(workloads_, &Workload::can_only_read)) return;
  for (std::uint64_t i = 0; i < plan.readers; ++i) {
    clients_[i]->reads_only = true;
    clients_[i]->patience_us = random_.between(50'000, 500'000);
  }
}

World::~World() = default;

replica::Settings World::settings_of(std::uint64_t node) const {
  replica::Settings settings;
  replica::Values& values = settings.values();
  values.node_id = node;
  values.port = static_cast<std::uint16_t>(7000 + node);
  if (plan_.nodes > 1) {
    for (std::uint64_t id = 1; id <= plan_.nodes; ++id) {
      values.initial_cluster.push_back({id, "10.0.1." + std::to_string(id), static_cast<std::uint16_t>(7000 + id),
                                        static_cast<std::uint16_t>(17000 + id)});
    }
  }
  values.cluster_enabled = "yes";
  values.cluster_secret = "of the simulation";
  values.snapshot_log_entries = plan_.snapshot_entries;
  values.snapshot_tail_entries = plan_.tail_entries;
  values.snapshot_rate = plan_.snapshot_rate;
  values.log_segment_size = plan_.segment_size;
  values.election_timeout_ms = plan_.election_timeout_ms;
  values.heartbeat_interval_ms = plan_.heartbeat_ms;
  values.client_memory_max = plan_.client_memory;
  if (plan_.memory_ms != 0) values.audit_interval_s = 1;
  if (plan_.leases) values.read_mode = replica::ReadMode::kLease;
  return settings;
}

std::vector<Node*> World::node_list() {
  std::vector<Node*> nodes;
  for (const auto& node : nodes_) nodes.push_back(node.get());
  return nodes;
}

std::vector<Node*> World::running_nodes() {
  std::vector<Node*> nodes;
  for (const auto& node : nodes_) {
    if (node->up()) nodes.push_back(node.get());
  }
  return nodes;
}

void World::break_off(const std::string& what) {
  if (broken_) return;
  broken_ = what + " [at " + std::to_string(schedule_.now_us() / 1000) + " ms]";
  trace_.note(schedule_.now_us(), "broken", 0, 0, what);
}

// ---- What the nodes tell

void World::started(Node& node, const replica::Recovered& recovered) {
  if (Verdict broken = observer.started(node, recovered)) break_off(*broken);
}

void World::turn_over(Node& node) {
  // It did not need the damaged bytes, or its peers have repaired it.
  if (damage_.node == node.id() && node.replica().raft() != nullptr && node.replica().raft()->may_vote()) damage_ = {};
  if (Verdict broken = observer.turn_over(node)) break_off(*broken);
  if (!observer.was_elected) return;
  if (Verdict broken = Observer::no_lease(node, running_nodes())) break_off(*broken);
  figure_elected(node);
  if (faults_on_ && plan_.fallen_leader != 0 && random_.chance(1, plan_.fallen_leader)) let_leader_fall(node);
}

void World::frame_sent(Node& node, const replica::Frame& frame) {
  if (Verdict broken = observer.frame_sent(node, frame)) break_off(*broken);
  if (observer.was_transfer && faults_on_ && plan_.deaf_one_of != 0 && random_.chance(1, plan_.deaf_one_of)) {
    count(FaultKind::kDeafLeader);
    deafen(node);
  }
  if (observer.was_of_old_term) figure_counted(node);
  if (!faults_on_ || plan_.aimed == 0 || !observer.was_promise) return;
  // Votes are rare.
  if (!random_.chance(1, observer.was_vote ? 4 : plan_.aimed)) return;
  const bool all = random_.chance(1, 4);
  schedule_.after(random_.below(300), [this, &node, all] {
    if (!faults_on_) return;
    count(FaultKind::kAimedPowerCut);
    if (all) {
      cut_power_of_many();
    } else if (node.up()) {
      ++crashes_;
      node.cut_power();
      restart_later(node);
    }
  });
}

void World::client_known(Node& node, std::uint64_t number, std::uint64_t log_connection) {
  if (node.id() != on_a_copy_) ledger_.opened(node.id(), number, node.member(), log_connection);
}

void World::read_ran(Node& node, std::uint64_t number, std::uint64_t request, const replica::ReadPlace& place) {
  if (Record* record = ledger_.find(node.id(), number, request)) record->read = place;
}

void World::ended(Node& node, const std::string& reason) {
  ++crashes_;
  trace_.note(schedule_.now_us(), "ended", node.id(), 0, reason);
  restart_later(node);
}

void World::cannot_start(Node& node, const Error& error) {
  const bool asked = error.code == ErrorCode::kIo || error.code == ErrorCode::kNoSpace;
  if (asked && faults_on_) {  // the process ends and is started again
    node.kill();
    restart_later(node);
    return;
  }
  if (error.code == ErrorCode::kCorrupt && restore_damaged(node)) return;
  break_off("node " + std::to_string(node.id()) + " cannot start: " + error.message);
}

// ---- Time

bool World::run_until(std::uint64_t bound_us, const std::function<bool()>& condition) {
  const std::uint64_t end = schedule_.now_us() + bound_us;
  while (!broken_) {
    if (condition()) return true;
    if (schedule_.now_us() >= end || !schedule_.step()) return false;
  }
  return false;
}

void World::run_for(std::uint64_t time_us) {
  static_cast<void>(run_until(time_us, [] { return false; }));
}

void World::start_all() {
  for (const auto& node : nodes_) {
    if (enrolled_[node->id()] && !node->up()) node->start();
  }
}

Node* World::leader() {
  Node* newest = nullptr;
  for (const auto& node : nodes_) {
    if (!node->leads()) continue;
    if (newest == nullptr || node->replica().raft()->term() > newest->replica().raft()->term()) newest = node.get();
  }
  return newest;
}

bool World::at_rest() {
  std::optional<raft::LogIndex> last;
  for (const auto& node : nodes_) {
    if (!enrolled_[node->id()]) continue;
    if (!node->up() || node->replica().raft() == nullptr) return false;
    const raft::Raft& raft = *node->replica().raft();
    if (raft.applied_index() != raft.last_index() || raft.leader().value == 0) return false;
    if (last && *last != raft.last_index()) return false;
    last = raft.last_index();
  }
  return last.has_value();
}

// ---- The load

bool World::set_up() {
  start_all();
  if (plan_.early_faults_us != 0) {
    begin_faults();
    run_for(plan_.early_faults_us);
    heal_everything();
  }
  if (!run_until(kSetUpBound_us,
                 [this] { return leader() != nullptr && leader()->replica().raft()->has_committed_in_term(); })) {
    break_off("no leader at the beginning");
    return false;
  }
  std::vector<Command> commands;
  if (plan_.memory_ms != 0) commands.push_back({"SET", std::string(kCanary), std::string(kCanarySong)});
  for (const auto& workload : workloads_) {
    for (Command& command : workload->set_up()) commands.push_back(std::move(command));
  }
  for (Command& command : commands) {
    bool done = false;
    clients_.front()->run({std::move(command)}, {.patience_us = kSetUpBound_us},
                          [&done](const std::vector<Answer>& answers) { done = answers[0].fate == Fate::kDone; });
    if (!run_until(kSetUpBound_us, [&done] { return done; })) {
      break_off("a write at the beginning was not answered");
      return false;
    }
  }
  return true;
}

void World::begin_load() {
  load_on_ = true;
  for (const auto& client : clients_) next_round(*client);
}

void World::next_round(Client& client) {
  if (!load_on_ || workloads_.empty()) return;
  // Mostly with a pause, sometimes in a burst.
  std::uint64_t think_us =
      client.random().chance(1, 8) ? 0 : client.random().between(plan_.think_max_us / 4, plan_.think_max_us);
  if (plan_.quiet_ms != 0 && !client.reads_only) think_us += client.random().below(2 * plan_.quiet_ms * 1000);
  schedule_.after(think_us, [this, &client] {
    if (!load_on_) return;
    if (!client.reads_only && client.random().chance(1, plan_.restless)) {
      client.aim_at(1 + client.random().below(nodes_.size()));
    }
    Workload* chosen = nullptr;
    do {
      chosen = workloads_[client.random().below(workloads_.size())].get();
    } while (client.reads_only && !chosen->can_only_read());
    Workload& workload = *chosen;
    workload.step(client, [this, &client, &workload] {
      if (workload.noticed()) break_off(*workload.noticed());
      next_round(client);
    });
  });
}

void World::wait_for_clients() {
  load_on_ = false;
  const auto idle = [this] {
    return std::ranges::none_of(clients_, [](const auto& client) { return client->busy(); });
  };
  if (!run_until(kRestBound_us, idle)) break_off("a client is not answered although all is well");
}

// The replay says what the reply must be.
void World::read_canary() {
  bool done = false;
  clients_.front()->run({{"GET", std::string(kCanary)}}, {.patience_us = 20 * kSecond_us},
                        [&](const std::vector<Answer>& answers) {
                          done = true;
                          if (answers[0].reply.text != kCanarySong) break_off("the rotten value was taken for true");
                        });
  if (!run_until(kRestBound_us, [&done] { return done; })) break_off("the canary is silent");
}

void World::read_all() {
  Client& reader = *clients_.front();
  if (plan_.memory_ms != 0) read_canary();
  for (const auto& workload : workloads_) {
    std::vector<resp::Reply> finals;
    for (Command& command : workload->final_reads()) {
      bool done = false;
      const std::string shown = command.front() + " " + command.at(1);
      reader.run({std::move(command)}, {.patience_us = 20 * kSecond_us}, [&](const std::vector<Answer>& answers) {
        done = true;
        if (answers[0].fate != Fate::kDone) {
          break_off("the final " + shown +
                    " was not answered although all is well: " + resp::to_string(answers[0].reply));
        }
        finals.push_back(answers[0].reply);
      });
      if (!run_until(kRestBound_us, [&done] { return done; })) {
        break_off("the final " + shown + " was not answered");
        return;
      }
    }
    if (broken_) return;
    if (Verdict broken = workload->verdict(finals)) {
      break_off(*broken);
      return;
    }
  }
}

void World::end_load() {
  heal_everything();
  if (members_change()) settle_members();
  if (broken_) return;
  // A damaged node does not count, so another one may not be missing.
  Node* down = plan_.one_down_at_end && damage_.node == 0 ? &any_node() : nullptr;
  if (down != nullptr) down->kill();
  const std::uint64_t elections_us = std::uint64_t{plan_.election_timeout_ms} * 1000 * 10;
  // A node that starts may first have to load; the bound counts from when all run.
  if (!run_until(elections_us + kSecond_us,
                 [this] { return leader() != nullptr && leader()->replica().raft()->has_committed_in_term(); })) {
    break_off("no leader within ten election timeouts although all is well:" + describe_members());
    return;
  }
  wait_for_clients();
  if (!broken_ && memory_rotten_) await_right_memory();
  if (!broken_) stay_calm();
  if (down != nullptr && !down->up()) down->start();
  run_for(kAfterglow_us);
  if (!broken_) read_all();
  if (broken_) return;
  if (!run_until(kRestBound_us, [this] { return at_rest(); })) {
    break_off("the nodes do not come to rest at one index");
    return;
  }
  if (!broken_) stay_calm();
  if (broken_) return;
  if (Verdict broken = observer.same_state(running_nodes())) break_off(*broken);
}

// Where nothing happens, nobody takes the leader's place: it tells all the others that it is there, whoever is down
// (pitfall B2).
void World::stay_calm() {
  const auto term = [this] {
    Node* leads = leader();
    return leads == nullptr ? 0 : leads->replica().raft()->term().value;
  };
  // An orderly shutdown may still be on its way, and who starts again brings its term.
  run_for(kCalm_us + std::uint64_t{plan_.election_timeout_ms} * 2'000);
  // Of two nodes none leads until the one that was shut down is back.
  static_cast<void>(run_until(kRestBound_us, [&] { return term() != 0; }));
  const std::uint64_t before = term();
  run_for(std::uint64_t{plan_.election_timeout_ms} * 8'000);
  if (!broken_ && (before == 0 || term() != before)) {
    break_off("an election although all is well: term " + std::to_string(before) + ", then " + std::to_string(term()));
  }
}

// Every reply fits the one order of the log, over all keys.
void World::check_order() {
  const store::Store& store = *leader()->replica().store();
  Replay replay(ledger_, [&store](std::string_view key) { return store.watch_place(0, key); });
  std::uint64_t index = 0;
  for (const Observer::Committed& entry : observer.entries()) {
    ++index;
    if (!entry.crc) {
      break_off("nobody ever showed the committed entry " + std::to_string(index));
      return;
    }
    if (Verdict broken = replay.entry(index, entry.type, entry.payload.view())) {
      break_off(*broken);
      return;
    }
  }
  if (Verdict broken = replay.finish()) break_off(*broken);
  settled_ = replay.settled();
}

Outcome World::run() {
  if (set_up()) {
    begin_load();
    begin_faults();
    if (members_change()) tend_members();
    run_for(plan_.faults_us);
    faults_on_ = false;
    if (!broken_) end_load();
    if (!broken_) check_order();
  }
  Outcome outcome;
  outcome.broken = broken_;
  outcome.trace = trace_.digest();
  outcome.simulated_us = schedule_.now_us();
  outcome.events = schedule_.steps();
  for (const auto& client : clients_) outcome.requests += client->requests;
  for (const auto& workload : workloads_) outcome.answered += workload->answered();
  outcome.entries = observer.committed();
  outcome.leaders = observer.leaders();
  outcome.crashes = crashes_;
  outcome.faults = faults_;
  outcome.refusals = refusals_;
  outcome.changes = changes_made_;
  outcome.wiped = wiped_;
  outcome.kinds = kinds_;
  outcome.copies = copies_;
  outcome.settled = settled_;
  return outcome;
}

Outcome simulate(const Plan& plan) {
  // Never destroyed: the process ends with its seed.
  return (new World(plan))->run();
}

}  // namespace redraft::sim
