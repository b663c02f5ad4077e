"""A real redis-server and a cluster of ours, side by side for all tests of a class."""

import unittest

from cluster import Cluster, RedisServer


class BesideRedis(unittest.TestCase):
    """`oracle` is the redis-server, `port` our leader's."""

    @classmethod
    def setUpClass(cls):
        cls.oracle, cls.cluster = RedisServer(), Cluster()
        cls.oracle.__enter__()
        cls.cluster.__enter__()
        cls.port = cls.cluster.wait_leader().port

    @classmethod
    def tearDownClass(cls):
        cls.cluster.__exit__(None)
        cls.oracle.__exit__(None)
