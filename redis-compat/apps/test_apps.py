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

    def run_app(self, name, jobs, kill):
        with Cluster() as cluster:
            with cluster.connect() as connection:
                if name == "bullmq" and connection.ask("COMMAND", "INFO", "EVAL") == [None]:
                    self.skipTest("the server has no EVAL")
            environment = {**os.environ, "REDRAFT_PORTS": ",".join(str(node.port) for node in cluster.nodes),
                           "JOBS": str(jobs)}
            app = subprocess.Popen(["timeout", "100", "node", str(HERE / f"{name}.mjs")], env=environment,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            output = b""
            for line in app.stdout:
                output += line
                if kill and line == b"half\n":
                    leader = cluster.wait_leader()
                    leader.kill()
                    cluster.wait_leader()
                    leader.start()
            self.assertEqual(app.wait(), 0, output.decode(errors="replace")[-4000:])
            cluster.wait_equal()

    @unittest.skipUnless(LONG, "only with --long")
    def test_streams_with_ioredis(self):
        self.run_app("streams-ioredis", 2000, kill=False)

    def test_streams_with_ioredis_through_a_leader_kill(self):
        self.run_app("streams-ioredis", 4000 if LONG else 400, kill=True)

    @unittest.skipUnless(LONG, "only with --long")
    def test_streams_with_node_redis(self):
        self.run_app("streams-node-redis", 2000, kill=False)

    def test_streams_with_node_redis_through_a_leader_kill(self):
        self.run_app("streams-node-redis", 4000 if LONG else 400, kill=True)

    @unittest.skipUnless(LONG, "only with --long")
    def test_bullmq(self):
        self.run_app("bullmq", 1000, kill=False)

    def test_bullmq_through_a_leader_kill(self):
        self.run_app("bullmq", 2000 if LONG else 200, kill=True)
