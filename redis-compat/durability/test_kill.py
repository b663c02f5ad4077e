"""Nothing acknowledged is lost, and nothing is executed twice, while nodes are killed with -9, paused and replaced."""

import os
import signal
import subprocess
import threading
import unittest

import redis
from redis.cluster import ClusterNode, RedisCluster

from cluster import ROOT, Cluster, wait_for
from load import Load
from npm import install
from recorder import Recording

LONG = bool(os.environ.get("REDRAFT_LONG"))
ROUNDS = 10 if LONG else 2


class Kill(unittest.TestCase):
    def trouble(self, victims, how):
        """ROUNDS times: a load, how(victims(cluster)), and all nodes again."""
        with Cluster() as cluster:
            with Recording(cluster, seed=len(how.__name__)) as recording:
                for _ in range(ROUNDS):
                    recording.grow(300)
                    how(cluster, victims(cluster))
                    cluster.start()
                recording.grow(300)
            self.assertEqual(recording.check(), [])
            cluster.wait_equal()

    @staticmethod
    def kill(_, nodes):
        for node in nodes:
            node.signal(signal.SIGKILL)
        for node in nodes:
            node.kill()

    @staticmethod
    def pause(cluster, nodes):
        """Longer than an election: a paused leader must not answer from its old term when it wakes (pitfall C4)."""
        others = [node for node in cluster.nodes if node not in nodes]
        for node in nodes:
            node.signal(signal.SIGSTOP)
        try:
            wait_for(lambda: any(leads(node) for node in others), "leader among the others", 20)
        finally:
            for node in nodes:
                node.signal(signal.SIGCONT)

    @staticmethod
    def terminate(_, nodes):
        for node in nodes:
            node.stop()

    def test_leader_killed(self):
        self.trouble(lambda cluster: [cluster.wait_leader()], self.kill)

    def test_leader_and_a_follower_killed(self):
        self.trouble(lambda cluster: [cluster.wait_leader(), cluster.followers()[0]], self.kill)

    def test_both_followers_killed(self):
        self.trouble(lambda cluster: cluster.followers(), self.kill)

    def test_all_killed_at_once(self):
        self.trouble(lambda cluster: cluster.nodes, self.kill)

    def test_leader_paused(self):
        self.trouble(lambda cluster: [cluster.wait_leader()], self.pause)

    def test_leader_terminated(self):
        self.trouble(lambda cluster: [cluster.wait_leader()], self.terminate)

    def test_leadership_handed_around(self):
        self.trouble(lambda cluster: cluster.followers()[:1], lambda cluster, nodes: cluster.hand_over(nodes[0]))

    def test_killed_while_snapshots_are_taken(self):
        def kill_and_save(cluster, nodes):
            with nodes[0].connect() as connection:
                connection.call("BGSAVE")
            Kill.kill(cluster, nodes)
        self.trouble(lambda cluster: cluster.nodes, kill_and_save)

    def test_single_node_killed(self):
        with Cluster(1) as cluster:
            with Recording(cluster) as recording:
                for _ in range(ROUNDS):
                    recording.grow(300)
                    cluster.nodes[0].kill()
                    cluster.start()
            self.assertEqual(recording.check(), [])

    def test_restart_keeps_types_and_expiry(self):
        with Cluster() as cluster:
            with cluster.connect() as connection:
                connection.ask("SET", "string", "v", "PX", "10000000")
                connection.ask("RPUSH", "list", *range(1000))
                connection.ask("SADD", "set", *range(1000), "word")
                connection.ask("SELECT", "5")
                connection.ask("SET", "five", "5")
                connection.ask("SET", "gone", "v", "PX", "1")
                wait_for(lambda: connection.ask("EXISTS", "gone") == 0, "expiry")
                deadline = connection.ask("SELECT", "0") and connection.ask("PEXPIRETIME", "string")
            digest = cluster.wait_equal()
            for node in cluster.nodes:
                node.kill()
            cluster.start()
            self.assertEqual(cluster.wait_equal(), digest)
            with cluster.connect() as connection:
                self.assertEqual(connection.ask("PEXPIRETIME", "string"), deadline)
                self.assertEqual(connection.ask("LLEN", "list"), 1000)
                self.assertEqual(connection.ask("SCARD", "set"), 1001)
                connection.ask("SELECT", "5")
                self.assertEqual(connection.ask("GET", "five"), b"5")
                self.assertEqual(connection.ask("EXISTS", "gone"), 0)


def leads(node):
    with node.connect(timeout=1) as connection:
        return connection.ask("ROLE")[0] == b"master" and not connection.call("EXISTS", "x").is_error


class HandOver(unittest.TestCase):
    def test_no_write_is_left_in_doubt_by_a_leader_that_ends_in_order(self):
        with Cluster() as cluster:
            for _ in range(ROUNDS * 2):
                with Load(cluster, 8) as load:
                    cluster.wait_leader().stop()
                    load.grow()
                self.assertEqual(load.in_doubt(), 0)
                cluster.start()


class Libraries(unittest.TestCase):
    """INCRs of client libraries, which send again by themselves, are neither lost nor doubled by step-downs."""

    STEP_DOWNS = 20 if LONG else 6

    def check(self, cluster, acknowledged, in_doubt):
        with cluster.connect() as connection:
            value = int(connection.ask("GET", "counter"))
        self.assertGreater(acknowledged, 0)
        self.assertTrue(acknowledged <= value <= acknowledged + in_doubt,
                        f"counter is {value}: {acknowledged} acknowledged, {in_doubt} in doubt")

    def test_redis_py_cluster(self):
        with Cluster() as cluster:
            stopping, counts, lock = threading.Event(), {"acknowledged": 0, "in_doubt": 0}, threading.Lock()

            def work():
                client = RedisCluster(startup_nodes=[ClusterNode("127.0.0.1", node.port) for node in cluster.nodes])
                while not stopping.is_set():
                    try:
                        client.incr("counter")
                        outcome = "acknowledged"
                    except redis.RedisError:
                        outcome = "in_doubt"
                    with lock:
                        counts[outcome] += 1
                client.close()

            threads = [threading.Thread(target=work, daemon=True) for _ in range(4)]
            [thread.start() for thread in threads]
            for _ in range(self.STEP_DOWNS):
                target = counts["acknowledged"] + 200
                wait_for(lambda: counts["acknowledged"] >= target, "200 acknowledgements", 60)
                cluster.hand_over()
            stopping.set()
            [thread.join(30) for thread in threads]
            self.check(cluster, counts["acknowledged"], counts["in_doubt"])

    def test_ioredis_cluster(self):
        install()
        with Cluster() as cluster:
            ports = ",".join(str(node.port) for node in cluster.nodes)
            worker = subprocess.Popen(["node", "increments.mjs"], cwd=ROOT / "redis-compat/node", stdin=subprocess.PIPE,
                                      stdout=subprocess.PIPE, env={**os.environ, "REDRAFT_PORTS": ports})
            lines = []
            reader = threading.Thread(target=lambda: lines.extend(worker.stdout), daemon=True)
            reader.start()
            try:
                for _ in range(self.STEP_DOWNS):
                    target = len(lines) + 20  # a line for every 100 acknowledgements
                    wait_for(lambda: len(lines) >= target, "2000 acknowledgements of ioredis", 30)
                    cluster.hand_over()
                worker.stdin.write(b"stop\n")
                worker.stdin.close()
                worker.wait(30)
            finally:
                worker.kill()
            reader.join(10)
            acknowledged, in_doubt = map(int, lines[-1].split())
            self.check(cluster, acknowledged, in_doubt)
