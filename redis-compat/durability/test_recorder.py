"""The recorder itself: it is content with a server that keeps its word, and notices one that does not."""

import unittest

from cluster import RedisServer
from recorder import Recording


class Single(RedisServer):
    """redis-server in the shape of a cluster of one."""

    nodes = property(lambda self: [self])

    def connect(self, **options):
        return super().connect(**{"timeout": 5, **options})


class Recorder(unittest.TestCase):
    def recorded(self, fault):
        with Single() as server:
            with Recording(server) as recording:
                recording.grow(500)
                with server.connect() as connection:
                    fault(connection)
                recording.grow(500)
            return recording.check()

    def test_content(self):
        self.assertEqual(self.recorded(lambda connection: None), [])

    def test_a_lost_element(self):
        found = self.recorded(lambda connection: connection.ask("LPOP", "log:0"))
        self.assertTrue(any("log:0: lost" in one for one in found), found)

    def test_a_doubled_element(self):
        found = self.recorded(lambda connection: connection.ask("RPUSH", "log:1", connection.ask("LINDEX", "log:1", 0)))
        self.assertTrue(any("twice" in one for one in found), found)

    def test_a_doubled_increment(self):
        found = self.recorded(lambda connection: connection.ask("INCR", "counter:1"))
        self.assertTrue(any("counter:1 is" in one for one in found), found)

    def test_a_lost_increment(self):
        found = self.recorded(lambda connection: connection.ask("DECRBY", "counter:2", 3))
        self.assertTrue(any("counter:2" in one for one in found), found)
