#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "raft/invariants.h"
#include "raft/raft.h"

namespace redraft::raft::testing {

// What a node's disk holds for certain.
struct Disk {
  HardState hard_state;
  LogIndex commit_index;
  SnapshotMetadata snapshot;
  std::vector<std::string> snapshot_state;  // the commands applied up to the snapshot
  LogIndex first_index{1};
  std::vector<Entry> entries;  // from first_index

  [[nodiscard]] bool leads_to_snapshot() const;
  void write(const DiskRequest& request);
  void cut_to(LogIndex first);
};

// A core and everything around it, all in memory and moved by hand: a disk whose requests finish when told to, and a
// state machine that is the list of applied commands. `RaftInvariants` runs after every step.
struct Node {
  NodeId id;
  Incarnation incarnation;
  std::uint64_t boot = 0;
  std::unique_ptr<Raft> raft;  // null: down
  RaftInvariants invariants;
  Disk disk;
  struct Pending {
    DiskRequest request;  // ticket 0: promises only
    Ticket ticket;
    std::vector<Envelope> promises;
    std::vector<std::string> snapshot_state;
  };
  std::deque<Pending> pending;     // not durable yet
  std::vector<std::string> state;  // commands applied
  LogIndex applied;
  std::optional<SnapshotToReceive> receiving;
  bool may_vote = true;
  bool holds_disk = false;   // settle() leaves its disk requests alone
  bool holds_apply = false;  // Applied is not reported
};

// Several nodes, the network between them, and the rules of paper figure 3 that only all of them together can break;
// a broken one ends the process with a sentence, like any invariant.
class Cluster {
 public:
  struct Options {
    std::vector<Member> members;  // of the first configuration
    std::uint64_t seed = 1;
    Config config;           // id and incarnation are filled in
    bool bootstrap = false;  // node 1 alone is given the configuration; else all start with it as entry 1
  };
  explicit Cluster(Options options);
  // n voters, 1 to n, incarnation 100 + id.
  static std::vector<Member> voters(std::uint64_t count);

  Node& node(std::uint64_t id);
  Raft& raft(std::uint64_t id);
  std::map<std::uint64_t, Node>& nodes() { return nodes_; }
  // Highest term's; 0: nobody leads.
  [[nodiscard]] std::uint64_t leader() const;

  // The core takes this and all it wants is done or queued.
  void step(std::uint64_t id, Input input);
  void tick(std::uint64_t id, std::uint32_t times = 1);
  void tick_all(std::uint32_t times = 1);
  // A node with an empty disk that belongs to nothing yet: what a leader may add. Incarnation 100 + id.
  void spawn(std::uint64_t id);
  // The changes go to this node's core; a change's member needs an id only.
  Proposal change(std::uint64_t id, std::vector<MemberChange> changes);
  void campaign(std::uint64_t id) { step(id, Campaign{}); }
  Proposal propose(std::uint64_t id, const std::string& command);
  void read(std::uint64_t id, std::uint64_t read_id);
  // The oldest `count` disk requests finish; all of them by default.
  void persist(std::uint64_t id, std::size_t count = ~std::size_t{0});
  // Keeps what was durable, and of the rest the oldest `requests`, the last of them with only `entries` of its entries.
  void crash(std::uint64_t id, std::size_t requests = 0, std::size_t entries = 0);
  void restart(std::uint64_t id);
  // The directory is emptied: a node of the same id and another incarnation.
  void wipe(std::uint64_t id);
  // Crashes; its disk has lost the entries from there on, which it may have acknowledged, and it knows.
  void damage(std::uint64_t id, LogIndex from);
  // The node's own snapshot at its applied index.
  void take_snapshot(std::uint64_t id);
  void finish_snapshot(std::uint64_t id, bool success = true);

  // Messages on their way, oldest first.
  std::deque<Envelope>& network() { return network_; }
  void deliver(std::size_t position);
  // Delivers, persists, answers reads of the log and finishes snapshots until nothing moves.
  void settle();
  // One tick everywhere and settle, until `done` or the bound; true if done.
  template <class Done>
  bool run_until(Done done, int ticks_max = 2000) {
    for (int i = 0; i < ticks_max; ++i) {
      if (done()) return true;
      tick_all();
      settle();
    }
    return done();
  }
  void elect(std::uint64_t id);

  // One direction.
  void cut(std::uint64_t from, std::uint64_t to) { cut_.insert({from, to}); }
  void mend(std::uint64_t from, std::uint64_t to) { cut_.erase({from, to}); }
  void isolate(std::uint64_t id);
  void heal() { cut_.clear(); }
  [[nodiscard]] bool is_cut(std::uint64_t from, std::uint64_t to) const { return cut_.contains({from, to}); }

  // What was observed since the last clear.
  struct ReadResult {
    std::uint64_t node;
    std::uint64_t id;
    std::optional<LogIndex> index;  // none: lost
  };
  std::vector<ReadResult> read_results;
  std::vector<Output> outputs;  // kept only if keep_outputs
  bool keep_outputs = false;
  std::vector<std::string>* trace = nullptr;
  bool trace_messages = false;
  bool auto_term_start = true;
  bool fail_log_reads = false;

  std::uint64_t now_us = 0;
  std::uint64_t us_per_tick = 10000;
  [[nodiscard]] LogIndex highest_committed() const {
    return LogIndex{committed_.empty() ? 0 : committed_.rbegin()->first};
  }
  // No leader whose lease holds coexists with a leader of a later term.
  void check_leases() const;

 private:
  void start(Node& node, Restored restored);
  void handle(Node& node, Output& output);
  void send(Envelope envelope);
  void apply(Node& node, const Entry& entry);
  void check_appended(const Raft& raft, const std::vector<Entry>& entries);
  void check_leader(const Raft& raft);
  void say(std::string line) {
    if (trace != nullptr) trace->push_back(std::move(line));
  }

  Options options_;
  std::map<std::uint64_t, Node> nodes_;
  std::deque<Envelope> network_;
  std::set<std::pair<std::uint64_t, std::uint64_t>> cut_;
  struct PendingRead {
    std::uint64_t node;
    LogRead read;
  };
  std::deque<PendingRead> log_reads_;
  std::optional<Proposal> last_proposal_;

  // Across all nodes and time.
  struct Known {
    Term term;
    std::string payload;
  };
  std::map<std::uint64_t, Known> committed_;
  std::map<std::pair<std::uint64_t, std::uint64_t>, std::pair<Term, std::string>> entries_;  // (index, term)
  std::map<std::uint64_t, std::uint64_t> leaders_;                                           // term -> node
  std::map<std::uint64_t, LogIndex> read_floor_;                       // read id -> what it must see
  std::map<std::uint64_t, std::vector<std::string>> snapshot_states_;  // by index
};

[[nodiscard]] Entry configuration_entry(LogIndex index, Term term, const Configuration& configuration);
[[nodiscard]] Entry command_entry(std::uint64_t index, std::uint64_t term, const std::string& command);

}  // namespace redraft::raft::testing
