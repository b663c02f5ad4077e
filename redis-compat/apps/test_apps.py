"""Applications of this directory on three nodes, whose leader is killed half-way: those of cluster clients, and those
that find the leader through Sentinel. --long gives them ten times the work."""

import os
import subprocess
import sys
import unittest
from pathlib import Path

from cluster import Cluster
from npm import install

HERE = Path(__file__).resolve().parent
SCALE = 10 if os.environ.get("REDRAFT_LONG") else 1


class Apps(unittest.TestCase):
    OPTIONS = []

    @classmethod
    def setUpClass(cls):
        install(HERE)

    def run_through_a_leader_kill(self, *command, jobs):
        with Cluster(options=self.OPTIONS) as cluster:
            environment = {**os.environ, "REDRAFT_PORTS": ",".join(str(node.port) for node in cluster.nodes),
                           "JOBS": str(jobs * SCALE)}
            app = subprocess.Popen(["timeout", "100", *command], env=environment, cwd=HERE, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            output, killed = b"", False
            for line in app.stdout:
                output += line
                if line == b"half\n":
                    leader = cluster.wait_leader()
                    leader.kill()
                    cluster.wait_leader()
                    leader.start()
                    killed = True
            self.assertEqual(app.wait(), 0, output.decode(errors="replace")[-4000:])
            self.assertTrue(killed, "the application never said that half of its work is done")
            cluster.wait_equal()


class ClusterApps(Apps):
    def test_streams_with_ioredis(self):
        self.run_through_a_leader_kill("node", "streams-ioredis.mjs", jobs=400)

    def test_streams_with_node_redis(self):
        self.run_through_a_leader_kill("node", "streams-node-redis.mjs", jobs=400)

    def test_bullmq(self):
        self.run_through_a_leader_kill("node", "bullmq.mjs", jobs=200)

    def test_redlock(self):
        self.run_through_a_leader_kill("node", "redlock.mjs", jobs=150)

    def test_rate_limiter_flexible(self):
        self.run_through_a_leader_kill("node", "rate-limiter.mjs", jobs=600)


class SentinelApps(Apps):
    OPTIONS = ["--cluster-enabled", "no"]

    def test_express_session(self):
        self.run_through_a_leader_kill("node", "sessions.mjs", jobs=400)

    def test_celery(self):
        self.run_through_a_leader_kill(sys.executable, "celery_app.py", jobs=100)

    def test_rq(self):
        self.run_through_a_leader_kill(sys.executable, "rq_app.py", jobs=60)

    def test_django_redis(self):
        self.run_through_a_leader_kill(sys.executable, "django_app.py", jobs=400)

    def test_sidekiq(self):
        self.run_through_a_leader_kill("ruby", "sidekiq_app.rb", jobs=200)


del Apps  # it has no test of its own
