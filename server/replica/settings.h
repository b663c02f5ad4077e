#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace redraft::replica {

enum class AppendFsync : std::uint8_t { kAlways, kEverysec, kNo };
enum class ReadMode : std::uint8_t { kReadIndex, kLease, kStale };

struct InitialMember {
  std::uint64_t node = 0;
  std::string host;
  std::uint16_t port = 0;
  std::uint16_t peer_port = 0;
};

// client-output-buffer-limit of one class; bytes and seconds, 0 is no limit.
struct OutputLimit {
  std::uint64_t hard_bytes = 0;
  std::uint64_t soft_bytes = 0;
  std::uint64_t soft_seconds = 0;
};

// The directives that code reads, typed. Defaults are Redis 7.2's, ours where Redis has none. Milliseconds end in _ms.
struct Values {
  // Doors
  std::vector<std::string> bind = {"*", "-::*"};
  std::uint16_t port = 6379;
  std::uint32_t tcp_backlog = 511;
  std::string unix_socket;
  std::uint32_t unix_socket_perm = 0;
  std::uint32_t timeout_s = 0;
  std::uint32_t tcp_keepalive_s = 300;
  std::uint32_t maxclients = 10000;
  bool protected_mode = true;
  OutputLimit output_normal;
  OutputLimit output_replica{268435456, 67108864, 60};
  OutputLimit output_pubsub{33554432, 8388608, 60};
  std::uint64_t client_query_buffer_limit = 1073741824;
  std::int64_t maxmemory_clients = 0;  // bytes; negative: percent of maxmemory; 0: no limit
  std::string announce_ip;
  std::string announce_hostname;
  std::uint16_t announce_port = 0;
  std::uint16_t announce_bus_port = 0;

  // Process
  std::string dir = ".";
  bool daemonize = false;
  std::string pid_file;
  std::string log_level = "notice";
  std::string log_file;
  std::string enable_debug_command = "no";  // yes, no, local

  // Cluster and Raft
  std::uint64_t node_id = 0;    // 0: 1 for a single node, else it must be given
  std::uint16_t peer_port = 0;  // 0: port + 10000
  std::vector<InitialMember> initial_cluster;
  std::string join;  // host:port[@peer-port] of a member, `wait`, or empty
  std::string cluster_secret;
  std::string cluster_enabled = "auto";  // auto: yes with several nodes, no for one
  AppendFsync append_fsync = AppendFsync::kAlways;
  ReadMode read_mode = ReadMode::kReadIndex;
  // What a leader asks its voters to promise (thesis 6.4.1); 0: nothing. Half an election timeout is over before
  // anybody who stays without a leader campaigns.
  [[nodiscard]] std::uint64_t lease_us() const {
    return read_mode == ReadMode::kLease ? std::uint64_t{election_timeout_ms} * 1000 / 2 : 0;
  }
  std::uint32_t election_timeout_ms = 1000;
  std::uint32_t heartbeat_interval_ms = 100;
  std::uint32_t max_clock_drift_ppm = 500;
  std::uint32_t leaderless_wait_ms = 1000;
  std::uint64_t log_segment_size = 67108864;
  std::uint64_t disk_reserve = 16777216;         // kept free for a full disk to recover with; 0: none
  std::uint64_t snapshot_log_bytes = 268435456;  // a snapshot after this much log...
  std::uint64_t snapshot_log_entries = 1000000;  // ...or this many entries since the last
  std::uint64_t snapshot_rate = 33554432;        // of the walk beside clients, bytes per second; 0: no bound
  std::uint64_t snapshot_tail_bytes = 67108864;  // log kept behind a snapshot for followers that were away briefly
  std::uint64_t snapshot_tail_entries = 10000;
  std::uint64_t audit_interval_s = 600;        // from the end of one comparison of all nodes' data to the next; 0: none
  std::uint64_t client_memory_max = 67108864;  // the one bound over unparsed input, open batch and uncommitted bytes

  // Seeds of cluster state: they count only when a cluster is bootstrapped, afterwards the log has them.
  std::string require_pass;
  std::uint32_t databases = 16;
  std::uint64_t proto_max_bulk_len = 536870912;

  std::string acl_file;
  std::vector<std::string> users;  // `user` lines: name and rules
  std::uint64_t acllog_max_len = 128;
  std::string keyspace_events;  // notify-keyspace-events
  std::uint64_t tracking_table_max_keys = 1000000;

  // Which keys are evicted (maxmemory and its policy are cluster state)
  std::uint32_t maxmemory_samples = 5;
  std::uint32_t lfu_log_factor = 10;
  std::uint32_t lfu_decay_minutes = 1;

  std::uint64_t slowlog_log_slower_than_us = 10000;
  std::uint64_t slowlog_max_len = 128;
  std::uint64_t latency_monitor_threshold_ms = 0;
};

// The value of `join` as an address; nothing for `wait` and for what is none. @peer-port defaults to port + 10000.
[[nodiscard]] std::optional<InitialMember> parse_join(std::string_view text);

// Every name of redis.conf 7.2 and ours, with its current text. Node settings change here; cluster settings are kept in
// the store and go through the log, this object only knows that they do and seeds them at bootstrap.
class Settings {
 public:
  enum class Scope : std::uint8_t { kNode, kCluster };

  Settings();
  ~Settings();
  Settings(Settings&&) noexcept;
  Settings& operator=(Settings&&) noexcept;

  // The command line: [file|-] [--name value ...] as redis-server takes it. Errors are Redis's FATAL CONFIG FILE ERROR
  // text with the line, ready for standard error. `warnings` gets one sentence per directive without effect.
  // `arguments` without the program's name. Rules between values are checked too.
  static Result<Settings> from_command_line(std::span<const std::string> arguments, std::vector<std::string>& warnings);
  // The same for text that is already in memory, as if it were the file.
  static Result<Settings> from_text(std::string_view text, std::vector<std::string>& warnings);

  [[nodiscard]] const Values& values() const { return values_; }
  [[nodiscard]] Values& values() { return values_; }

  // CONFIG GET: (name, text) pairs that match the glob pattern.
  void match(std::string_view pattern, std::map<std::string, std::string>& into) const;
  [[nodiscard]] const std::string* find(std::string_view name) const;
  [[nodiscard]] bool known(std::string_view name) const;
  [[nodiscard]] bool immutable(std::string_view name) const;
  [[nodiscard]] Scope scope(std::string_view name) const;
  // Checks only; the message is what CONFIG SET answers after "CONFIG SET failed (possibly related to argument 'x') -
  // ".
  [[nodiscard]] Status check(std::string_view name, std::string_view text) const;
  // The text that CONFIG GET would show after `set`: cluster settings go into the log in this form.
  [[nodiscard]] Result<std::string> canonical_form(std::string_view name, std::string_view text) const;
  // Checks and sets the text and the typed value.
  [[nodiscard]] Status set(std::string_view name, std::string_view text);
  // Rules between values: election-timeout against heartbeat-interval and the like.
  [[nodiscard]] Status check_ratios() const;
  // Every address of `bind` is this machine's own: protected-mode and the peer port need no secret then.
  [[nodiscard]] bool loopback_only() const;
  [[nodiscard]] const std::string& config_file() const { return config_file_; }

 private:
  struct Texts;
  friend class SettingsFile;
  std::unique_ptr<Texts> texts_;
  Values values_;
  std::string config_file_;
};

}  // namespace redraft::replica
