#include "server/replica/settings_table.h"

#include <array>
#include <limits>

namespace redraft::replica {

namespace {

using Type = Directive::Type;

constexpr std::int64_t kIntMax = std::numeric_limits<std::int32_t>::max();
constexpr std::int64_t kIntMin = std::numeric_limits<std::int32_t>::min();
constexpr std::int64_t kUintMax = std::numeric_limits<std::uint32_t>::max();
constexpr std::int64_t kLongMax = std::numeric_limits<std::int64_t>::max();

constexpr std::uint16_t kI = Directive::kImmutable;
constexpr std::uint16_t kMulti = Directive::kMultiArgument;
constexpr std::uint16_t kE = Directive::kEffect;
constexpr std::uint16_t kC = Directive::kCluster | Directive::kEffect;
constexpr std::uint16_t kSecret = Directive::kSensitive;
constexpr std::uint16_t kOurs = Directive::kOurs | Directive::kEffect;
constexpr std::uint16_t kNone = 0;

// The texts are canonical by now, so reading them cannot fail.
std::uint64_t number(std::string_view text, unsigned base = 10) {
  std::uint64_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') continue;
    value = value * base + static_cast<std::uint64_t>(c - '0');
  }
  return value;
}
template <auto Member>
void take_number(Values& values, std::string_view text) {
  using Field = std::remove_reference_t<decltype(values.*Member)>;
  values.*Member = static_cast<Field>(number(text));
}
template <auto Member>
void take_octal(Values& values, std::string_view text) {
  values.*Member = static_cast<std::uint32_t>(number(text, 8));
}
template <auto Member>
void take_bool(Values& values, std::string_view text) {
  values.*Member = text == "yes";
}
template <auto Member>
void take_text(Values& values, std::string_view text) {
  values.*Member = std::string(text);
}
void take_bind(Values& values, std::string_view text) {
  values.bind.clear();
  while (!text.empty()) {
    const std::size_t space = text.find(' ');
    values.bind.emplace_back(text.substr(0, space));
    text = space == std::string_view::npos ? std::string_view() : text.substr(space + 1);
  }
}
void take_slower_than(Values& values, std::string_view text) {
  values.slowlog_log_slower_than_us = text == "-1" ? std::numeric_limits<std::uint64_t>::max() : number(text);
}
void take_maxmemory_clients(Values& values, std::string_view text) {
  const bool percent = text.ends_with('%');
  if (percent) text.remove_suffix(1);
  const auto amount = static_cast<std::int64_t>(number(text));
  values.maxmemory_clients = percent ? -amount : amount;
}
void take_append_fsync(Values& values, std::string_view text) {
  values.append_fsync = text == "always"     ? AppendFsync::kAlways
                        : text == "everysec" ? AppendFsync::kEverysec
                                             : AppendFsync::kNo;
}
void take_read_mode(Values& values, std::string_view text) {
  values.read_mode = text == "lease" ? ReadMode::kLease : text == "stale" ? ReadMode::kStale : ReadMode::kReadIndex;
}
void take_output_limits(Values& values, std::string_view text) {
  std::array<std::string_view, 12> words;
  for (std::string_view& word : words) {
    const std::size_t space = text.find(' ');
    word = text.substr(0, space);
    text = space == std::string_view::npos ? std::string_view() : text.substr(space + 1);
  }
  const auto limit = [&](std::size_t at) {
    return OutputLimit{number(words[at + 1]), number(words[at + 2]), number(words[at + 3])};
  };
  values.output_normal = limit(0);
  values.output_replica = limit(4);
  values.output_pubsub = limit(8);
}
void take_members(Values& values, std::string_view text);

constexpr std::string_view kProtectedAction = "no yes local";
constexpr std::string_view kShutdown = "default save nosave now force";

constexpr Directive flag(std::string_view name, std::uint16_t flags, bool on, std::string_view alias = {},
                         void (*take)(Values&, std::string_view) = nullptr) {
  return {name, alias, Type::kBool, flags, on ? "yes" : "no", 0, 0, {}, take};
}
constexpr Directive text(std::string_view name, std::uint16_t flags, std::string_view value = {},
                         std::string_view alias = {}, void (*take)(Values&, std::string_view) = nullptr) {
  return {name, alias, Type::kString, flags, value, 0, 0, {}, take};
}
constexpr Directive choice(std::string_view name, std::uint16_t flags, std::string_view value, std::string_view words,
                           void (*take)(Values&, std::string_view) = nullptr) {
  return {name, {}, Type::kEnum, flags, value, 0, 0, words, take};
}
constexpr Directive integer(std::string_view name, std::uint16_t flags, std::string_view value, std::int64_t minimum,
                            std::int64_t maximum, std::string_view alias = {},
                            void (*take)(Values&, std::string_view) = nullptr) {
  return {name, alias, Type::kInteger, flags, value, minimum, maximum, {}, take};
}
constexpr Directive memory(std::string_view name, std::uint16_t flags, std::string_view value, std::int64_t minimum,
                           std::int64_t maximum, std::string_view alias = {},
                           void (*take)(Values&, std::string_view) = nullptr) {
  return {name, alias, Type::kMemory, flags, value, minimum, maximum, {}, take};
}
constexpr Directive special(std::string_view name, Type type, std::uint16_t flags, std::string_view value,
                            void (*take)(Values&, std::string_view) = nullptr) {
  return {name, {}, type, flags, value, 0, 0, {}, take};
}

// clang-format off
constexpr auto kDirectives = std::to_array<Directive>({
    // yes or no
    flag("rdbchecksum", kI, true),
    flag("daemonize", kI | kE, false, {}, take_bool<&Values::daemonize>),
    flag("io-threads-do-reads", kI, false),
    flag("always-show-logo", kI, false),
    flag("protected-mode", kE, true, {}, take_bool<&Values::protected_mode>),
    flag("rdbcompression", kNone, true),
    flag("rdb-del-sync-files", kNone, false),
    flag("activerehashing", kNone, true),
    flag("stop-writes-on-bgsave-error", kNone, true),
    flag("set-proc-title", kI, true),
    flag("dynamic-hz", kNone, true),
    flag("lazyfree-lazy-eviction", kNone, false),
    flag("lazyfree-lazy-expire", kNone, false),
    flag("lazyfree-lazy-server-del", kNone, false),
    flag("lazyfree-lazy-user-del", kNone, false),
    flag("lazyfree-lazy-user-flush", kNone, false),
    flag("repl-disable-tcp-nodelay", kNone, false),
    flag("repl-diskless-sync", kNone, true),
    flag("aof-rewrite-incremental-fsync", kNone, true),
    flag("no-appendfsync-on-rewrite", kNone, false),
    flag("cluster-require-full-coverage", kNone, true),
    flag("rdb-save-incremental-fsync", kNone, true),
    flag("aof-load-truncated", kNone, true),
    flag("aof-use-rdb-preamble", kNone, true),
    flag("aof-timestamp-enabled", kNone, false),
    flag("cluster-replica-no-failover", kNone, false, "cluster-slave-no-failover"),
    flag("replica-lazy-flush", kNone, false, "slave-lazy-flush"),
    flag("replica-serve-stale-data", kNone, true, "slave-serve-stale-data"),
    flag("replica-read-only", kNone, true, "slave-read-only"),
    flag("replica-ignore-maxmemory", kNone, true, "slave-ignore-maxmemory"),
    flag("jemalloc-bg-thread", kNone, true),
    flag("activedefrag", kNone, false),
    flag("syslog-enabled", kI, false),
    // Redis knows yes and no here; ours is `auto` until a file says otherwise: yes with several nodes, no for one.
    choice("cluster-enabled", kI | kE, "auto", "yes no auto", take_text<&Values::cluster_enabled>),
    // The log is always on, so the honest default is yes where Redis has no (INFO's aof_enabled:1).
    flag("appendonly", kNone, true),
    flag("cluster-allow-reads-when-down", kNone, false),
    flag("cluster-allow-pubsubshard-when-down", kNone, true),
    flag("crash-log-enabled", kNone, true),
    flag("crash-memcheck-enabled", kNone, true),
    flag("use-exit-on-panic", Directive::kHidden, false),
    flag("disable-thp", kI, true),
    flag("cluster-allow-replica-migration", kNone, true),
    flag("replica-announced", kNone, true),
    flag("latency-tracking", kE, true),
    flag("aof-disable-auto-gc", kNone, false),
    flag("replica-ignore-disk-write-errors", kNone, false),

    // Texts
    text("aclfile", kI | kE, {}, {}, take_text<&Values::acl_file>),
    text("unixsocket", kI | kE, {}, {}, take_text<&Values::unix_socket>),
    text("pidfile", kI | kE, {}, {}, take_text<&Values::pid_file>),
    text("replica-announce-ip", kNone, {}, "slave-announce-ip"),
    text("masteruser", kSecret),
    text("cluster-announce-ip", kE, {}, {}, take_text<&Values::announce_ip>),
    text("cluster-config-file", kI, "nodes.conf"),
    text("cluster-announce-hostname", kE, {}, {}, take_text<&Values::announce_hostname>),
    text("cluster-announce-human-nodename", kNone),
    text("syslog-ident", kI, "redis"),
    text("dbfilename", Directive::kProtected, "dump.rdb"),
    text("appendfilename", kI, "appendonly.aof"),
    text("appenddirname", kI, "appendonlydir"),
    text("server_cpulist", kI), text("bio_cpulist", kI), text("aof_rewrite_cpulist", kI), text("bgsave_cpulist", kI),
    text("ignore-warnings", kNone),
    text("proc-title-template", kNone, "{title} {listen-addr} {server-mode}"),
    text("bind-source-addr", kNone),
    text("logfile", kI | kE, {}, {}, take_text<&Values::log_file>),
    text("locale-collate", kNone),
    text("masterauth", kSecret),
    text("requirepass", kC | kSecret, {}, {}, take_text<&Values::require_pass>),
    text("dir", kE | Directive::kProtected, ".", {}, take_text<&Values::dir>),

    // One of several words
    choice("supervised", kI, "no", "upstart systemd auto no"),
    choice("syslog-facility", kI, "local0", "user local0 local1 local2 local3 local4 local5 local6 local7"),
    choice("repl-diskless-load", kNone, "disabled", "disabled on-empty-db swapdb"),
    choice("loglevel", kE, "notice", "debug verbose notice warning nothing", take_text<&Values::log_level>),
    choice("maxmemory-policy", kC, "noeviction",
           "volatile-lru volatile-lfu volatile-random volatile-ttl allkeys-lru allkeys-lfu allkeys-random noeviction"),
    // Redis's default is everysec; here an acknowledged write is durable unless one asks for less.
    choice("appendfsync", kE, "always", "everysec always no", take_append_fsync),
    choice("oom-score-adj", kNone, "no", "no yes relative absolute"),
    choice("acl-pubsub-default", kC, "resetchannels", "allchannels resetchannels"),
    choice("sanitize-dump-payload", kNone, "no", "no yes clients"),
    choice("enable-protected-configs", kI | kE, "no", kProtectedAction),
    choice("enable-debug-command", kI | kE, "no", kProtectedAction, take_text<&Values::enable_debug_command>),
    choice("enable-module-command", kI, "no", kProtectedAction),
    choice("cluster-preferred-endpoint-type", kE, "ip", "ip hostname unknown-endpoint"),
    choice("propagation-error-behavior", kNone, "ignore", "ignore panic panic-on-replicas"),
    {"shutdown-on-sigint", {}, Type::kFlags, kMulti, "default", 0, 0, kShutdown, nullptr},
    {"shutdown-on-sigterm", {}, Type::kFlags, kMulti, "default", 0, 0, kShutdown, nullptr},

    // Numbers
    integer("databases", kI | kC, "16", 1, kIntMax, {}, take_number<&Values::databases>),
    integer("port", kI | kE, "6379", 0, 65535, {}, take_number<&Values::port>),
    integer("io-threads", kI, "1", 1, 128),
    integer("auto-aof-rewrite-percentage", kNone, "100", 0, kIntMax),
    integer("cluster-replica-validity-factor", kNone, "10", 0, kIntMax, "cluster-slave-validity-factor"),
    integer("list-max-listpack-size", kC, "-2", kIntMin, kIntMax, "list-max-ziplist-size"),
    integer("tcp-keepalive", kE, "300", 0, kIntMax, {}, take_number<&Values::tcp_keepalive_s>),
    integer("cluster-migration-barrier", kNone, "1", 0, kIntMax),
    integer("active-defrag-cycle-min", kNone, "1", 1, 99),
    integer("active-defrag-cycle-max", kNone, "25", 1, 99),
    integer("active-defrag-threshold-lower", kNone, "10", 0, 1000),
    integer("active-defrag-threshold-upper", kNone, "100", 0, 1000),
    integer("lfu-log-factor", kE, "10", 0, kIntMax, {}, take_number<&Values::lfu_log_factor>),
    integer("lfu-decay-time", kE, "1", 0, kIntMax, {}, take_number<&Values::lfu_decay_minutes>),
    integer("replica-priority", kNone, "100", 0, kIntMax, "slave-priority"),
    integer("repl-diskless-sync-delay", kNone, "5", 0, kIntMax),
    integer("maxmemory-samples", kE, "5", 1, kIntMax, {}, take_number<&Values::maxmemory_samples>),
    integer("maxmemory-eviction-tenacity", kNone, "10", 0, 100),
    integer("timeout", kE, "0", 0, kIntMax, {}, take_number<&Values::timeout_s>),
    integer("replica-announce-port", kNone, "0", 0, 65535, "slave-announce-port"),
    integer("tcp-backlog", kI | kE, "511", 0, kIntMax, {}, take_number<&Values::tcp_backlog>),
    integer("cluster-port", kI | kE, "0", 0, 65535),
    integer("cluster-announce-bus-port", kE, "0", 0, 65535, {}, take_number<&Values::announce_bus_port>),
    integer("cluster-announce-port", kE, "0", 0, 65535, {}, take_number<&Values::announce_port>),
    integer("cluster-announce-tls-port", kNone, "0", 0, 65535),
    integer("repl-timeout", kNone, "60", 1, kIntMax),
    integer("repl-ping-replica-period", kNone, "10", 1, kIntMax, "repl-ping-slave-period"),
    integer("list-compress-depth", kC, "0", 0, kIntMax),
    integer("rdb-key-save-delay", Directive::kHidden, "0", kIntMin, kIntMax),
    integer("key-load-delay", Directive::kHidden, "0", kIntMin, kIntMax),
    integer("active-expire-effort", kNone, "1", 1, 10),
    integer("hz", kNone, "10", 0, kIntMax),
    integer("min-replicas-to-write", kNone, "0", 0, kIntMax, "min-slaves-to-write"),
    integer("min-replicas-max-lag", kNone, "10", 0, kIntMax, "min-slaves-max-lag"),
    integer("watchdog-period", Directive::kHidden, "0", 0, kIntMax),
    integer("shutdown-timeout", kNone, "10", 0, kIntMax),
    integer("repl-diskless-sync-max-replicas", kNone, "0", 0, kIntMax),
    integer("maxclients", kE, "10000", 1, kUintMax, {}, take_number<&Values::maxclients>),
    {"unixsocketperm", {}, Type::kOctal, kI | kE, "0", 0, 0777, {}, take_octal<&Values::unix_socket_perm>},
    integer("socket-mark-id", kI, "0", 0, kUintMax),
    integer("active-defrag-max-scan-fields", kNone, "1000", 1, kLongMax),
    integer("slowlog-max-len", kE, "128", 0, kLongMax, {}, take_number<&Values::slowlog_max_len>),
    integer("acllog-max-len", kE, "128", 0, kLongMax, {}, take_number<&Values::acllog_max_len>),
    integer("busy-reply-threshold", kC, "5000", 0, kLongMax, "lua-time-limit"),
    integer("cluster-node-timeout", kNone, "15000", 0, kLongMax),
    integer("slowlog-log-slower-than", kE, "10000", -1, kLongMax, {}, take_slower_than),
    integer("latency-monitor-threshold", kE, "0", 0, kLongMax, {}, take_number<&Values::latency_monitor_threshold_ms>),
    memory("proto-max-bulk-len", kC, "536870912", 1024 * 1024, kLongMax, {}, take_number<&Values::proto_max_bulk_len>),
    integer("stream-node-max-entries", kC, "100", 0, kLongMax),
    memory("repl-backlog-size", kNone, "1048576", 1, kLongMax),
    memory("maxmemory", kC, "0", 0, kLongMax),
    memory("cluster-link-sendbuf-limit", kNone, "0", 0, kLongMax),
    integer("hash-max-listpack-entries", kC, "512", 0, kLongMax, "hash-max-ziplist-entries"),
    integer("set-max-intset-entries", kC, "512", 0, kLongMax),
    integer("set-max-listpack-entries", kC, "128", 0, kLongMax),
    integer("set-max-listpack-value", kC, "64", 0, kLongMax),
    integer("zset-max-listpack-entries", kC, "128", 0, kLongMax, "zset-max-ziplist-entries"),
    memory("active-defrag-ignore-bytes", kNone, "104857600", 1, kLongMax),
    memory("hash-max-listpack-value", kC, "64", 0, kLongMax, "hash-max-ziplist-value"),
    memory("stream-node-max-bytes", kC, "4096", 0, kLongMax),
    memory("zset-max-listpack-value", kC, "64", 0, kLongMax, "zset-max-ziplist-value"),
    memory("hll-sparse-max-bytes", kC, "3000", 0, kLongMax),
    integer("tracking-table-max-keys", kE, "1000000", 0, kLongMax, {}, take_number<&Values::tracking_table_max_keys>),
    memory("client-query-buffer-limit", kE, "1073741824", 1024 * 1024, kLongMax, {},
           take_number<&Values::client_query_buffer_limit>),
    {"maxmemory-clients", {}, Type::kPercent, kE, "0", -100, kLongMax, {}, take_maxmemory_clients},
    integer("repl-backlog-ttl", kNone, "3600", 0, kLongMax),
    memory("auto-aof-rewrite-min-size", kNone, "67108864", 0, kLongMax),
    integer("loading-process-events-interval-bytes", Directive::kHidden, "2097152", 1024, kIntMax),

    // TLS
    integer("tls-port", kNone, "0", 0, 65535),
    integer("tls-session-cache-size", kNone, "20480", 0, kIntMax),
    integer("tls-session-cache-timeout", kNone, "300", 0, kIntMax),
    flag("tls-cluster", Directive::kRefused, false),
    flag("tls-replication", Directive::kRefused, false),
    choice("tls-auth-clients", kNone, "yes", "no yes optional"),
    flag("tls-prefer-server-ciphers", kNone, false),
    flag("tls-session-caching", kNone, true),
    text("tls-cert-file", kNone), text("tls-key-file", kNone), text("tls-key-file-pass", kSecret),
    text("tls-client-cert-file", kNone), text("tls-client-key-file", kNone), text("tls-client-key-file-pass", kSecret),
    text("tls-dh-params-file", kNone), text("tls-ca-cert-file", kNone), text("tls-ca-cert-dir", kNone),
    text("tls-protocols", kNone), text("tls-ciphers", kNone), text("tls-ciphersuites", kNone),

    // Of several words
    special("save", Type::kSave, kMulti, "3600 1 300 100 60 10000"),
    special("client-output-buffer-limit", Type::kOutputLimits, kMulti | kE,
            "normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60", take_output_limits),
    special("oom-score-adj-values", Type::kScores, kMulti, "0 200 800"),
    special("notify-keyspace-events", Type::kEvents, kE, "", take_text<&Values::keyspace_events>),
    special("bind", Type::kWords, kMulti | kE | kI, "* -::*", take_bind),
    {"replicaof", "slaveof", Type::kWords, kI | kMulti | Directive::kRefused, "", 0, 0, {}, nullptr},
    special("latency-tracking-info-percentiles", Type::kPercentiles, kMulti | kE, "50 99 99.9"),

    // Ours
    integer("node-id", kOurs | kI, "0", 0, kLongMax, {}, take_number<&Values::node_id>),
    integer("peer-port", kOurs | kI, "0", 0, 65535, {}, take_number<&Values::peer_port>),
    special("initial-cluster", Type::kMembers, kOurs | kI | kMulti, "", take_members),
    text("join", kOurs | kI, {}, {}, take_text<&Values::join>),
    text("cluster-secret", kOurs | kI | kSecret, {}, {}, take_text<&Values::cluster_secret>),
    choice("read-mode", kOurs, "read-index", "read-index lease stale", take_read_mode),
    integer("election-timeout", kOurs | kI, "1000", 10, 600000, {}, take_number<&Values::election_timeout_ms>),
    integer("heartbeat-interval", kOurs | kI, "100", 1, 60000, {}, take_number<&Values::heartbeat_interval_ms>),
    integer("max-clock-drift", kOurs | kI, "500", 0, 100000, {}, take_number<&Values::max_clock_drift_ppm>),
    integer("leaderless-wait", kOurs, "1000", 0, 60000, {}, take_number<&Values::leaderless_wait_ms>),
    memory("log-segment-size", kOurs | kI, "67108864", 2 << 20, std::int64_t{4} << 30, {},
           take_number<&Values::log_segment_size>),
    memory("disk-reserve", kOurs | kI, "16777216", 0, kLongMax, {}, take_number<&Values::disk_reserve>),
    memory("script-memory-max", kOurs | kC, "134217728", 1 << 20, 512 << 20),
    integer("script-steps-max", kOurs | kC, "4000000000", 1000, kLongMax),
    memory("snapshot-log-bytes", kOurs, "268435456", 1 << 20, kLongMax, {}, take_number<&Values::snapshot_log_bytes>),
    integer("snapshot-log-entries", kOurs, "1000000", 1, kLongMax, {}, take_number<&Values::snapshot_log_entries>),
    memory("snapshot-rate", kOurs, "33554432", 0, kLongMax, {}, take_number<&Values::snapshot_rate>),
    memory("snapshot-tail-bytes", kOurs, "67108864", 0, kLongMax, {}, take_number<&Values::snapshot_tail_bytes>),
    integer("audit-interval", kOurs, "600", 0, kUintMax, {}, take_number<&Values::audit_interval_s>),
    integer("snapshot-tail-entries", kOurs, "10000", 0, kLongMax, {}, take_number<&Values::snapshot_tail_entries>),
    memory("client-memory-max", kOurs, "67108864", 1 << 20, kLongMax, {}, take_number<&Values::client_memory_max>),
    // `proxy` joins these words when followers learn to pass commands on.
    choice("redirect-mode", kOurs | kI, "redirect", "redirect"),
});
// clang-format on

void take_members(Values& values, std::string_view text) {
  values.initial_cluster.clear();
  while (!text.empty()) {
    const std::size_t comma = text.find(',');
    const std::string_view member = text.substr(0, comma);
    text = comma == std::string_view::npos ? std::string_view() : text.substr(comma + 1);
    const std::size_t equals = member.find('=');
    const std::size_t at = member.rfind('@');
    const std::size_t colon = member.rfind(':', at);
    std::string_view host = member.substr(equals + 1, colon - equals - 1);
    if (host.size() > 2 && host.front() == '[') host = host.substr(1, host.size() - 2);
    values.initial_cluster.push_back({number(member.substr(0, equals)), std::string(host),
                                      static_cast<std::uint16_t>(number(member.substr(colon + 1, at - colon - 1))),
                                      static_cast<std::uint16_t>(number(member.substr(at + 1)))});
  }
}

}  // namespace

std::span<const Directive> all_directives() {
  return kDirectives;
}

const Directive* find_directive(std::string_view name) {
  const auto same = [name](std::string_view other) {
    if (name.size() != other.size()) return false;
    for (std::size_t i = 0; i < name.size(); ++i) {
      const char c = name[i] >= 'A' && name[i] <= 'Z' ? static_cast<char>(name[i] + 32) : name[i];
      if (c != other[i]) return false;
    }
    return true;
  };
  for (const Directive& directive : kDirectives) {
    if (same(directive.name) || (!directive.alias.empty() && same(directive.alias))) return &directive;
  }
  return nullptr;
}

}  // namespace redraft::replica
