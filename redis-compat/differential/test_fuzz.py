"""The differential fuzzer as a test: 20 seconds, or minutes with --long. See fuzz.py."""

import os
import unittest

import fuzz

SECONDS = 600 if os.environ.get("REDRAFT_LONG") else 20


class Fuzz(unittest.TestCase):
    def test_random_commands_of_all_families(self):
        seed = os.environ.get("REDRAFT_SEED")
        played, families = fuzz.run(SECONDS, int(seed) if seed else None, 3000, 3)
        self.assertGreater(played, 0)
        self.assertIn("bitmap", families)
