"""A node whose data differ from the others', with every checksum right: the audit finds it and it is put right
(architecture, section 6)."""

import subprocess
import unittest
from pathlib import Path

from cluster import BUILD, Cluster, wait_for
from damage import said, snapshots

ALTER = BUILD / "alter_snapshot"


def fill(cluster):
    with cluster.connect() as connection:
        for i in range(2000):
            connection.ask("SET", f"key:{i}", "right")
        connection.ask("SADD", "set", *(f"member:{i}" for i in range(3000)))


def alter(cluster, node):
    """What this node has under one key is another value from now on, and nothing on its disk is damaged."""
    cluster.wait_equal()
    with node.connect() as connection:
        connection.ask("SAVE")
    node.kill()
    subprocess.run([ALTER, Path(node.directory, "snapshot"), "key:77", "wrong"], check=True)
    assert len(snapshots(node)) == 1
    node.start()
    node.wait_ready()
    wait_for(lambda: stale(node, "key:77") == b"wrong", "the altered value")


def stale(node, key):
    with node.connect() as connection:
        connection.ask("CONFIG", "SET", "read-mode", "stale")
        connection.ask("READONLY")
        value = connection.call("GET", key).value
        connection.ask("CONFIG", "SET", "read-mode", "read-index")
        return value


def audit(cluster):
    with cluster.connect() as connection:
        assert connection.ask("CLUSTER", "AUDIT") == b"Audit started"


class Audit(unittest.TestCase):
    def put_right(self, cluster, node):
        pid = node.pid
        audit(cluster)
        wait_for(lambda: said(node, "it votes and counts"), "the end of the repair", 60)
        cluster.wait_equal(60)
        self.assertTrue(said(node, "this node's state is not the majority's"))
        self.assertEqual(node.pid, pid, "the process went on as itself")
        self.assertEqual(stale(node, "key:77"), b"right")
        for one in cluster.nodes:
            with one.connect() as connection:
                info = connection.info("raft")
            self.assertEqual(info["raft_audit_state"] in ("idle", "running"), True)

    def test_equal_nodes_pass(self):
        with Cluster() as cluster:
            fill(cluster)
            before = cluster.term_and_leader()
            audit(cluster)

            def over():
                with cluster.connect() as connection:
                    return connection.info("raft")["raft_audit_passes"] == "1"

            wait_for(over, "the end of the pass", 30)
            self.assertEqual(cluster.term_and_leader(), before)
            for node in cluster.nodes:
                with node.connect() as connection:
                    self.assertEqual(connection.info("raft")["raft_audit_differences"], "0")

    def test_a_follower_differs(self):
        with Cluster() as cluster:
            fill(cluster)
            victim = cluster.followers()[0]
            alter(cluster, victim)
            before = cluster.term_and_leader()
            self.put_right(cluster, victim)
            self.assertEqual(cluster.term_and_leader(), before, "nobody else was disturbed")

    def test_the_leader_differs(self):
        with Cluster() as cluster:
            fill(cluster)
            victim = cluster.followers()[0]
            alter(cluster, victim)
            cluster.hand_over(victim)
            with cluster.connect() as connection:
                self.assertEqual(connection.ask("GET", "key:77"), b"wrong", "nobody has noticed")
            self.put_right(cluster, victim)
            with cluster.connect() as connection:
                self.assertEqual(connection.ask("GET", "key:77"), b"right")


if __name__ == "__main__":
    unittest.main()
