"""maxmemory, eviction and access clocks on three real nodes."""

import unittest

from cluster import Cluster, wait_for
from resp import Connection


class Memory(unittest.TestCase):
    """What is refused, what is evicted (https://redis.io/docs/reference/eviction/)."""

    def setUp(self):
        self.cluster = Cluster(3)
        self.cluster.__enter__()
        self.addCleanup(self.cluster.__exit__, None)
        self.connection = Connection(self.cluster.wait_leader().port)

    def fill_until_refused(self, count, size=1000, prefix="k", *options):
        for i in range(count):
            reply = self.connection.call("SET", f"{prefix}:{i}", "x" * size, *options)
            if reply.is_error:
                return reply.raw
        return None

    def limit(self, policy):
        self.connection.ask("CONFIG", "SET", "maxmemory-policy", policy)
        self.connection.ask("CONFIG", "SET", "maxmemory", "200kb")

    def test_noeviction_refuses_what_needs_memory(self):
        self.limit("noeviction")
        error = self.fill_until_refused(600)
        self.assertEqual(error, b"-OOM command not allowed when used memory > 'maxmemory'.\r\n")
        self.assertEqual(self.connection.ask("GET", "k:0"), b"x" * 1000)
        self.connection.ask("MULTI")
        self.assertTrue(self.connection.call("SET", "a", "b").is_error)
        self.assertTrue(self.connection.call("GET", "a").is_error)
        self.assertEqual(self.connection.call("EXEC").raw[:10], b"-EXECABORT")
        self.assertEqual(self.connection.ask("DEL", *(f"k:{i}" for i in range(50))), 50)
        self.assertEqual(self.connection.ask("SET", "a", "b"), b"OK")
        self.connection.ask("CONFIG", "SET", "maxmemory", "0")
        self.assertIsNone(self.fill_until_refused(600))

    def test_noeviction_refuses_scripts_in_transactions(self):
        """Also when the limit comes after they were queued. EXEC as a whole for a script that declares flags; of one
        without any its first write, and only if that needs memory, while the other commands run."""
        aborted = b"-EXECABORT Transaction discarded because of: OOM "
        alone = b"-OOM command not allowed when used memory"
        frees, fills = "return redis.call('del',KEYS[1])", "return redis.call('set',KEYS[1],'v')"
        with Connection(self.connection.port) as other:
            for script, begins in ((fills, alone), (frees, b":1"),
                                   ("redis.call('del',KEYS[1]) " + fills, b"+OK"),
                                   ("return redis.pcall('set',KEYS[1],'v')", alone), ("#!lua\n" + frees, aborted),
                                   ("#!lua flags=allow-oom\n" + fills, b"+OK"),
                                   ("#!lua flags=no-writes\nreturn redis.call('get',KEYS[1])", b"$3\r\nold")):
                self.connection.ask("CONFIG", "SET", "maxmemory", "0")
                self.connection.ask("MSET", "large", "x" * 100_000, "key", "old", "other", "1")
                other.ask("MULTI")
                other.ask("DEL", "other")
                other.ask("EVAL", script, "1", "key")
                self.connection.ask("CONFIG", "SET", "maxmemory", "1kb")
                reply = other.call("EXEC").raw
                wanted = begins if begins == aborted else b"*2\r\n:1\r\n" + begins
                self.assertEqual(reply[:len(wanted)], wanted, script)
                self.assertEqual(self.connection.ask("EXISTS", "other"), int(begins == aborted), script)
                if begins == alone:
                    self.assertEqual(self.connection.ask("GET", "key"), b"old")
        self.cluster.wait_equal()

    def test_policies_keep_the_data_set_below_the_limit(self):
        for policy in ("allkeys-lru", "allkeys-lfu", "allkeys-random"):
            self.connection.ask("FLUSHALL")
            self.limit(policy)
            self.assertIsNone(self.fill_until_refused(600), policy)
            count = self.connection.ask("DBSIZE")
            self.assertLess(count, 240, policy)
            self.assertGreater(count, 80, policy)
            self.assertGreater(int(self.connection.info("stats")["evicted_keys"]), 0)
        self.connection.ask("CONFIG", "SET", "maxmemory", "0")
        self.cluster.wait_equal()

    def test_only_keys_with_a_deadline_go(self):
        for policy in ("volatile-lru", "volatile-lfu", "volatile-random", "volatile-ttl"):
            self.connection.ask("CONFIG", "SET", "maxmemory", "0")
            self.connection.ask("FLUSHALL")
            for i in range(60):
                self.connection.ask("SET", f"stays:{i}", "x" * 1000)
            self.limit(policy)
            self.assertIsNone(self.fill_until_refused(400, 1000, "goes", "EX", "10000"), policy)
            self.assertEqual(self.connection.ask("EXISTS", *(f"stays:{i}" for i in range(60))), 60, policy)
            self.connection.ask("FLUSHALL")
            self.assertIn(b"OOM", self.fill_until_refused(600) or b"", policy)

    def test_used_keys_stay(self):
        self.limit("allkeys-lru")
        for i in range(100):
            self.connection.ask("SET", f"old:{i}", "x" * 1000)
        wait_for(lambda: self.connection.ask("OBJECT", "IDLETIME", "old:0") >= 2, "idle time", 10)
        used = [f"old:{i}" for i in range(20)]
        for i in range(140):
            self.connection.ask("SET", f"new:{i}", "x" * 1000)
            self.connection.ask("GET", used[i % 20])
        self.assertGreaterEqual(self.connection.ask("EXISTS", *used), 17)
        self.assertLess(self.connection.ask("EXISTS", *(f"old:{i}" for i in range(20, 100))), 50)

    def test_looking_is_not_using(self):
        self.connection.ask("SET", "k", "v")
        wait_for(lambda: self.connection.ask("OBJECT", "IDLETIME", "k") >= 2, "idle time", 10)
        for words in (("TTL", "k"), ("TYPE", "k"), ("EXISTS", "k"), ("OBJECT", "ENCODING", "k")):
            self.connection.ask(*words)
        self.assertGreaterEqual(self.connection.ask("OBJECT", "IDLETIME", "k"), 2)
        self.connection.ask("CLIENT", "NO-TOUCH", "ON")
        self.connection.ask("GET", "k")
        self.assertGreaterEqual(self.connection.ask("OBJECT", "IDLETIME", "k"), 2)
        self.connection.ask("TOUCH", "k")
        self.assertLess(self.connection.ask("OBJECT", "IDLETIME", "k"), 2)

    def test_lfu_counts_uses(self):
        self.connection.ask("CONFIG", "SET", "maxmemory-policy", "allkeys-lfu")
        self.connection.ask("SET", "k", "v")
        first = self.connection.ask("OBJECT", "FREQ", "k")
        for _ in range(60):
            self.connection.ask("GET", "k")
        self.assertGreater(self.connection.ask("OBJECT", "FREQ", "k"), first)
        payload = self.connection.ask("DUMP", "k")
        self.connection.ask("RESTORE", "k", "0", payload, "REPLACE", "FREQ", "100")
        self.assertEqual(self.connection.ask("OBJECT", "FREQ", "k"), 100)
