#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace redraft::replica::local {

enum class NodeRole : std::uint8_t { kFollower, kPreCandidate, kCandidate, kLeader };

// One member of the cluster, this node included.
struct MemberView {
  std::uint64_t node = 0;
  std::string host;      // what clients are told: the announced ip, else the address of the configuration
  std::string hostname;  // cluster-announce-hostname, or empty
  std::uint16_t port = 0;
  std::uint16_t peer_port = 0;
  bool self = false;
  bool voter = true;    // false: a learner
  bool link_up = true;  // of the control lane; always true for this node
  // Known to a leader only, 0 elsewhere.
  std::uint64_t match_index = 0;
  std::uint64_t last_contact_ms = 0;  // since its last acknowledgement
  bool receiving_snapshot = false;
  // A learner that is to be promoted: the round of its catch-up, from 1, and the entries that it lacks of that.
  std::uint32_t catch_up_round = 0;
  std::uint64_t missing = 0;
  // For CLUSTER LINKS: when the link came up (Unix milliseconds), and what waits to be written to it.
  std::uint64_t link_since_ms = 0;
  std::uint64_t unsent_bytes = 0;
};

struct DatabaseView {
  std::uint32_t db = 0;
  std::uint64_t keys = 0;  // physical ones, as DBSIZE counts them
  std::uint64_t expires = 0;
  std::uint64_t average_ttl_ms = 0;
};

// What the operating system says about the process. The host reads it, at most once a second; zeros where it did not.
struct ProcessView {
  std::uint64_t process_id = 0;
  std::string executable;   // absolute path
  std::string system_name;  // "Linux 6.1.0-18-amd64 x86_64"
  std::string compiler_version;
  std::string build_id;
  std::uint64_t resident_bytes = 0;
  std::uint64_t system_memory_bytes = 0;
  std::uint64_t allocator_allocated_bytes = 0;
  std::uint64_t user_cpu_us = 0;
  std::uint64_t system_cpu_us = 0;
  std::uint64_t kept_sockets = 0;  // to other servers, for the next MIGRATE
};

// The comparison of all nodes' data.
struct AuditView {
  bool running = false;
  bool disputed = false;  // writes are refused
  std::uint64_t passes = 0;
  std::uint64_t ranges = 0;
  std::uint64_t undecided = 0;
  std::uint64_t differences = 0;
  std::uint64_t last_differed = 0;
};

// The facts that node-local commands show, gathered at one moment. A value: nothing in it refers to the replica, so
// that every reply can be tested without one.
struct NodeView {
  // Identity.
  std::string cluster_id;  // any bytes that are the same on all nodes for ever (the identity file's); empty: not known
  std::uint64_t node = 0;
  std::uint64_t boot = 0;
  bool cluster_enabled = false;  // the setting, with `auto` resolved

  // Time.
  std::uint64_t wall_us = 0;
  std::uint64_t monotonic_ms = 0;
  std::uint64_t started_monotonic_ms = 0;

  // Life.
  bool loading = false;
  bool stopping = false;
  bool joining = false;  // has no cluster yet and asks for one
  bool removed = false;  // from its cluster
  std::uint64_t loading_started_s = 0;
  std::uint64_t loading_bytes_total = 0;
  std::uint64_t loading_bytes_read = 0;
  std::uint64_t pending_free_objects = 0;  // detached values whose memory is being freed in slices

  // Raft. `leader` 0 means that none is known now; `last_leader` is the newest one that ever was (pitfall A10: both are
  // taken together with `term`).
  NodeRole role = NodeRole::kFollower;
  std::uint64_t term = 0;
  std::uint64_t leader = 0;
  std::uint64_t last_leader = 0;
  std::uint64_t commit_index = 0;
  std::uint64_t applied_index = 0;
  std::uint64_t last_index = 0;
  std::uint64_t snapshot_index = 0;
  std::uint64_t log_bytes = 0;
  std::uint64_t leader_contact_ms = 0;  // on a follower: since the leader was last heard
  std::vector<MemberView> members;      // ascending by node id

  // Data.
  std::vector<DatabaseView> databases;  // those with keys, ascending
  std::uint64_t used_memory = 0;        // all that this node accounts for
  std::uint64_t dataset_memory = 0;     // the store
  std::uint64_t clients_memory = 0;     // buffers of all sessions
  std::uint64_t log_memory = 0;         // entries held in memory
  std::uint64_t waiting_keys = 0;       // distinct keys with replicated waiters

  AuditView audit;

  ProcessView process;
};

}  // namespace redraft::replica::local
