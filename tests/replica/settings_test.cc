#include "server/replica/settings.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <fstream>
#include <utility>

#include "server/replica/settings_file.h"
#include "server/replica/settings_table.h"

namespace redraft::replica {
namespace {

// CONFIG GET * of Debian 12's redis-server 7.0.15 without a file, but for port, dir and the like.
constexpr auto kRedisDefaults = std::to_array<std::pair<std::string_view, std::string_view>>({
    {"acl-pubsub-default", "resetchannels"},
    {"aclfile", ""},
    {"acllog-max-len", "128"},
    {"active-defrag-cycle-max", "25"},
    {"active-defrag-cycle-min", "1"},
    {"active-defrag-ignore-bytes", "104857600"},
    {"active-defrag-max-scan-fields", "1000"},
    {"active-defrag-threshold-lower", "10"},
    {"active-defrag-threshold-upper", "100"},
    {"active-expire-effort", "1"},
    {"activedefrag", "no"},
    {"activerehashing", "yes"},
    {"always-show-logo", "no"},
    {"aof-disable-auto-gc", "no"},
    {"aof-load-truncated", "yes"},
    {"aof-rewrite-incremental-fsync", "yes"},
    {"aof-timestamp-enabled", "no"},
    {"aof-use-rdb-preamble", "yes"},
    {"aof_rewrite_cpulist", ""},
    {"appenddirname", "appendonlydir"},
    {"appendfilename", "appendonly.aof"},
    {"appendfsync", "everysec"},
    {"appendonly", "no"},
    {"auto-aof-rewrite-min-size", "67108864"},
    {"auto-aof-rewrite-percentage", "100"},
    {"bgsave_cpulist", ""},
    {"bind", "* -::*"},
    {"bind-source-addr", ""},
    {"bio_cpulist", ""},
    {"busy-reply-threshold", "5000"},
    {"client-output-buffer-limit", "normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60"},
    {"client-query-buffer-limit", "1073741824"},
    {"cluster-allow-pubsubshard-when-down", "yes"},
    {"cluster-allow-reads-when-down", "no"},
    {"cluster-allow-replica-migration", "yes"},
    {"cluster-announce-bus-port", "0"},
    {"cluster-announce-hostname", ""},
    {"cluster-announce-ip", ""},
    {"cluster-announce-port", "0"},
    {"cluster-announce-tls-port", "0"},
    {"cluster-config-file", "nodes.conf"},
    {"cluster-enabled", "no"},
    {"cluster-link-sendbuf-limit", "0"},
    {"cluster-migration-barrier", "1"},
    {"cluster-node-timeout", "15000"},
    {"cluster-port", "0"},
    {"cluster-preferred-endpoint-type", "ip"},
    {"cluster-replica-no-failover", "no"},
    {"cluster-replica-validity-factor", "10"},
    {"cluster-require-full-coverage", "yes"},
    {"cluster-slave-no-failover", "no"},
    {"cluster-slave-validity-factor", "10"},
    {"crash-log-enabled", "yes"},
    {"crash-memcheck-enabled", "yes"},
    {"databases", "16"},
    {"dbfilename", "dump.rdb"},
    {"disable-thp", "yes"},
    {"dynamic-hz", "yes"},
    {"enable-debug-command", "no"},
    {"enable-module-command", "no"},
    {"enable-protected-configs", "no"},
    {"hash-max-listpack-entries", "512"},
    {"hash-max-listpack-value", "64"},
    {"hash-max-ziplist-entries", "512"},
    {"hash-max-ziplist-value", "64"},
    {"hll-sparse-max-bytes", "3000"},
    {"hz", "10"},
    {"ignore-warnings", ""},
    {"io-threads", "1"},
    {"io-threads-do-reads", "no"},
    {"jemalloc-bg-thread", "yes"},
    {"latency-monitor-threshold", "0"},
    {"latency-tracking", "yes"},
    {"latency-tracking-info-percentiles", "50 99 99.9"},
    {"lazyfree-lazy-eviction", "no"},
    {"lazyfree-lazy-expire", "no"},
    {"lazyfree-lazy-server-del", "no"},
    {"lazyfree-lazy-user-del", "no"},
    {"lazyfree-lazy-user-flush", "no"},
    {"lfu-decay-time", "1"},
    {"lfu-log-factor", "10"},
    {"list-compress-depth", "0"},
    {"list-max-listpack-size", "-2"},
    {"list-max-ziplist-size", "-2"},
    {"loglevel", "notice"},
    {"lua-time-limit", "5000"},
    {"masterauth", ""},
    {"masteruser", ""},
    {"maxclients", "10000"},
    {"maxmemory", "0"},
    {"maxmemory-clients", "0"},
    {"maxmemory-eviction-tenacity", "10"},
    {"maxmemory-policy", "noeviction"},
    {"maxmemory-samples", "5"},
    {"min-replicas-max-lag", "10"},
    {"min-replicas-to-write", "0"},
    {"min-slaves-max-lag", "10"},
    {"min-slaves-to-write", "0"},
    {"no-appendfsync-on-rewrite", "no"},
    {"notify-keyspace-events", ""},
    {"oom-score-adj", "no"},
    {"oom-score-adj-values", "0 200 800"},
    {"proc-title-template", "{title} {listen-addr} {server-mode}"},
    {"propagation-error-behavior", "ignore"},
    {"protected-mode", "yes"},
    {"proto-max-bulk-len", "536870912"},
    {"rdb-del-sync-files", "no"},
    {"rdb-save-incremental-fsync", "yes"},
    {"rdbchecksum", "yes"},
    {"rdbcompression", "yes"},
    {"repl-backlog-size", "1048576"},
    {"repl-backlog-ttl", "3600"},
    {"repl-disable-tcp-nodelay", "no"},
    {"repl-diskless-load", "disabled"},
    {"repl-diskless-sync", "yes"},
    {"repl-diskless-sync-delay", "5"},
    {"repl-diskless-sync-max-replicas", "0"},
    {"repl-ping-replica-period", "10"},
    {"repl-ping-slave-period", "10"},
    {"repl-timeout", "60"},
    {"replica-announce-ip", ""},
    {"replica-announce-port", "0"},
    {"replica-announced", "yes"},
    {"replica-ignore-disk-write-errors", "no"},
    {"replica-ignore-maxmemory", "yes"},
    {"replica-lazy-flush", "no"},
    {"replica-priority", "100"},
    {"replica-read-only", "yes"},
    {"replica-serve-stale-data", "yes"},
    {"replicaof", ""},
    {"requirepass", ""},
    {"sanitize-dump-payload", "no"},
    {"save", "3600 1 300 100 60 10000"},
    {"server_cpulist", ""},
    {"set-max-intset-entries", "512"},
    {"set-proc-title", "yes"},
    {"shutdown-on-sigint", "default"},
    {"shutdown-on-sigterm", "default"},
    {"shutdown-timeout", "10"},
    {"slave-announce-ip", ""},
    {"slave-announce-port", "0"},
    {"slave-ignore-maxmemory", "yes"},
    {"slave-lazy-flush", "no"},
    {"slave-priority", "100"},
    {"slave-read-only", "yes"},
    {"slave-serve-stale-data", "yes"},
    {"slaveof", ""},
    {"slowlog-log-slower-than", "10000"},
    {"slowlog-max-len", "128"},
    {"socket-mark-id", "0"},
    {"stop-writes-on-bgsave-error", "yes"},
    {"stream-node-max-bytes", "4096"},
    {"stream-node-max-entries", "100"},
    {"supervised", "no"},
    {"syslog-enabled", "no"},
    {"syslog-facility", "local0"},
    {"syslog-ident", "redis"},
    {"tcp-backlog", "511"},
    {"tcp-keepalive", "300"},
    {"timeout", "0"},
    {"tls-auth-clients", "yes"},
    {"tls-ca-cert-dir", ""},
    {"tls-ca-cert-file", ""},
    {"tls-cert-file", ""},
    {"tls-ciphers", ""},
    {"tls-ciphersuites", ""},
    {"tls-client-cert-file", ""},
    {"tls-client-key-file", ""},
    {"tls-client-key-file-pass", ""},
    {"tls-cluster", "no"},
    {"tls-dh-params-file", ""},
    {"tls-key-file", ""},
    {"tls-key-file-pass", ""},
    {"tls-port", "0"},
    {"tls-prefer-server-ciphers", "no"},
    {"tls-protocols", ""},
    {"tls-replication", "no"},
    {"tls-session-cache-size", "20480"},
    {"tls-session-cache-timeout", "300"},
    {"tls-session-caching", "yes"},
    {"tracking-table-max-keys", "1000000"},
    {"unixsocket", ""},
    {"unixsocketperm", "0"},
    {"zset-max-listpack-entries", "128"},
    {"zset-max-listpack-value", "64"},
    {"zset-max-ziplist-entries", "128"},
    {"zset-max-ziplist-value", "64"},
});

// The directives of Debian 12's /etc/redis/redis.conf, comments left out, `dir` and `daemonize` with it.
constexpr std::string_view kStockFile = R"(
bind 127.0.0.1 -::1
protected-mode yes
port 6379
tcp-backlog 511
timeout 0
tcp-keepalive 300
daemonize yes
pidfile /run/redis/redis-server.pid
loglevel notice
logfile /var/log/redis/redis-server.log
databases 16
always-show-logo no
set-proc-title yes
proc-title-template "{title} {listen-addr} {server-mode}"
stop-writes-on-bgsave-error yes
rdbcompression yes
rdbchecksum yes
dbfilename dump.rdb
rdb-del-sync-files no
dir /var/lib/redis
replica-serve-stale-data yes
replica-read-only yes
repl-diskless-sync yes
repl-diskless-sync-delay 5
repl-diskless-sync-max-replicas 0
repl-diskless-load disabled
repl-disable-tcp-nodelay no
replica-priority 100
acllog-max-len 128
lazyfree-lazy-eviction no
lazyfree-lazy-expire no
lazyfree-lazy-server-del no
replica-lazy-flush no
lazyfree-lazy-user-del no
lazyfree-lazy-user-flush no
oom-score-adj no
oom-score-adj-values 0 200 800
disable-thp yes
appendonly no
appendfilename "appendonly.aof"
appenddirname "appendonlydir"
appendfsync everysec
no-appendfsync-on-rewrite no
auto-aof-rewrite-percentage 100
auto-aof-rewrite-min-size 64mb
aof-load-truncated yes
aof-use-rdb-preamble yes
aof-timestamp-enabled no
slowlog-log-slower-than 10000
slowlog-max-len 128
latency-monitor-threshold 0
notify-keyspace-events ""
hash-max-listpack-entries 512
hash-max-listpack-value 64
list-max-listpack-size -2
list-compress-depth 0
set-max-intset-entries 512
zset-max-listpack-entries 128
zset-max-listpack-value 64
hll-sparse-max-bytes 3000
stream-node-max-bytes 4096
stream-node-max-entries 100
activerehashing yes
client-output-buffer-limit normal 0 0 0
client-output-buffer-limit replica 256mb 64mb 60
client-output-buffer-limit pubsub 32mb 8mb 60
hz 10
dynamic-hz yes
aof-rewrite-incremental-fsync yes
rdb-save-incremental-fsync yes
jemalloc-bg-thread yes
)";

std::vector<std::string> ignored;

Settings read(std::string_view text) {
  Result<Settings> settings = Settings::from_text(text, ignored);
  EXPECT_TRUE(settings.ok()) << (settings.ok() ? "" : settings.error().message);
  return settings.ok() ? *std::move(settings) : Settings();
}

std::string refusal(std::string_view text) {
  Result<Settings> settings = Settings::from_text(text, ignored);
  return settings.ok() ? "accepted" : settings.error().message;
}

std::string set_error(std::string_view name, std::string_view text) {
  Settings settings;
  Status status = settings.set(name, text);
  return status.ok() ? "OK " + *settings.find(name) : status.error().message;
}

TEST(Settings, AnswerRedissDefaultsForEveryName) {
  // What differs, and why: appendfsync and appendonly (the log is always on and synced), cluster-enabled (by the number
  // of nodes); cluster-port stays 0.
  constexpr auto kOurs = std::to_array<std::string_view>({"appendfsync", "appendonly", "cluster-enabled"});
  const Settings settings;
  for (const auto& [name, text] : kRedisDefaults) {
    ASSERT_NE(settings.find(name), nullptr) << name;
    if (std::ranges::find(kOurs, name) != kOurs.end()) continue;
    EXPECT_EQ(*settings.find(name), text) << name;
  }
}

TEST(Settings, EveryDefaultIsValidCanonicalAndTheTypedDefault) {
  Settings settings;
  for (const Directive& directive : all_directives()) {
    Result<std::string> canonical = settings.canonical_form(directive.name, directive.text);
    ASSERT_TRUE(canonical.ok()) << directive.name << ": " << canonical.error().message;
    EXPECT_EQ(*canonical, directive.text) << directive.name;
    ASSERT_TRUE(settings.set(directive.name, directive.text).ok());
  }
  const Values fresh;
  EXPECT_EQ(settings.values().bind, fresh.bind);
  EXPECT_EQ(settings.values().port, fresh.port);
  EXPECT_EQ(settings.values().maxclients, fresh.maxclients);
  EXPECT_EQ(settings.values().output_replica.soft_bytes, fresh.output_replica.soft_bytes);
  EXPECT_EQ(settings.values().output_pubsub.hard_bytes, fresh.output_pubsub.hard_bytes);
  EXPECT_EQ(settings.values().client_query_buffer_limit, fresh.client_query_buffer_limit);
  EXPECT_EQ(settings.values().election_timeout_ms, fresh.election_timeout_ms);
  EXPECT_EQ(settings.values().heartbeat_interval_ms, fresh.heartbeat_interval_ms);
  EXPECT_EQ(settings.values().max_clock_drift_ppm, fresh.max_clock_drift_ppm);
  EXPECT_EQ(settings.values().leaderless_wait_ms, fresh.leaderless_wait_ms);
  EXPECT_EQ(settings.values().log_segment_size, fresh.log_segment_size);
  EXPECT_EQ(settings.values().snapshot_log_bytes, fresh.snapshot_log_bytes);
  EXPECT_EQ(settings.values().snapshot_log_entries, fresh.snapshot_log_entries);
  EXPECT_EQ(settings.values().snapshot_tail_bytes, fresh.snapshot_tail_bytes);
  EXPECT_EQ(settings.values().snapshot_tail_entries, fresh.snapshot_tail_entries);
  EXPECT_EQ(settings.values().client_memory_max, fresh.client_memory_max);
  EXPECT_EQ(settings.values().databases, fresh.databases);
  EXPECT_EQ(settings.values().proto_max_bulk_len, fresh.proto_max_bulk_len);
  EXPECT_EQ(settings.values().slowlog_log_slower_than_us, fresh.slowlog_log_slower_than_us);
  EXPECT_EQ(settings.values().slowlog_max_len, fresh.slowlog_max_len);
  EXPECT_EQ(settings.values().cluster_enabled, fresh.cluster_enabled);
  EXPECT_EQ(settings.values().append_fsync, fresh.append_fsync);
}

TEST(Settings, DebiansStockFileStarts) {
  std::vector<std::string> warnings;
  Result<Settings> settings = Settings::from_text(kStockFile, warnings);
  ASSERT_TRUE(settings.ok()) << settings.error().message;
  EXPECT_EQ(settings->values().bind, (std::vector<std::string>{"127.0.0.1", "-::1"}));
  EXPECT_TRUE(settings->loopback_only());
  EXPECT_TRUE(settings->values().daemonize);
  EXPECT_EQ(settings->values().log_file, "/var/log/redis/redis-server.log");
  EXPECT_EQ(settings->values().output_replica.hard_bytes, 268435456u);
  // Its `appendfsync everysec` stands beside `appendonly no` and must not cost acknowledged writes.
  EXPECT_EQ(settings->values().append_fsync, AppendFsync::kAlways);
  const auto warned = [&](std::string_view name) {
    return std::ranges::count_if(
        warnings, [&](const std::string& w) { return w.find("'" + std::string(name) + "'") != std::string::npos; });
  };
  EXPECT_EQ(warned("rdbcompression"), 1);
  EXPECT_EQ(warned("jemalloc-bg-thread"), 1);
  EXPECT_EQ(warned("port"), 0);
}

TEST(Settings, UnknownDirectiveIsRedissFatalErrorWithItsLine) {
  EXPECT_EQ(refusal("port 1\n\nfoo  bar \n"),
            "\n*** FATAL CONFIG FILE ERROR (Redis 7.2.5) ***\nReading the configuration file, at line 3\n"
            ">>> 'foo  bar'\nBad directive or wrong number of arguments");
  EXPECT_NE(refusal("port 1 2").find("wrong number of arguments"), std::string::npos);
  EXPECT_NE(refusal("port abc").find("argument couldn't be parsed into an integer"), std::string::npos);
  EXPECT_NE(refusal("port").find("wrong number of arguments"), std::string::npos);
  EXPECT_NE(refusal("requirepass \"abc").find("Unbalanced quotes in configuration line"), std::string::npos);
  EXPECT_NE(refusal("replicaof 127.0.0.1 1").find("replicaof directive not allowed in cluster mode"),
            std::string::npos);
  for (const std::string_view door : {"rename-command FLUSHALL x", "loadmodule a.so", "tls-replication yes"}) {
    EXPECT_NE(refusal(door).find("not supported by redraft"), std::string::npos) << door;
  }
  EXPECT_EQ(refusal("replicaof \"\""), "accepted");
}

TEST(Settings, ErrorsAreRedissWords) {
  EXPECT_EQ(set_error("maxmemory", "1Gb"), "OK 1073741824");
  EXPECT_EQ(set_error("maxmemory", "1g"), "OK 1000000000");
  EXPECT_EQ(set_error("maxmemory", "1.5g"), "argument must be a memory value");
  EXPECT_EQ(set_error("maxmemory", "99999999999gb"), "argument must be a memory value");
  EXPECT_EQ(set_error("maxmemory-clients", "101%"), "percentage argument must be less or equal to 100");
  EXPECT_EQ(set_error("maxmemory-clients", "10%"), "OK 10%");
  EXPECT_EQ(set_error("maxmemory-clients", "x"), "argument must be a memory or percent value");
  EXPECT_EQ(set_error("cluster-announce-ip", "fe80::1%eth0"), "OK fe80::1%eth0");
  EXPECT_EQ(set_error("cluster-announce-ip", "node-1.example"), "OK node-1.example");
  EXPECT_EQ(set_error("cluster-announce-ip", "-100%"), "argument must be an IP address or a host name");
  EXPECT_EQ(set_error("cluster-announce-ip", "10.0.0.1 x"), "argument must be an IP address or a host name");
  EXPECT_EQ(set_error("repl-timeout", "0"), "argument must be between 1 and 2147483647 inclusive");
  EXPECT_EQ(set_error("loglevel", "foo"),
            "argument(s) must be one of the following: debug, verbose, notice, warning, nothing");
  EXPECT_EQ(set_error("protected-mode", "maybe"), "argument must be 'yes' or 'no'");
  EXPECT_EQ(set_error("unixsocketperm", "755"), "OK 755");
  EXPECT_EQ(set_error("unixsocketperm", "7777"), "argument must be between 0 and 777 inclusive");
  EXPECT_EQ(set_error("save", "900 1 x"), "Invalid save parameters");
  EXPECT_EQ(set_error("save", ""), "OK ");
  EXPECT_EQ(set_error("notify-keyspace-events", "KEA"), "OK AKE");
  EXPECT_EQ(set_error("notify-keyspace-events", "q"), "Invalid event class character. Use 'Ag$lshzxeKEtmdn'.");
  EXPECT_EQ(set_error("client-output-buffer-limit", "replica 1kb 2 3"),
            "OK normal 0 0 0 slave 1024 2 3 pubsub 33554432 8388608 60");
  EXPECT_EQ(set_error("client-output-buffer-limit", "foo 1 2 3"),
            "Invalid client class specified in buffer limit configuration.");
  EXPECT_EQ(set_error("shutdown-on-sigint", "now save"), "OK save now");
  EXPECT_EQ(set_error("latency-tracking-info-percentiles", "50 99.9000"), "OK 50 99.9");
  EXPECT_EQ(set_error("oom-score-adj-values", "1 2"), "wrong number of arguments");
}

TEST(Settings, ConfigGetMatchesNamesAndAliases) {
  const Settings settings;
  const auto names = [&](std::string_view pattern) {
    std::map<std::string, std::string> found;
    settings.match(pattern, found);
    std::string list;
    for (const auto& [name, text] : found) list += name + " ";
    return list;
  };
  EXPECT_EQ(names("zset-max-*list-value"), "zset-max-ziplist-value ");
  EXPECT_EQ(names("zset-max-*"),
            "zset-max-listpack-entries zset-max-listpack-value zset-max-ziplist-entries zset-max-ziplist-value ");
  EXPECT_EQ(names("PORT"), "PORT ");
  EXPECT_EQ(names("[Ss]lave?f"), "slaveof ");
  EXPECT_EQ(names("*-delay"), "repl-diskless-sync-delay ") << "hidden ones only by their full name";
  EXPECT_EQ(names("key-load-delay"), "key-load-delay ");
  EXPECT_EQ(names("nothing*"), "");
}

TEST(Settings, QuotingIsRediss) {
  const auto words = [](std::string_view line) { return split_quoted(line).value_or(std::vector<std::string>{"!"}); };
  EXPECT_EQ(words("a  \"b c\" 'd\\'e' \"\\x41\\n\""), (std::vector<std::string>{"a", "b c", "d'e", "A\n"}));
  EXPECT_EQ(words("a \"\""), (std::vector<std::string>{"a", ""}));
  EXPECT_EQ(words("\"a\"b"), (std::vector<std::string>{"!"}));
  EXPECT_EQ(words("\"a"), (std::vector<std::string>{"!"}));
  EXPECT_EQ(words(""), std::vector<std::string>{});
  const std::string odd = std::string("a\0\"\\\n\xff", 6);
  EXPECT_EQ(words(replica::quoted(odd)), std::vector<std::string>{odd});
}

TEST(Settings, SaveLinesAddUpAndIncludeReadsOnce) {
  EXPECT_EQ(*read("save 900 1\nsave 300 10\n").find("save"), "900 1 300 10");
  EXPECT_EQ(*read("save \"900 1\"\n").find("save"), "900 1");
  EXPECT_EQ(*read("save 900 1\nsave \"\"\n").find("save"), "");
  const std::string path = testing::TempDir() + "redraft_settings_include.conf";
  std::ofstream(path) << "timeout 7\nbad line here\n";
  EXPECT_NE(refusal("port 1\ninclude " + path).find("at line 2\n>>> 'bad line here'"), std::string::npos);
  std::ofstream(path) << "timeout 7\n";
  EXPECT_EQ(read("include " + path).values().timeout_s, 7u);
  std::ofstream(path) << "include " + path + "\n";
  EXPECT_NE(refusal("include " + path).find("circle"), std::string::npos);
  std::remove(path.c_str());
  EXPECT_NE(refusal("include " + path).find("Fatal error, can't open config file '" + path + "'"), std::string::npos);
  EXPECT_EQ(refusal("include " + path + "*"), "accepted") << "no match of a wildcard is fine";
}

TEST(Settings, CommandLineIsReadAsRedisServerDoes) {
  const std::string path = testing::TempDir() + "redraft_settings_test.conf";
  std::ofstream(path) << "port 7001\nmaxclients 5\n";
  const auto from = [&](std::vector<std::string> arguments) {
    Result<Settings> settings = Settings::from_command_line(arguments, ignored);
    EXPECT_TRUE(settings.ok()) << (settings.ok() ? "" : settings.error().message);
    return settings.ok() ? *std::move(settings) : Settings();
  };
  EXPECT_EQ(from({path, "--maxclients", "9"}).values().port, 7001);
  EXPECT_EQ(from({path, "--maxclients", "9"}).values().maxclients, 9u);
  EXPECT_EQ(from({path}).config_file(), path);
  EXPECT_EQ(from({"--port 7005", "--bind", "127.0.0.1", "::1"}).values().bind.size(), 2u);
  EXPECT_EQ(*from({"--save", "--port", "1"}).find("save"), "");
  EXPECT_EQ(*from({"--save", "900", "1"}).find("save"), "900 1");
  EXPECT_EQ(from({"--requirepass", "--a b"}).values().require_pass, "--a b");
  std::remove(path.c_str());
  Result<Settings> missing = Settings::from_command_line(std::vector<std::string>{"/nonexistent.conf"}, ignored);
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().message,
            "Fatal error, can't open config file '/nonexistent.conf': No such file or directory");
}

TEST(Settings, InitialClusterIsRedisClustersNotation) {
  const Settings settings = read(
      "bind 127.0.0.1\nport 7002\nnode-id 2\n"
      "initial-cluster 1=127.0.0.1:7001@17001,2=127.0.0.1:7002,3=[::1]:7003@7103\n");
  const std::vector<InitialMember>& members = settings.values().initial_cluster;
  ASSERT_EQ(members.size(), 3u);
  EXPECT_EQ(members[0].peer_port, 17001);
  EXPECT_EQ(members[1].peer_port, 17002);
  EXPECT_EQ(members[2].host, "::1");
  EXPECT_EQ(members[2].peer_port, 7103);
  EXPECT_EQ(settings.values().peer_port, 17002);
  for (const std::string_view bad :
       {"x", "0=h:1", "1=h:1,1=h:2", "1=h:0", "1=h:1@70000", "1=h", "1=h:1@1", "1=a:b:3", "1=h:60000", "1=h:1,2=h:1"}) {
    EXPECT_NE(refusal("bind 127.0.0.1\nnode-id 1\nport 1\ninitial-cluster " + std::string(bad)).find("initial-cluster"),
              std::string::npos)
        << bad;
  }
}

TEST(Settings, UnsafeCombinationsAreRefused) {
  const std::string three = "bind 127.0.0.1\nnode-id 1\nport 7001\ninitial-cluster 1=127.0.0.1:7001,2=127.0.0.1:7002\n";
  EXPECT_EQ(refusal(three), "accepted");
  EXPECT_EQ(refusal("user bob on nopass"), "accepted");
  EXPECT_NE(refusal("user bob on nopass\naclfile /etc/users.acl").find("but not both"), std::string::npos);
  EXPECT_NE(refusal("election-timeout 250\n").find("at least three times heartbeat-interval"), std::string::npos);
  EXPECT_EQ(refusal("election-timeout 150\nheartbeat-interval 50\n"), "accepted");
  EXPECT_NE(refusal("read-mode lease\nelection-timeout 300\nmax-clock-drift 10000\n").find("read-mode lease"),
            std::string::npos)
      << "pitfall C5: a lease must be renewed in time";
  EXPECT_NE(refusal(three + "node-id 3\n").find("node-id 3 is not in initial-cluster"), std::string::npos);
  EXPECT_NE(refusal(three + "port 7009\n").find("says port 7001 for node 1"), std::string::npos);
  EXPECT_NE(refusal(three + "peer-port 1\n").find("says peer port 17001"), std::string::npos);
  EXPECT_NE(refusal(three + "bind 10.0.0.1\n").find("cluster-secret must be set"), std::string::npos);
  EXPECT_EQ(refusal(three + "bind 10.0.0.1\ncluster-secret s\n"), "accepted");
  // Pitfall I4: what cannot change at run time says so.
  EXPECT_TRUE(Settings().immutable("election-timeout"));
  EXPECT_FALSE(Settings().immutable("timeout"));
}

TEST(Settings, WhatGivesUpDurabilityOrLinearizabilitySaysSo) {
  std::vector<std::string> warnings;
  Result<Settings> settings = Settings::from_text("appendfsync everysec\nread-mode stale\n", warnings);
  ASSERT_TRUE(settings.ok());
  EXPECT_EQ(settings->values().append_fsync, AppendFsync::kEverysec);
  ASSERT_EQ(warnings.size(), 2u);
  EXPECT_NE(warnings[0].find("can be lost"), std::string::npos);
  EXPECT_NE(warnings[1].find("may miss writes"), std::string::npos);
}

TEST(Settings, WhatDecidesStateHasClusterScope) {
  const Settings settings;
  for (const std::string_view name :
       {"hash-max-listpack-entries", "list-max-ziplist-size", "set-max-intset-entries", "proto-max-bulk-len",
        "databases", "maxmemory", "maxmemory-policy", "requirepass", "hll-sparse-max-bytes", "busy-reply-threshold"}) {
    EXPECT_EQ(settings.scope(name), Settings::Scope::kCluster) << name;
  }
  EXPECT_EQ(settings.scope("maxclients"), Settings::Scope::kNode);
}

}  // namespace
}  // namespace redraft::replica
