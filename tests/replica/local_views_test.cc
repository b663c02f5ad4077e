// Node-local commands that show what a node sees: INFO, CLUSTER, SENTINEL, DEBUG, SLOWLOG, LATENCY, MEMORY.

#include <gtest/gtest.h>

#include <algorithm>

#include "server/replica/local/node_names.h"
#include "tests/replica/fake_node.h"

namespace redraft::replica::local {
namespace {

TEST(LocalInfo, SectionsAndFields) {
  FakeNode node;
  const std::string standard = node.text(CommandId::kInfo, {"info"});
  for (const std::string_view needed :
       {"# Server\r\nredis_version:7.2.5\r\nredraft_version:", "redis_mode:cluster\r\n", "uptime_in_seconds:30\r\n",
        "tcp_port:6379\r\n", "connected_clients:1\r\n", "maxmemory_policy:noeviction\r\n", "aof_enabled:1\r\n",
        "role:master\r\nconnected_slaves:2\r\nslave0:ip=10.0.0.2,port=7002,state=online,offset=82,lag=0\r\n",
        "master_repl_offset:91\r\n", "cluster_enabled:1\r\n", "\r\n\r\n# Keyspace\r\n", "raft_role:leader\r\n",
        "raft_term:7\r\n", "raft_leader_id:1\r\nraft_leader_addr:10.0.0.1:7001\r\n",
        "raft_commit_index:90\r\nraft_applied_index:89\r\nraft_last_index:91\r\nraft_snapshot_index:40\r\n",
        "raft_nodes:3\r\n", "raft_commands_per_batch:0.00\r\n", "raft_read_rounds_per_sec:0\r\n"}) {
    EXPECT_NE(standard.find(needed), std::string::npos) << needed;
  }
  EXPECT_EQ(standard.find("# Commandstats"), std::string::npos);
  EXPECT_NE(node.text(CommandId::kInfo, {"info", "everything"}).find("# Commandstats"), std::string::npos);
  EXPECT_EQ(node.text(CommandId::kInfo, {"info", "CLUSTER"}), "# Cluster\r\ncluster_enabled:1\r\n");
  EXPECT_EQ(node.text(CommandId::kInfo, {"info", "keyspace", "cluster"}),
            "# Cluster\r\ncluster_enabled:1\r\n\r\n# Keyspace\r\n");
  EXPECT_EQ(node.run(CommandId::kInfo, {"info", "nosuch"}), "$0\r\n\r\n");
  node.node.databases.push_back({3, 5, 2, 0});
  EXPECT_EQ(node.text(CommandId::kInfo, {"info", "keyspace"}), "# Keyspace\r\ndb3:keys=5,expires=2,avg_ttl=0\r\n");

  node.node.role = NodeRole::kFollower;
  node.node.leader = node.node.last_leader = 2;
  node.node.leader_contact_ms = 1500;
  EXPECT_NE(node.text(CommandId::kInfo, {"info", "replication"})
                .find("role:slave\r\nmaster_host:10.0.0.2\r\nmaster_port:7002\r\nmaster_link_status:up\r\n"
                      "master_last_io_seconds_ago:1\r\n"),
            std::string::npos);
  node.node.leader = 0;
  EXPECT_NE(node.text(CommandId::kInfo, {"info", "replication"}).find("master_link_status:down"), std::string::npos);
  node.node.loading = true;
  node.node.loading_bytes_total = 200;
  node.node.loading_bytes_read = 50;
  EXPECT_NE(node.text(CommandId::kInfo, {"info", "persistence"}).find("loading_loaded_perc:25.00"), std::string::npos);
}

TEST(LocalCluster, NodesIsTheSameOnAllNodesButForMyself) {
  FakeNode node;
  const std::string one = node.text(CommandId::kClusterNodes, {"cluster", "nodes"});
  EXPECT_EQ(one.substr(40), " 10.0.0.1:7001@17001 myself,master - 0 0 7 connected 0-16383\n" + node_name(node.node, 2) +
                                " 10.0.0.2:7002@17002 slave " + node_name(node.node, 1) + " 0 0 7 connected\n" +
                                node_name(node.node, 3) + " 10.0.0.3:7003@17003 slave " + node_name(node.node, 1) +
                                " 0 0 7 connected\n");
  EXPECT_EQ(one.substr(0, 40).find_first_not_of("0123456789abcdef"), std::string::npos);
  const auto without_myself = [](std::string text) {
    const std::size_t at = text.find("myself,");
    return at == std::string::npos ? text : text.erase(at, 7);
  };
  node.node.node = 2;
  node.node.boot = 9;  // the names do not change with a restart
  node.node.role = NodeRole::kFollower;
  for (MemberView& member : node.node.members) member.self = member.node == 2;
  const std::string two = node.text(CommandId::kClusterNodes, {"cluster", "nodes"});
  EXPECT_NE(one, two);
  EXPECT_EQ(without_myself(one), without_myself(two));
}

TEST(LocalCluster, SlotsKeepTheLastViewAndInfoSaysFail) {
  FakeNode node;
  const std::string slots = node.run(CommandId::kClusterSlots, {"cluster", "slots"});
  EXPECT_EQ(slots.find("*1\r\n*5\r\n:0\r\n:16383\r\n*4\r\n$8\r\n10.0.0.1\r\n:7001\r\n$40\r\n"), 0u);
  EXPECT_NE(node.text(CommandId::kClusterInfo, {"cluster", "info"}).find("cluster_state:ok\r\n"), std::string::npos);
  node.node.members[2].link_up = false;
  EXPECT_EQ(node.run(CommandId::kClusterSlots, {"cluster", "slots"}).substr(0, 8), "*1\r\n*4\r\n");
  EXPECT_NE(node.text(CommandId::kClusterNodes, {"cluster", "nodes"}).find("slave,fail? "), std::string::npos);
  node.node.members[2].link_up = true;
  node.node.role = NodeRole::kCandidate;
  node.node.leader = 0;
  EXPECT_EQ(node.run(CommandId::kClusterSlots, {"cluster", "slots"}), slots);
  EXPECT_NE(node.text(CommandId::kClusterInfo, {"cluster", "info"}).find("cluster_state:fail\r\n"), std::string::npos);
  node.node.last_leader = 0;
  EXPECT_EQ(node.run(CommandId::kClusterSlots, {"cluster", "slots"}), "*0\r\n");
}

TEST(LocalCluster, KeysFailoverAndRefusals) {
  FakeNode node;
  EXPECT_EQ(node.run(CommandId::kClusterKeyslot, {"cluster", "keyslot", "a{b}"}), ":3300\r\n");
  EXPECT_EQ(node.run(CommandId::kClusterCountkeysinslot, {"cluster", "countkeysinslot", "7"}), ":7\r\n");
  EXPECT_EQ(node.run(CommandId::kClusterCountkeysinslot, {"cluster", "countkeysinslot", "16384"}),
            "-ERR Invalid slot\r\n");
  EXPECT_EQ(node.run(CommandId::kClusterGetkeysinslot, {"cluster", "getkeysinslot", "7", "2"}),
            "*2\r\n$1\r\nk\r\n$1\r\nk\r\n");
  EXPECT_EQ(node.run(CommandId::kClusterGetkeysinslot, {"cluster", "getkeysinslot", "7", "-1"}),
            "-ERR Invalid slot or number of keys\r\n");
  EXPECT_EQ(node.run(CommandId::kClusterFailover, {"cluster", "failover"}),
            "-ERR You should send CLUSTER FAILOVER to a replica\r\n");
  EXPECT_EQ(node.run(CommandId::kClusterReplicas, {"cluster", "replicas", "foo"}), "-ERR Unknown node foo\r\n");
  const std::string leader = node_name(node.node, 1);
  EXPECT_EQ(node.run(CommandId::kClusterReplicas, {"cluster", "replicas", leader}).substr(0, 4), "*2\r\n");
  EXPECT_EQ(node.run(CommandId::kClusterSetslot, {"cluster", "setslot", "1", "stable"}).substr(0, 22),
            "-ERR Slots cannot be m");
  EXPECT_EQ(node.run(CommandId::kClusterReplicate, {"cluster", "replicate", leader}).substr(0, 27),
            "-ERR Cluster members are de");
  EXPECT_EQ(node.run(CommandId::kClusterMeet, {"cluster", "meet", "h", "1"}), "");
  EXPECT_EQ(node.run(CommandId::kClusterMeet, {"cluster", "meet", "h", "60000"}).substr(0, 26),
            "-ERR Invalid node address ");
  EXPECT_EQ(node.run(CommandId::kClusterForget, {"cluster", "forget", leader, "2", "force"}), "");
  EXPECT_EQ(node.run(CommandId::kClusterPromote, {"cluster", "promote", "2"}), "");
  EXPECT_EQ(node.run(CommandId::kClusterDemote, {"cluster", "demote", "7"}), "-ERR Unknown node 7\r\n");
  EXPECT_EQ(node.done, "meet h:1@10001;change 0 force 1 2;change 1 2;");
  node.done.clear();
  node.node.node = 2;
  node.node.role = NodeRole::kFollower;
  EXPECT_EQ(node.run(CommandId::kClusterFailover, {"cluster", "failover", "takeover"}), "+OK\r\n");
  EXPECT_EQ(node.done, "transfer 2;");
  node.node.cluster_enabled = false;
  for (const CommandId id :
       {CommandId::kClusterNodes, CommandId::kClusterSlots, CommandId::kClusterInfo, CommandId::kClusterSetslot,
        CommandId::kReadonly, CommandId::kAsking, CommandId::kClusterHelp}) {
    EXPECT_EQ(node.run(id, {"cluster", "x", "y"}), "-ERR This instance has cluster support disabled\r\n");
  }
}

TEST(LocalSentinel, AnyMasterNameFindsTheLeader) {
  FakeNode node;
  EXPECT_EQ(node.run(CommandId::kSentinelGetMasterAddrByName, {"sentinel", "get-master-addr-by-name", "x"}),
            "*2\r\n$8\r\n10.0.0.1\r\n$4\r\n7001\r\n");
  EXPECT_EQ(
      node.run(CommandId::kSentinelMasters, {"sentinel", "masters"}).find("*1\r\n*40\r\n$4\r\nname\r\n$8\r\nmymaster"),
      0u);
  EXPECT_EQ(node.run(CommandId::kSentinelReplicas, {"sentinel", "replicas", "x"}).substr(0, 4), "*2\r\n");
  EXPECT_EQ(node.run(CommandId::kSentinelSentinels, {"sentinel", "sentinels", "x"}).substr(0, 4), "*2\r\n");
  EXPECT_EQ(node.run(CommandId::kSentinelCkquorum, {"sentinel", "ckquorum", "x"}).substr(0, 22),
            "+OK 3 usable Sentinels");
  node.node.members[1].link_up = node.node.members[2].link_up = false;
  EXPECT_EQ(node.run(CommandId::kSentinelCkquorum, {"sentinel", "ckquorum", "x"}).substr(0, 9), "-NOQUORUM");
  node.node.leader = 0;
  EXPECT_EQ(node.run(CommandId::kSentinelGetMasterAddrByName, {"sentinel", "get-master-addr-by-name", "x"}), "*-1\r\n");
}

TEST(LocalDebug, StandsBehindEnableDebugCommand) {
  FakeNode node;
  EXPECT_EQ(node.run(CommandId::kDebug, {"debug", "digest"}).substr(0, 31), "-ERR DEBUG command not allowed.");
  node.settings_value = settings_of("enable-debug-command local\n");
  EXPECT_EQ(node.run(CommandId::kDebug, {"debug", "digest"}), "+" + std::string(40, 'd') + "\r\n");
  EXPECT_EQ(node.run(CommandId::kDebug, {"debug", "sleep", "0.5"}), "");
  EXPECT_EQ(node.run(CommandId::kDebug, {"debug", "set-active-expire", "0"}), "+OK\r\n");
  EXPECT_EQ(node.run(CommandId::kDebug, {"debug", "jmap"}), "+OK\r\n");
  EXPECT_EQ(node.run(CommandId::kDebug, {"debug", "quicklist-packed-threshold", "100B"}), "+OK\r\n");
  for (const std::string_view size : {"much", "5gb"}) {
    EXPECT_EQ(node.run(CommandId::kDebug, {"debug", "quicklist-packed-threshold", size}),
              "-ERR argument must be a memory value bigger than 1 and smaller than 4gb\r\n");
  }
  EXPECT_EQ(node.run(CommandId::kDebug, {"debug", "pause-cron"}),
            "-ERR unknown subcommand or wrong number of arguments for 'pause-cron'. Try DEBUG HELP.\r\n");
  EXPECT_EQ(node.run(CommandId::kDebug, {"debug", "stringmatch-len", "a*", "aa"}),
            "-ERR unknown subcommand or wrong number of arguments for 'stringmatch-len'. Try DEBUG HELP.\r\n");
  EXPECT_EQ(node.run(CommandId::kDebug, {"debug", "reload"}), "");
  EXPECT_EQ(node.done, "sleep 500000;expire off;save;");
  EXPECT_EQ(node.run(CommandId::kDebug, {"debug", "object", "x"}), "-ERR no such key\r\n");
  EXPECT_EQ(node.run(CommandId::kDebug, {"debug", "populate", "7"}), "");
  EXPECT_EQ(node.populated, "key 7 0");
  EXPECT_EQ(node.run(CommandId::kDebug, {"debug", "populate", "7", "pre", "90"}), "");
  EXPECT_EQ(node.populated, "pre 7 90");
  EXPECT_EQ(node.run(CommandId::kDebug, {"debug", "populate", "-7"}),
            "-ERR value is out of range, must be positive\r\n");
  EXPECT_EQ(node.run(CommandId::kDebug, {"debug", "populate", "100000001"}), "-ERR value is out of range\r\n");
  EXPECT_EQ(node.run(CommandId::kDebug, {"debug", "protocol", "map"}), "*6\r\n:0\r\n:0\r\n:1\r\n:1\r\n:2\r\n:0\r\n");
  EXPECT_EQ(node.run(CommandId::kDebug, {"debug", "segfault"}),
            "-ERR unknown subcommand or wrong number of arguments for 'segfault'. Try DEBUG HELP.\r\n");
}

TEST(LocalSlowLog, KeepsTheNewestAndShortensArguments) {
  FakeNode node;
  const std::string big(200, 'x');
  std::vector<std::string_view> many(40, "a");
  many[1] = big;
  node.slow_log_value.add(100, 5, many, "p:1", "n", 2);
  const SlowLog::Entry& entry = node.slow_log_value.entries().front();
  EXPECT_EQ(entry.arguments.size(), 32u);
  EXPECT_EQ(entry.arguments[1], std::string(128, 'x') + "... (72 more bytes)");
  EXPECT_EQ(entry.arguments[31], "... (9 more arguments)");
  for (int i = 0; i < 3; ++i) {
    node.slow_log_value.add(101, 6, std::vector<std::string_view>{"get", "k"}, "p:2", "", 2);
  }
  EXPECT_EQ(node.run(CommandId::kSlowlogLen, {"slowlog", "len"}), ":2\r\n");
  EXPECT_EQ(node.run(CommandId::kSlowlogGet, {"slowlog", "get", "1"}),
            "*1\r\n*6\r\n:3\r\n:101\r\n:6\r\n*2\r\n$3\r\nget\r\n$1\r\nk\r\n$3\r\np:2\r\n$0\r\n\r\n");
  EXPECT_EQ(node.run(CommandId::kSlowlogGet, {"slowlog", "get", "-2"}),
            "-ERR count should be greater than or equal to -1\r\n");
  EXPECT_EQ(node.run(CommandId::kSlowlogReset, {"slowlog", "reset"}), "+OK\r\n");
  EXPECT_EQ(node.run(CommandId::kSlowlogLen, {"slowlog", "len"}), ":0\r\n");
}

TEST(LocalLatency, EventsAndHistograms) {
  FakeNode node;
  node.latency_value.add("fsync", 10, 5);
  node.latency_value.add("fsync", 10, 9);
  node.latency_value.add("fsync", 11, 3);
  EXPECT_EQ(node.run(CommandId::kLatencyLatest, {"latency", "latest"}),
            "*1\r\n*4\r\n$5\r\nfsync\r\n:11\r\n:3\r\n:9\r\n");
  EXPECT_EQ(node.run(CommandId::kLatencyHistory, {"latency", "history", "fsync"}),
            "*2\r\n*2\r\n:10\r\n:9\r\n*2\r\n:11\r\n:3\r\n");
  EXPECT_EQ(node.run(CommandId::kLatencyGraph, {"latency", "graph", "x"}),
            "-ERR No samples available for event 'x'\r\n");
  EXPECT_EQ(node.run(CommandId::kLatencyReset, {"latency", "reset", "fsync", "x"}), ":1\r\n");

  Histogram histogram;
  for (std::uint64_t value = 1; value <= 1000; ++value) histogram.add(value);
  EXPECT_EQ(histogram.percentile(0), 1u);
  for (const std::uint64_t percent : {10u, 50u, 90u, 99u, 100u}) {
    EXPECT_GE(histogram.percentile(static_cast<double>(percent)), percent * 10);
    EXPECT_LE(histogram.percentile(static_cast<double>(percent)), percent * 10 + percent * 10 / 15 + 1);
  }
  const auto buckets = histogram.cumulative();
  EXPECT_EQ(buckets.front().first, 1u);
  EXPECT_EQ(buckets.back().second, 1000u);
  EXPECT_TRUE(std::ranges::is_sorted(buckets));
  Histogram extreme;
  extreme.add(0);
  extreme.add(~std::uint64_t{0});
  EXPECT_EQ(extreme.count(), 2u);
  EXPECT_EQ(extreme.cumulative().back().second, 2u);
}

TEST(LocalMemory, AnswersWithoutAStore) {
  FakeNode node;
  EXPECT_EQ(node.text(CommandId::kMemoryDoctor, {"memory", "doctor"}).substr(0, 6), "Hi Sam");
  EXPECT_EQ(node.run(CommandId::kMemoryPurge, {"memory", "purge"}), "+OK\r\n");
  EXPECT_NE(node.run(CommandId::kMemoryStats, {"memory", "stats"}).find("keys.count"), std::string::npos);
}

}  // namespace
}  // namespace redraft::replica::local
