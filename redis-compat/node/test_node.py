"""Runs the Node.js scripts of this directory against three nodes; each of their cases is one of ours."""

import os
import re
import subprocess
import unittest
from pathlib import Path

from cluster import Cluster
from npm import install

HERE = Path(__file__).resolve().parent


class Node(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        install()
        cls.cluster = Cluster()
        cls.cluster.__enter__()

    @classmethod
    def tearDownClass(cls):
        cls.cluster.__exit__(None)

    def run_case(self, script, name):
        self.cluster.wait_leader()
        ports = ",".join(str(node.port) for node in self.cluster.nodes)
        done = subprocess.run(["node", f"--test-name-pattern=^{re.escape(name)}$", str(script)], timeout=90,
                              env={**os.environ, "REDRAFT_PORTS": ports}, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT)
        self.assertEqual(done.returncode, 0, done.stdout.decode(errors="replace")[-4000:])


for script in sorted(HERE.glob("*.test.mjs")):
    for name in re.findall(r"^test\('([^']+)'", script.read_text(), re.M):
        case = re.sub(r"\W+", "_", f"test_{script.stem[:-5]}_{name}")
        setattr(Node, case, lambda self, script=script, name=name: self.run_case(script, name))
