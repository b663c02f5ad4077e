"""Runs the C++ tests of hiredis against three nodes."""

import os
import subprocess
import unittest

from cluster import BUILD, Cluster

BINARY = BUILD / "hiredis_test"


class Hiredis(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster()
        cls.cluster.__enter__()

    @classmethod
    def tearDownClass(cls):
        cls.cluster.__exit__(None)

    def run_cases(self, pattern):
        ports = {"REDRAFT_LEADER": str(self.cluster.wait_leader().port),
                 "REDRAFT_FOLLOWER": str(self.cluster.followers()[0].port)}
        done = subprocess.run([BINARY, f"--gtest_filter={pattern}", "--gtest_brief=1"], env={**os.environ, **ports},
                              timeout=120,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.assertEqual(done.returncode, 0, done.stdout.decode(errors="replace"))
        self.assertIn(b"PASSED", done.stdout)


def _add_cases():
    """One unittest case for each GoogleTest case of the binary."""
    listing = subprocess.run([BINARY, "--gtest_list_tests"], stdout=subprocess.PIPE, check=True).stdout.decode()
    group = ""
    for line in listing.splitlines():
        if line.endswith("."):
            group = line.strip()
        elif line.startswith("  "):
            name = group + line.strip()
            setattr(Hiredis, "test_" + name.replace(".", "_"), lambda self, name=name: self.run_cases(name))


_add_cases()
