"""Snapshots of one huge collection while it is renamed, swapped and flushed (pitfalls E9, E11, E12).

The walk is under way when the value moves; what a restart loads from the snapshot and replays from the log must be what
was there before. How much of the walk clients notice is printed and not judged.
"""

import os
import threading
import time
import unittest

from cluster import Cluster, wait_for

LONG = bool(os.environ.get("REDRAFT_LONG"))
ELEMENTS = 5_000_000 if LONG else 300_000


def grow(connection, key, count, command="RPUSH"):
    batch = 2000
    for first in range(0, count, batch):
        if command == "HSET":
            words = [word for i in range(first, first + batch) for word in (f"field{i}", f"value{i}")]
        else:
            words = [f"element{i}" for i in range(first, first + batch)]
        reply = connection.call(command, key, *words)
        assert not reply.is_error, reply.value


class Pinger(threading.Thread):
    """The longest time a PING took."""

    def __init__(self, node):
        super().__init__(daemon=True)
        self.node, self.worst, self.over = node, 0.0, threading.Event()

    def run(self):
        with self.node.connect(timeout=30) as connection:
            while not self.over.wait(0.005):
                began = time.monotonic()
                connection.call("PING")
                self.worst = max(self.worst, time.monotonic() - began)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.join()


class HugeCollection(unittest.TestCase):
    def snapshot_while(self, command, *changes):
        with Cluster(size=1) as cluster:
            node = cluster.nodes[0]
            with node.connect(timeout=120) as connection:
                grow(connection, "huge", ELEMENTS, command)
                connection.ask("SET", "small", "1")
                began = time.monotonic()
                with Pinger(node) as pinger:
                    self.assertFalse(connection.call("BGSAVE").is_error)
                    for change in changes:
                        reply = connection.call(*change)
                        self.assertFalse(reply.is_error, reply.value)
                    wait_for(lambda: connection.info("persistence")["rdb_bgsave_in_progress"] == "0", "snapshot", 120)
                took = time.monotonic() - began
                digest = connection.ask("DEBUG", "DIGEST")
            print(f"    {ELEMENTS} elements, {command} then {changes}: {took:.1f} s, "
                  f"longest PING {pinger.worst * 1000:.0f} ms")
            node.kill()
            node.start()
            node.wait_ready(120)
            with node.connect(timeout=120) as connection:
                wait_for(lambda: connection.ask("DEBUG", "DIGEST") == digest, "same state", 60)

    def test_changed_while_walked(self):
        self.snapshot_while("RPUSH", ("LPUSH", "huge", "front"), ("LSET", "huge", str(ELEMENTS // 2), "changed"),
                            ("RPOP", "huge"))

    def test_renamed(self):
        self.snapshot_while("SADD", ("RENAME", "huge", "other"), ("SREM", "other", "element7"))

    def test_swapped(self):
        self.snapshot_while("RPUSH", ("SWAPDB", "0", "1"), ("SET", "in-the-other", "1"))

    def test_flushed(self):
        self.snapshot_while("HSET", ("FLUSHALL",), ("SET", "after", "1"))

    def test_replaced(self):
        self.snapshot_while("SADD", ("SET", "huge", "tiny"),)


class CatchUp(unittest.TestCase):
    def test_a_follower_joins_by_snapshot_under_load_without_an_election(self):
        """The log it needs is pinned, it installs one snapshot and no endless chain of them (pitfalls E3, E11)."""
        options = ["--snapshot-log-entries", "2000", "--snapshot-tail-entries", "100"]
        with Cluster(options=options) as cluster:
            victim = cluster.followers()[0]
            with victim.connect() as own:
                known = int(own.info("raft")["raft_last_index"])
            victim.kill()
            stop = threading.Event()

            def load():
                with cluster.connect(timeout=30) as connection:
                    number = 0
                    while not stop.is_set():
                        connection.call("SET", f"k{number % 5000}", "v" * 400)
                        number += 1

            with cluster.connect(timeout=60) as connection:
                grow(connection, "list", 100_000 if LONG else 40_000)
            before = cluster.term_and_leader()
            threads = [threading.Thread(target=load, daemon=True) for _ in range(4)]
            for thread in threads:
                thread.start()
            try:
                def log_is_cut():
                    with cluster.connect() as leader:
                        return int(leader.info("raft")["raft_snapshot_index"]) > known + 2000

                wait_for(log_is_cut, "snapshot that the absent follower needs", 60)
                victim.start()
                victim.wait_ready()

                def caught_up():
                    with victim.connect() as own, cluster.connect() as leader:
                        behind = (int(leader.info("raft")["raft_commit_index"]) -
                                  int(own.info("raft")["raft_applied_index"]))
                    return behind < 500

                wait_for(caught_up, "catch-up under load", 60)
            finally:
                stop.set()
                for thread in threads:
                    thread.join()
            cluster.wait_equal(60)
            self.assertEqual(cluster.term_and_leader(), before)
