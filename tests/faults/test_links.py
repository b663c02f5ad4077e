"""Partitions, pauses and restarts of real processes under a recording load (pitfalls A11, C4, D1, I2)."""

import os
import signal
import time
import unittest

from cluster import Cluster, wait_for
from proxy import CuttableCluster
from recorder import Recording

LONG = bool(os.environ.get("REDRAFT_LONG"))
ROUNDS = 5 if LONG else 1


class Partition(unittest.TestCase):
    def cut_off(self, choose, new_leader):
        with CuttableCluster() as cluster:
            with Recording(cluster, seed=7) as recording:
                for _ in range(ROUNDS):
                    recording.grow()
                    leader = cluster.wait_leader()
                    lonely = choose(cluster)
                    cluster.isolate(lonely)
                    began = time.monotonic()
                    recording.grow()
                    self.assertLess(time.monotonic() - began, 30)
                    self.assertEqual(cluster.wait_leader() is not leader, new_leader)
                    cluster.heal()
                    wait_for(lambda: cluster._connected(), "links between all nodes", 30)
                recording.grow()
            self.assertEqual(recording.check(), [])
            cluster.wait_equal()

    def test_the_leader(self):
        self.cut_off(lambda cluster: cluster.wait_leader(), True)

    def test_a_follower(self):
        self.cut_off(lambda cluster: cluster.followers()[0], False)


class Pauses(unittest.TestCase):
    def test_a_stopped_follower_disturbs_nobody_and_catches_up(self):
        with Cluster() as cluster:
            before = cluster.term_and_leader()
            with Recording(cluster, seed=3) as recording:
                recording.grow()
                node = cluster.followers()[0]
                node.signal(signal.SIGSTOP)
                recording.grow()
                node.signal(signal.SIGCONT)
                recording.grow()
            self.assertEqual(recording.check(), [])
            cluster.wait_equal()
            self.assertEqual(cluster.term_and_leader(), before)

    def test_rolling_restart_under_load(self):
        with Cluster() as cluster:
            with Recording(cluster, seed=5) as recording:
                for node in list(cluster.nodes):
                    recording.grow()
                    self.assertEqual(node.stop(), 0)
                    recording.grow(100)
                    cluster.start()
                recording.grow()
            self.assertEqual(recording.check(), [])
            cluster.wait_equal()
