"""Applications of this directory on three nodes, whose leader is killed half-way; with --long also undisturbed."""

import os
import subprocess
import unittest
from pathlib import Path

from cluster import Cluster
from npm import install

HERE = Path(__file__).resolve().parent
LONG = bool(os.environ.get("REDRAFT_LONG"))


class Apps(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        install(HERE)

    def run_through_a_leader_kill(self, name, jobs):
        with Cluster() as cluster:
            environment = {**os.environ, "REDRAFT_PORTS": ",".join(str(node.port) for node in cluster.nodes),
                           "JOBS": str(jobs)}
            app = subprocess.Popen(["timeout", "100", "node", str(HERE / f"{name}.mjs")], env=environment,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            output = b""
            for line in app.stdout:
                output += line
                if line == b"half\n":
                    leader = cluster.wait_leader()
                    leader.kill()
                    cluster.wait_leader()
                    leader.start()
            self.assertEqual(app.wait(), 0, output.decode(errors="replace")[-4000:])
            cluster.wait_equal()

    def test_streams_with_ioredis(self):
        self.run_through_a_leader_kill("streams-ioredis", 4000 if LONG else 400)

    def test_streams_with_node_redis(self):
        self.run_through_a_leader_kill("streams-node-redis", 4000 if LONG else 400)

    def test_bullmq(self):
        self.run_through_a_leader_kill("bullmq", 2000 if LONG else 200)
