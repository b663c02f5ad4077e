"""What other clients get while a script runs for long: BUSY, SCRIPT KILL, FUNCTION KILL, SHUTDOWN NOSAVE."""

import time
import unittest

from cluster import Cluster, wait_for

EVAL_BUSY = b"BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE."
FUNCTION_BUSY = b"BUSY Redis is busy running a script. You can only call FUNCTION KILL or SHUTDOWN NOSAVE."
LIBRARY = """#!lua name=spin
redis.register_function{function_name='spin', callback=function() while true do end end, flags={'no-writes'}}"""
COUNT = "for i = 1, tonumber(ARGV[1]) do end "
LOGGED = "redis.call('INCR', KEYS[1]) " + COUNT + "return redis.call('INCR', KEYS[1])"


class BusyScripts(unittest.TestCase):
    def setUp(self):
        self.cluster = Cluster()
        self.addCleanup(self.cluster.__exit__, None)
        self.cluster.__enter__()
        self.leader = self.cluster.wait_leader()
        self.connection = self.leader.connect(timeout=60)
        self.addCleanup(self.connection.close)
        self.connection.ask("CONFIG", "SET", "lua-time-limit", "100")
        self.before = self.cluster.term_and_leader()

    def start(self, *command):
        """The command under way, and another connection that was there before it."""
        other = self.leader.connect()
        self.addCleanup(other.close)
        other.ask("PING")
        self.connection.send(*command)
        self.assertEqual(wait_for(lambda: self.busy(other), "BUSY").kind, b"-")
        return other

    @staticmethod
    def busy(connection):
        reply = connection.call("PING")
        return reply if reply.is_error else None

    def iterations(self, seconds):
        """Of an empty loop, for about so long on this machine when all nodes run it at once."""
        self.connection.ask("CONFIG", "SET", "lua-time-limit", "5000")
        begin = time.monotonic()
        self.connection.ask("EVAL", LOGGED, "1", "calibration", "20000000")
        rate = 20_000_000 / (time.monotonic() - begin)
        self.connection.ask("CONFIG", "SET", "lua-time-limit", "100")
        return str(int(rate * seconds))

    def test_a_script_that_only_reads_is_killed(self):
        other = self.start("EVAL", "while true do end", "0")
        self.assertEqual(other.call("GET", "k").value, EVAL_BUSY)
        self.assertEqual(other.call("WATCH", "k").value, EVAL_BUSY)
        self.assertEqual(other.call("SHUTDOWN").value, EVAL_BUSY)
        self.assertEqual(other.call("FUNCTION", "KILL").value, EVAL_BUSY)
        self.assertEqual(other.call("FUNCTION", "STATS").value, EVAL_BUSY)
        self.assertEqual(other.ask("MULTI"), b"OK")
        self.assertEqual(other.call("GET", "k").value, EVAL_BUSY)
        self.assertEqual(other.call("EXEC").value, b"EXECABORT Transaction discarded because of: " + EVAL_BUSY)
        self.assertTrue(other.call("NOSUCH").value.startswith(b"ERR unknown command"))
        with self.leader.connect() as late:
            self.assertEqual(late.call("PING").value, EVAL_BUSY)
            late.ask("HELLO", "3")
            self.assertEqual(late.ask("SCRIPT", "KILL"), b"OK")
        self.assertIn(b"Script killed by user with SCRIPT KILL", self.connection.read().value)
        self.assertEqual(other.call("SCRIPT", "KILL").value, b"NOTBUSY No scripts in execution right now.")
        self.assertEqual(other.ask("PING"), b"PONG")
        self.assertEqual(self.cluster.term_and_leader(), self.before)

    def test_a_connection_that_waits_is_answered_in_its_order(self):
        other = self.leader.connect(timeout=60)
        self.addCleanup(other.close)
        other.ask("PING")
        self.connection.send("EVAL", "while true do end", "0")
        with self.leader.connect() as prober:
            wait_for(lambda: self.busy(prober), "BUSY")
            other.send_raw(b"QUIT\r\nPING\r\n")
            self.assertEqual(other.read().value, b"OK")
            self.assertEqual(prober.ask("SCRIPT", "KILL"), b"OK")
        self.assertTrue(other.at_end())

    def test_a_function_is_killed(self):
        self.connection.ask("FUNCTION", "LOAD", LIBRARY)
        other = self.start("FCALL", "spin", "0")
        self.assertEqual(other.call("SCRIPT", "KILL").value, FUNCTION_BUSY)
        running = other.ask("FUNCTION", "STATS")[1]
        self.assertEqual((running[1], running[3]), (b"spin", [b"FCALL", b"spin", b"0"]))
        self.assertGreaterEqual(running[5], 100)
        self.assertEqual(other.ask("FUNCTION", "KILL"), b"OK")
        self.assertTrue(self.connection.read().is_error)
        self.assertEqual(self.cluster.term_and_leader(), self.before)

    def test_five_seconds_of_a_logged_script_cost_no_leadership(self):
        count = self.iterations(5)
        follower = self.cluster.followers()[0]
        other = self.start("EVAL", LOGGED, "1", "count", count)
        with follower.connect() as there:
            wait_for(lambda: self.busy(there), "BUSY on a follower")
            self.assertTrue(there.call("GET", "count").value.startswith(b"MOVED "))
        for node in (self.leader, follower):
            with node.connect() as late:
                self.assertTrue(late.call("SCRIPT", "KILL").value.startswith(b"UNKILLABLE Sorry the script already"))
        self.assertEqual(other.call("SET", "count", "x").value, EVAL_BUSY)
        self.assertEqual(self.connection.read().value, b"2")
        self.assertEqual(other.ask("GET", "count"), b"2")
        self.assertEqual(self.cluster.term_and_leader(), self.before)
        self.cluster.wait_equal()

    def test_shutdown_nosave_leaves_the_script(self):
        count = self.iterations(4)
        other = self.start("EVAL", LOGGED, "1", "count", count)
        other.send("SHUTDOWN", "NOSAVE")
        self.assertTrue(other.at_end())
        self.assertEqual(self.leader.process.wait(10), 0)
        self.leader.start()
        self.leader.wait_ready(60)
        # The entry was in the log, and every node ran it from its beginning to its end.
        with self.cluster.wait_leader(60).connect(timeout=60) as connection:
            self.assertEqual(connection.ask("GET", "count"), b"2")
        self.cluster.wait_equal(60)


if __name__ == "__main__":
    unittest.main()
