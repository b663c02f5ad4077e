"""Damaged and missing files of a real node (storage-faults rows 2, 8, 9, 16, 17; pitfalls E2, F5, F13)."""

import shutil
import unittest
from pathlib import Path

from cluster import Cluster, wait_for
from damage import flip, flip_record, ruin_slots, said, segments, snapshots, tool

DAMAGED = 4  # ExitStatus::kDirectoryCorrupt


def fill(cluster, first, last):
    with cluster.connect() as connection:
        for i in range(first, last):
            assert connection.ask("SET", f"key:{i}:", "v" * 200) == b"OK"


class FollowerDamage(unittest.TestCase):
    """Each kind of file of a follower: it starts, says what is wrong, and is whole again under the old leader."""

    def setUp(self):
        self.cluster = Cluster(options=["--log-segment-size", "2mb"])
        self.cluster.__enter__()
        self.addCleanup(lambda: self.cluster.__exit__(None))
        fill(self.cluster, 0, 300)
        self.victim = self.cluster.followers()[0]
        wait_for(lambda: self.cluster.wait_equal(), "equal nodes")
        self.term = self.cluster.term_and_leader()

    def repaired(self):
        self.victim.start()
        self.victim.wait_ready()
        fill(self.cluster, 300, 350)
        self.cluster.wait_equal()
        self.assertEqual(self.cluster.term_and_leader(), self.term, "nobody else was disturbed")

    def test_log_record(self):
        self.victim.kill()
        self.assertGreater(flip_record(self.victim, b"key:150:"), 0)
        status, report = tool("--check", self.victim.directory)
        self.assertEqual(status, DAMAGED, report)
        self.assertIn("DAMAGED", report)
        self.assertIn("offset", report)
        self.repaired()
        wait_for(lambda: said(self.victim, "it votes and counts"), "the end of the repair")
        self.assertTrue(said(self.victim, "lacks entry"))
        self.victim.stop()
        status, report = tool("--check", self.victim.directory)
        self.assertNotIn("In repair", report)

    def test_log_file_gone(self):
        self.victim.kill()
        for path in segments(self.victim):
            path.unlink()
        self.repaired()
        wait_for(lambda: said(self.victim, "it votes and counts"), "the end of the repair")

    def test_log_cut_short(self):
        self.victim.kill()
        with open(segments(self.victim)[0], "r+b") as file:
            file.truncate(20_000)
        self.repaired()

    def test_vote(self):
        self.victim.kill()
        ruin_slots(Path(self.victim.directory, "vote"))
        self.repaired()
        self.assertTrue(said(self.victim, "the log has the vote"))

    def test_snapshot(self):
        with self.victim.connect() as connection:
            connection.ask("SAVE")
        self.victim.kill()
        for path in snapshots(self.victim):
            flip(path, path.stat().st_size // 2)
        self.repaired()
        self.assertTrue(said(self.victim, "A snapshot is damaged"))

    def test_identity(self):
        self.victim.kill()
        ruin_slots(Path(self.victim.directory, "identity"))
        self.victim.start()
        self.assertEqual(self.victim.process.wait(20), DAMAGED)
        fill(self.cluster, 300, 320)

    def test_wiped_directory_never_votes(self):
        """Row 16: under its old identity an emptied directory is nobody; the other two go on."""
        self.victim.kill()
        shutil.rmtree(self.victim.directory)
        self.victim.directory.mkdir()
        self.victim.start()
        fill(self.cluster, 300, 320)
        self.assertEqual(self.cluster.term_and_leader(), self.term)
        self.victim.stop()


class Alone(unittest.TestCase):
    def test_a_single_node_refuses_and_the_tools_agree(self):
        with Cluster(size=1) as cluster:
            fill(cluster, 0, 50)
            node = cluster.nodes[0]
            self.assertEqual(tool("--check", node.directory)[0], 2, "in use")
            node.kill()
            status, report = tool("--check", node.directory)
            self.assertEqual(status, 0, report)
            self.assertIn("The live records end at offset", report)
            status, dump = tool("--dump-log", node.directory)
            self.assertEqual(status, 0)
            self.assertIn("of term", dump)
            copy = cluster.directory / "copy"
            shutil.copytree(node.directory, copy)
            self.assertGreater(flip_record(node, b"key:20:"), 0)
            node.start()
            self.assertEqual(node.process.wait(20), DAMAGED)
            status, report = tool("--check", node.directory)
            self.assertEqual(status, DAMAGED, report)
            shutil.rmtree(node.directory)
            shutil.copytree(copy, node.directory)
            node.start()
            node.wait_ready()
            with node.connect() as connection:
                self.assertEqual(connection.ask("EXISTS", "key:20:", "key:49:"), 2)


class LostMajority(unittest.TestCase):
    def test_recover_makes_a_cluster_of_one(self):
        with Cluster() as cluster:
            fill(cluster, 0, 40)
            cluster.wait_equal()
            for node in cluster.nodes:
                node.kill()
            directories = [node.directory for node in cluster.nodes]
            status, report = tool("--recover", *directories)
            self.assertEqual(status, 0, report)
            self.assertIn("Nothing was changed", report)
            survivor = cluster.nodes[0]
            status, report = tool("--recover", survivor.directory, "--yes-abandon-the-lost-majority")
            self.assertEqual(status, 0, report)
            self.assertTrue(Path(survivor.directory, "recovery.txt").exists())
            survivor.start()
            wait_for(lambda: survivor.answers(), "answer of the survivor")
            with survivor.connect() as connection:
                wait_for(lambda: connection.call("SET", "after", "1").value == b"OK", "write")
                self.assertEqual(connection.ask("EXISTS", "key:0:", "key:39:", "after"), 3)
            # A node of the lost cluster is a stranger now.
            cluster.nodes[1].start()
            cluster.nodes[2].start()
            with survivor.connect() as connection:
                self.assertEqual(connection.ask("SET", "again", "1"), b"OK")
