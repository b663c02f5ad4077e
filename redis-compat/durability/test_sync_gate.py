"""kill -9 never loses the page cache, so it proves no fsync. This does: while fdatasync is held on two of three nodes,
nothing may be acknowledged."""

import unittest

from cluster import Cluster, wait_for
from resp import Closed
from sync_gate import SyncGate

HELD_S = 1.5


class SyncGates(unittest.TestCase):
    def setUp(self):
        self.gates = [SyncGate() for _ in range(3)]
        self.cluster = Cluster(environments=[gate.environment for gate in self.gates])
        self.cluster.__enter__()

    def tearDown(self):
        for gate in self.gates:
            gate.release()
        self.cluster.__exit__(None)
        for gate in self.gates:
            gate.close()

    def gates_of(self, nodes):
        return [self.gates[self.cluster.nodes.index(node)] for node in nodes]

    def held(self, nodes):
        """While fdatasync is held on `nodes`, no write is acknowledged; after the release, the cluster goes on."""
        leader = self.cluster.wait_leader()
        connections = [leader.connect(timeout=HELD_S) for _ in range(8)]
        for connection in connections:
            connection.ask("SET", "before", "1")
        gates = self.gates_of(nodes)
        for gate in gates:
            gate.hold()
        for i, connection in enumerate(connections):
            connection.send("SET", f"held:{i}", "1")
        for connection in connections:
            try:
                reply = connection.read()
                self.assertTrue(reply.is_error, f"acknowledged without a majority on disk: {reply.raw!r}")
            except (TimeoutError, Closed, ConnectionError):
                pass
            connection.close()
        for gate in gates:
            gate.release()
        # Until a majority's disks are seen to work, or another leads, the answer is MISCONF or a redirect: not executed.
        wait_for(self.goes_on, "a write after the disks were released")

    def goes_on(self):
        with self.cluster.connect() as connection:
            return connection.ask("GET", "before") == b"1" and connection.ask("SET", "after", "1") == b"OK"

    def test_both_followers(self):
        self.held(self.cluster.followers())

    def test_leader_and_a_follower(self):
        self.held([self.cluster.wait_leader(), self.cluster.followers()[0]])

    def test_one_follower_does_not_matter(self):
        gate = self.gates_of(self.cluster.followers()[:1])[0]
        gate.hold()
        with self.cluster.connect() as connection:
            for i in range(200):
                self.assertEqual(connection.ask("SET", "k", i), b"OK")
        wait_for(lambda: gate.waiting, "sync that is held")

    def test_the_leaders_disk_is_only_one_vote(self):
        leader = self.cluster.wait_leader()
        gate = self.gates_of([leader])[0]
        with leader.connect() as connection:
            gate.hold()
            self.assertEqual(connection.ask("SET", "k", "v"), b"OK")
        wait_for(lambda: gate.waiting, "sync that is held")
        gate.release()

    def test_a_vote_is_synced_first(self):
        leader, followers = self.cluster.wait_leader(), self.cluster.followers()
        for gate in self.gates_of(followers):
            gate.hold()
        leader.kill()
        wait_for(lambda: any(gate.waiting for gate in self.gates_of(followers)), "vote waiting for its disk")
        with self.assertRaises(TimeoutError):
            self.cluster.wait_leader(HELD_S)
        for gate in self.gates_of(followers):
            gate.release()
        self.cluster.wait_leader()
        leader.start()

    def test_syncs_are_counted(self):
        before = [gate.count for gate in self.gates]
        with self.cluster.connect() as connection:
            for i in range(50):
                connection.ask("SET", "k", i)
        self.assertGreaterEqual(sum(gate.count for gate in self.gates) - sum(before), 2 * 50)
