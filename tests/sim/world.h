#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/planted.h"
#include "tests/sim/client.h"
#include "tests/sim/network.h"
#include "tests/sim/node.h"
#include "tests/sim/observer.h"
#include "tests/sim/workload.h"

namespace redraft::sim {

// What a run is aimed at. Each has its own draw of the seed.
enum class Aim : std::uint8_t {
  kAll,        // every fault there is
  kCrashes,    // only crashes: what the durability of acknowledged writes and votes rests on
  kElections,  // leaders fall as soon as they lead, with entries that few have (paper figure 8)
  kReads,      // readers that stay with leaders whom nobody else hears any more
  kRot,        // bits turn on disks
  kMembers,    // nodes join, are promoted, demoted and forgotten, and their directories emptied
  kAudits,     // a value in one node's memory is another one
  kCopies,     // directories are replaced by old copies
};
inline constexpr std::array<std::string_view, 8> kAimNames{"all", "crashes", "elections", "reads",
                                                           "rot", "members", "audits",    "copies"};

// What happens again and again, by the words of the summary.
inline constexpr std::array<std::string_view, 28> kFaultNames{
    "kill",      "power",      "power of many", "pause",    "partition",     "one way",         "reset",
    "slow link", "disk stall", "disk error",    "clock",    "hang up",       "terminate",       "suspend",
    "disk full", "bit flip",   "old file",      "freeze",   "bridge",        "members",         "wipe",
    "figure 8",  "amnesia",    "memory",        "old copy", "fallen leader", "aimed power cut", "deaf leader"};
enum class FaultKind : std::uint8_t {
  kKill,
  kPower,
  kPowerOfMany,
  kPause,
  kPartition,
  kOneWay,
  kReset,
  kSlowLink,
  kDiskStall,
  kDiskError,
  kClock,
  kHangUp,
  kTerminate,
  kSuspend,
  kDiskFull,
  kBitFlip,
  kOldFile,
  kFreeze,
  kBridge,
  kMembers,
  kWipe,
  kFigureEight,
  kAmnesia,
  kMemory,
  kOldCopy,
  kFallenLeader,
  kAimedPowerCut,
  kDeafLeader
};
using FaultCounts = std::array<std::uint64_t, kFaultNames.size()>;

// Set before all else, and looked at by nobody before the end.
inline constexpr std::string_view kCanary = "canary";
inline constexpr std::string_view kCanarySong = "sings";

// What a seed draws: which faults there are and how often, and the tuning (swarm testing). Every number follows from
// the seed; the fields that tests set are optional.
struct Plan {
  std::uint64_t seed = 1;
  std::uint64_t nodes = 3;
  std::uint64_t spares = 0;  // machines that may join
  std::uint64_t clients = 6;
  std::uint64_t faults_us = 20'000'000;  // how long faults go on
  std::uint64_t early_faults_us = 0;     // and before that, while the cluster forms
  std::vector<WorkloadKind> workloads;
  std::uint64_t think_max_us = 10'000;
  std::uint64_t restless = 40;  // a client goes to another node once in so many requests
  std::uint64_t readers = 0;    // so many clients only read, and stay where they are

  // Milliseconds between two faults of a kind, on average; 0: none.
  std::uint64_t kill_ms = 0;
  std::uint64_t power_ms = 0;
  std::uint64_t all_power_ms = 0;  // two or all nodes at once
  std::uint64_t pause_ms = 0;
  std::uint64_t partition_ms = 0;
  std::uint64_t one_way_ms = 0;
  std::uint64_t reset_ms = 0;
  std::uint64_t slow_link_ms = 0;
  std::uint64_t disk_stall_ms = 0;
  std::uint64_t disk_error_ms = 0;
  std::uint64_t clock_jump_ms = 0;
  std::uint64_t hang_up_ms = 0;
  std::uint64_t terminate_ms = 0;
  std::uint64_t suspend_ms = 0;
  std::uint64_t disk_full_ms = 0;
  std::uint64_t bit_flip_ms = 0;    // in a file of a node that is down; the good copy is kept
  std::uint64_t old_file_ms = 0;    // a segment that was removed is there again after a power cut
  std::uint64_t repeat_one_of = 0;  // of Raft's messages between nodes
  std::uint64_t member_ms = 0;      // somebody joins, is promoted, demoted or forgotten
  std::uint64_t wipe_ms = 0;        // a member's directory is emptied
  std::uint64_t amnesia_ms = 0;     // ... while a vote of the one who forgot would elect who lacks entries
  std::uint64_t copy_ms = 0;        // a directory is replaced by a copy of an earlier boot
  std::uint64_t memory_ms = 0;      // a value in memory is another one, once in a life
  bool one_down_at_end = false;     // liveness is asked of a majority

  // One of so many promises (votes, candidacies, acknowledgements of entries) is followed at once by a power cut.
  std::uint64_t aimed = 0;
  // One of so many new leaders falls or is cut off within milliseconds.
  std::uint64_t fallen_leader = 0;
  std::uint64_t figure_ms = 0;          // figure 8 of the paper, step by step; five nodes
  std::uint64_t deaf_one_of = 0;        // leaders that hand over hear nobody from then on
  std::uint64_t quiet_ms = 0;           // who writes waits for as long in between
  std::uint64_t freeze_ms = 0;          // a leader is cut off and stands still until there may be another one
  std::uint64_t bridge_ms = 0;          // a leader is heard by one node only, and that one starts again
  std::uint64_t path_delay_max_us = 0;  // each path has a delay of its own, up to this

  std::uint64_t skew_max_ms = 0;
  std::int64_t drift_max_ppm = 0;
  std::uint64_t disk_high_us = 400;

  // Tuning of the nodes.
  std::uint64_t snapshot_entries = 1'000'000;
  std::uint64_t tail_entries = 10'000;
  std::uint64_t snapshot_rate = std::uint64_t{32} << 20;
  std::uint64_t segment_size = std::uint64_t{1} << 20;
  std::uint32_t election_timeout_ms = 1000;
  std::uint32_t heartbeat_ms = 100;
  std::uint64_t client_memory = std::uint64_t{64} << 20;
  bool follower_reads = false;
  bool leases = false;                // read-mode lease
  std::uint64_t command_cost_us = 0;  // what a node is busy for at most with one read or one entry's commands

  Bug bug = Bug::kNone;
  planted::Bug planted = planted::Bug::kNone;
  bool print_trace = false;

  // Everything from the seed.
  static Plan draw(std::uint64_t seed, Aim aim = Aim::kAll);
  [[nodiscard]] std::string describe() const;
};

struct Outcome {
  Verdict broken;  // nothing: all held
  std::uint64_t trace = 0;
  std::uint64_t simulated_us = 0;
  std::uint64_t events = 0;
  std::uint64_t requests = 0;
  std::uint64_t answered = 0;
  std::uint64_t entries = 0;
  std::uint64_t leaders = 0;
  std::uint64_t crashes = 0;
  std::uint64_t faults = 0;
  FaultCounts kinds{};         // the same by kind
  std::uint64_t refusals = 0;  // starts refused because of damage
  std::uint64_t changes = 0;   // of members, that an operator asked for and that were made
  std::uint64_t wiped = 0;     // directories
  std::uint64_t copies = 0;    // old ones that were put in a directory's place
  std::uint64_t settled = 0;   // operations whose place in the order was checked
};

// A cluster's life: a start without faults, faults under load, healing, and then everything must come to rest and be
// as it was promised.
class World final : public Node::Watcher {
 public:
  explicit World(const Plan& plan);
  ~World() override;

  [[nodiscard]] Outcome run();

  // For tests that write their own story.
  [[nodiscard]] Schedule& schedule() { return schedule_; }
  [[nodiscard]] Network& network() { return network_; }
  [[nodiscard]] Node& node(std::uint64_t id) { return *nodes_[id - 1]; }
  [[nodiscard]] std::vector<Node*> node_list();
  [[nodiscard]] std::vector<Node*> running_nodes();
  [[nodiscard]] Trace& trace() { return trace_; }
  void start_all();
  // Until the condition holds; false when it does not within that time, or something broke before.
  [[nodiscard]] bool run_until(std::uint64_t bound_us, const std::function<bool()>& condition);
  void run_for(std::uint64_t time_us);
  [[nodiscard]] Node* leader();
  // All nodes run, apply the same index and nothing is on its way.
  [[nodiscard]] bool at_rest();
  [[nodiscard]] const Verdict& broken() const { return broken_; }
  void break_off(const std::string& what);
  Observer observer;

  // Node::Watcher
  void started(Node& node, const replica::Recovered& recovered) override;
  void turn_over(Node& node) override;
  void ended(Node& node, const std::string& reason) override;
  void cannot_start(Node& node, const Error& error) override;
  void frame_sent(Node& node, const replica::Frame& frame) override;
  void entries_written(const std::vector<raft::Entry>& entries) override { observer.entries_written(entries); }
  void client_known(Node& node, std::uint64_t number, std::uint64_t log_connection) override;
  void read_ran(Node& node, std::uint64_t number, std::uint64_t request, const replica::ReadPlace& place) override;
  void lost_process(Node& node) override { observer.lost_process(node); }

 private:
  [[nodiscard]] replica::Settings settings_of(std::uint64_t node) const;
  [[nodiscard]] bool set_up();
  void begin_load();
  void next_round(Client& client);
  void wait_for_clients();
  void read_canary();
  void read_all();
  void end_load();
  void stay_calm();
  void check_order();

  // faults.cc
  void begin_faults();
  void count(FaultKind kind);
  void recur(FaultKind kind, std::uint64_t mean_ms, void (World::*fault)());
  void kill_one();
  void cut_power_of_one();
  void cut_power_of_many();
  void pause_one();
  void partition();
  void cut_one_way();
  void reset_one();
  void slow_one_link();
  void stall_a_disk();
  void fail_a_disk();
  void jump_a_clock();
  void hang_up_one();
  void terminate_one();
  void suspend_one();
  void fill_a_disk();
  void flip_a_bit();
  void bring_back_a_file();
  void freeze_leader();
  void bridge_leader();
  void let_leader_fall(Node& node);
  void cut_off(std::uint64_t node, std::uint64_t but, std::uint64_t for_us);
  [[nodiscard]] bool restore_damaged(Node& node);
  void restart_later(Node& node);

  // choreography.cc
  void divide(const std::vector<std::vector<std::uint64_t>>& groups);
  void figure_eight();
  void figure_elected(Node& node);
  void figure_counted(const Node& node);
  void figure_falls(std::uint64_t after_us);
  void deafen(Node& node);
  void forget_everything();
  void rot_memory();
  void await_right_memory();
  void restore_old_copy();
  void throw_away_copy(Node& node);

  // members.cc
  void empty(Node& node);
  [[nodiscard]] std::optional<raft::Configuration> members();  // as committed on the leader, if somebody leads
  [[nodiscard]] Node* machine_of(std::uint64_t member);
  void join(Node& node);
  void ask(const std::string& what, std::uint64_t member);
  [[nodiscard]] bool can_spare(std::uint64_t member);
  [[nodiscard]] static bool can_promote(const raft::Configuration& configuration,
                                        const std::function<bool(raft::NodeId)>& there);
  void change_members();
  void wipe_one();
  void tend_members();
  [[nodiscard]] bool members_settled();
  [[nodiscard]] bool members_change() const {
    return plan_.member_ms + plan_.wipe_ms + plan_.amnesia_ms + plan_.copy_ms != 0;
  }
  void settle_members();
  [[nodiscard]] std::string describe_members();
  void heal_everything();
  [[nodiscard]] Node& any_node() { return *nodes_[random_.below(nodes_.size())]; }

  const Plan plan_;
  Random random_;
  Schedule schedule_;
  Trace trace_;
  Network network_;
  Ledger ledger_;
  std::vector<std::unique_ptr<Node>> nodes_;
  std::vector<std::unique_ptr<Client>> clients_;
  std::vector<std::unique_ptr<Workload>> workloads_;
  // The fault atlas: the file that is damaged on a node, and its good copy. One node at a time, so that the others have
  // good copies of all that is committed.
  struct Damage {
    std::uint64_t node = 0;  // 0: nobody's
    std::string path;
    std::string good;
  };
  Damage damage_;
  // A figure 8 that is being danced: the machines in the order of their parts, and who does not hear whom.
  struct Figure {
    enum class Stage : std::uint8_t { kNone, kTwoLeaders, kOldPair, kOldEntries, kFalling, kLast };
    Stage stage = Stage::kNone;
    bool old_pair = false;   // the first leader and its follower come back with a third
    std::uint64_t turn = 0;  // which dance
    std::uint64_t term = 0;  // of the newest leader in it
    std::vector<std::uint64_t> order;
    std::vector<std::pair<std::uint64_t, std::uint64_t>> cuts;
  };
  Figure figure_;
  bool amnesia_ = false;
  bool copied_ = false;
  std::uint64_t on_a_copy_ = 0;  // the machine that runs on an old copy: its boot number was another process's
  bool memory_rotten_ = false;
  std::vector<bool> enrolled_;         // by machine: its process is to run
  std::set<std::uint64_t> to_forget_;  // members whose directory is gone
  std::unique_ptr<Client> operator_;
  std::uint64_t changes_asked_ = 0;
  std::uint64_t change_open_until_us_ = 0;  // what was asked for may yet be proposed
  std::uint64_t changes_made_ = 0;
  std::uint64_t wiped_ = 0;
  std::map<std::uint64_t, std::pair<std::string, std::string>> old_files_;  // by node: path and content
  bool faults_on_ = false;
  bool load_on_ = false;
  Verdict broken_;
  std::uint64_t crashes_ = 0;
  std::uint64_t faults_ = 0;
  FaultCounts kinds_{};
  std::uint64_t copies_ = 0;
  std::uint64_t refusals_ = 0;
  std::uint64_t settled_ = 0;
};

// One seed from start to end, in a process that ends with it.
[[nodiscard]] Outcome simulate(const Plan& plan);

}  // namespace redraft::sim
