"""redis-cli and redis-benchmark as users type them, against three nodes."""

import re
import subprocess
import unittest

from cluster import Cluster
from resp import command


def setUpModule():
    global cluster
    cluster = Cluster()
    cluster.__enter__()


def tearDownModule():
    cluster.__exit__(None)


def cli(node, *arguments, stdin=None, timeout=30):
    """redis-cli's output; a non-zero status or no end within `timeout` fails the test."""
    done = subprocess.run(["redis-cli", "-p", str(node.port), *map(str, arguments)], input=stdin, timeout=timeout,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=True)
    return done.stdout.decode(errors="replace").strip()


class RedisCli(unittest.TestCase):
    def setUp(self):
        self.leader = cluster.wait_leader()
        self.follower = cluster.followers()[0]
        with self.leader.connect() as connection:
            connection.ask("FLUSHALL")

    def test_plain(self):
        self.assertEqual(cli(self.leader, "SET", "k", "v"), "OK")
        self.assertEqual(cli(self.leader, "GET", "k"), "v")
        self.assertEqual(cli(self.leader, "--no-raw", "INCR", "n"), "(integer) 1")
        self.assertEqual(cli(self.leader, "-3", "--no-raw", "GET", "missing"), "(nil)")

    def test_a_follower_redirects(self):
        self.assertRegex(cli(self.follower, "SET", "k", "v"), rf"^MOVED 7629 127\.0\.0\.1:{self.leader.port}$")
        self.assertRegex(cli(self.follower, "GET", "k"), rf"^MOVED 7629 127\.0\.0\.1:{self.leader.port}$")
        self.assertRegex(cli(self.follower, "DBSIZE"), rf"^MOVED 0 127\.0\.0\.1:{self.leader.port}$")

    def test_c_follows(self):
        for node in cluster.nodes:
            self.assertEqual(cli(node, "-c", "SET", f"from{node.port}", "v"), "OK")
            self.assertEqual(cli(node, "-c", "GET", f"from{node.port}"), "v")

    def test_readonly_on_a_follower_reads_what_was_just_written(self):
        with self.leader.connect() as writer, self.follower.connect() as reader:
            reader.ask("READONLY")
            for i in range(200):
                writer.ask("SET", "k", i)
                self.assertEqual(reader.ask("GET", "k"), b"%d" % i)
            self.assertTrue(reader.call("SET", "k", "x").value.startswith(b"MOVED"))
            reader.ask("READWRITE")
            self.assertTrue(reader.call("GET", "k").value.startswith(b"MOVED"))

    def test_multi_key_commands_know_no_slots(self):
        self.assertEqual(cli(self.leader, "MSET", "a", 1, "b", 2, "c", 3), "OK")
        self.assertEqual(cli(self.leader, "DEL", "a", "b", "c"), "3")

    def test_cluster_check(self):
        for node in cluster.nodes:
            text = cli(node, "--cluster", "check", f"127.0.0.1:{node.port}")
            self.assertIn("[OK] All 16384 slots covered", text)
            self.assertIn("[OK] All nodes agree about slots configuration", text)
            self.assertNotRegex(text, r"\[ERR\]|\[WARNING\]")
            self.assertIn("2 additional replica(s)", text)

    def test_cluster_facade_is_the_same_on_all_nodes(self):
        nodes = {re.sub(r"(myself,)| \d+ \d+ (\d+ )connected", r"\2",
                        "\n".join(sorted(cli(node, "CLUSTER", "NODES").split("\n"))))
                 for node in cluster.nodes}
        self.assertEqual(len(nodes), 1, nodes)
        ids = [cli(node, "CLUSTER", "MYID") for node in cluster.nodes]
        for node_id in ids:
            self.assertRegex(node_id, "^[0-9a-f]{40}$")
            self.assertEqual(nodes.copy().pop().count(f"{node_id} 127.0.0.1:"), 1)
        self.assertEqual(len(set(ids)), 3)
        for node in cluster.nodes:
            info = cli(node, "CLUSTER", "INFO")
            for line in ("cluster_state:ok", "cluster_slots_assigned:16384", "cluster_known_nodes:3", "cluster_size:1"):
                self.assertIn(line, info)
            slots = cli(node, "CLUSTER", "SLOTS").split("\n")
            self.assertEqual([line.strip() for line in slots[:2]], ["0", "16383"])
            self.assertIn(str(self.leader.port), slots[3])
            self.assertEqual(cli(node, "CLUSTER", "KEYSLOT", "{user}x"), "5474")

    def test_bigkeys(self):
        with self.leader.connect() as connection:
            for i in range(200):
                connection.ask("SET", f"s{i}", "x" * i)
            connection.ask("RPUSH", "list", *range(50))
        text = cli(self.leader, "--bigkeys")
        self.assertRegex(text, r'Biggest string found .*\S*s199\S* has 199 bytes')
        self.assertRegex(text, r'Biggest   list found .*\S*list\S* has 50 items')
        self.assertIn("Sampled 201 keys", text)

    def test_memkeys_and_scan(self):
        with self.leader.connect() as connection:
            for i in range(100):
                connection.ask("SET", f"key:{i}", "v")
        self.assertIn("Sampled 100 keys", cli(self.leader, "--memkeys"))
        self.assertEqual(len(set(cli(self.leader, "--scan", "--pattern", "key:*").split())), 100)

    def test_latency(self):
        # Without a terminal --latency measures until the interval (-i, seconds) ends, then prints min max avg samples.
        text = cli(self.leader, "--latency", "-i", "1", "--raw")
        self.assertGreater(int(text.split()[3]), 10)

    def test_pipe(self):
        count = 20000
        load = b"".join(command("SET", f"pipe:{i}", f"value {i}") for i in range(count))
        text = cli(self.leader, "--pipe", stdin=load)
        self.assertIn(f"errors: 0, replies: {count}", text)
        self.assertEqual(cli(self.leader, "DBSIZE"), str(count))
        self.assertEqual(cli(self.leader, "GET", f"pipe:{count - 1}"), f"value {count - 1}")

    def test_repeat(self):
        self.assertEqual(cli(self.leader, "-r", "5", "INCR", "r").split()[-1], "5")

    def test_info_has_the_fields_tools_read(self):
        with self.leader.connect() as connection:
            info = connection.info("all")
        for field in """redis_version run_id tcp_port uptime_in_seconds connected_clients blocked_clients used_memory
                used_memory_rss used_memory_peak maxmemory maxmemory_policy mem_fragmentation_ratio loading
                rdb_bgsave_in_progress rdb_last_save_time rdb_changes_since_last_save aof_enabled
                total_commands_processed instantaneous_ops_per_sec expired_keys evicted_keys keyspace_hits
                keyspace_misses lazyfree_pending_objects role connected_slaves master_replid master_repl_offset
                cluster_enabled slave0""".split():
            self.assertIn(field, info)
        self.assertEqual(info["role"], "master")
        self.assertEqual(info["connected_slaves"], "2")
        self.assertRegex(info["redis_version"], r"^7\.2\.")
        with self.follower.connect() as connection:
            info = connection.info()
        self.assertEqual((info["role"], info["master_port"], info["master_link_status"]),
                         ("slave", str(self.leader.port), "up"))

    def test_info_raft(self):
        for node in cluster.nodes:
            with node.connect() as connection:
                raft = connection.info("raft")
            for field in """raft_role raft_term raft_leader_id raft_leader_addr raft_commit_index raft_applied_index
                    raft_last_index raft_snapshot_index raft_nodes""".split():
                self.assertIn(field, raft)
            self.assertEqual(raft["raft_leader_addr"], f"127.0.0.1:{self.leader.port}")

    def test_digest_is_the_same_on_all_nodes(self):
        with self.leader.connect() as connection:
            for i in range(100):
                connection.ask("RPUSH", f"l{i % 7}", i)
                connection.ask("SADD", f"s{i % 5}", i, f"m{i}")
                connection.ask("SET", f"k{i}", i, "PX", 1000000 + i)
        cluster.wait_equal()

    def test_hand_over(self):
        term, _ = cluster.term_and_leader()
        cluster.hand_over(self.follower)
        self.assertGreater(cluster.term_and_leader()[0], term)
        self.assertEqual(cli(self.leader, "-c", "SET", "after", "v"), "OK")


class Benchmark(unittest.TestCase):
    """redis-benchmark's default tests for the commands that exist."""

    TESTS = "ping_inline,ping_mbulk,set,get,incr,lpush,rpush,lpop,rpop,sadd,spop,lrange_100,lrange_300,mset".split(",")

    def run_benchmark(self, *options):
        leader = cluster.wait_leader()
        done = subprocess.run(["redis-benchmark", "-p", str(leader.port), "--csv", *options], timeout=120, check=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        text = done.stdout.decode()
        self.assertNotIn("ERR", text.upper().replace("ERROR FROM SERVER", "ERR"))
        return [line for line in text.splitlines() if line.startswith('"') and not line.startswith('"test"')]

    def test_default_tests(self):
        lines = self.run_benchmark("-n", "5000", "-t", ",".join(self.TESTS))
        self.assertGreaterEqual(len(lines), len(self.TESTS), lines)

    def test_pipelined_with_random_keys(self):
        lines = self.run_benchmark("-n", "50000", "-P", "16", "-r", "10000", "-d", "100", "-t",
                                   "set,get,incr,lpush,sadd")
        self.assertEqual(len(lines), 5, lines)

    def test_threads(self):
        self.assertTrue(self.run_benchmark("-n", "5000", "--threads", "2", "-t", "set,get"))

    def test_no_node_differs_afterwards(self):
        cluster.wait_equal()
