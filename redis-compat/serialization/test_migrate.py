"""MIGRATE to a real redis-server 7.0 and to another cluster: what arrives, what goes, and who is served meanwhile."""

import socket
import sys
import threading
import unittest
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent), str(Path(__file__).resolve().parent.parent / "differential")]

from beside_redis import BesideRedis
from cluster import Cluster, RedisServer, wait_for
from fuzz import offered, read_key
from resp import Connection
from test_values import fill

HOST = "127.0.0.1"


class Target:
    """A server that plays by a script: takes one connection, reads what comes, and answers what it is told."""

    def __init__(self):
        self.listener = socket.create_server((HOST, 0))
        self.port = self.listener.getsockname()[1]
        self.connection = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.connection:
            self.connection.close()
        self.listener.close()

    def take(self, until):
        self.listener.settimeout(10)
        self.connection, _ = self.listener.accept()
        self.connection.settimeout(10)
        received = b""
        while until not in received:
            received += self.connection.recv(65536)
        return received


class Migrate(BesideRedis):
    def setUp(self):
        self.source, self.target = Connection(self.port), Connection(self.oracle.port)
        for connection in (self.source, self.target):
            self.addCleanup(connection.close)
            connection.ask("FLUSHALL")

    def migrate(self, *words, key="", db=0, timeout=5000, port=None):
        return self.source.call("MIGRATE", HOST, port or self.oracle.port, key, db, timeout, *words)

    def answers(self, expected, reply):
        self.assertEqual(expected, reply.value.decode() if reply.value is not None else None)

    def test_every_type_arrives_whole(self):
        fill(self.source, offered(self.source))
        keys = sorted(self.source.ask("KEYS", "*"))
        # Redis 7.0 cannot read a stream whose consumers were active at another time than they were seen: version 11.
        before = {key: read_key(self.source, key) for key in keys}
        self.answers("OK", self.migrate("KEYS", *keys))
        self.assertEqual(0, self.source.ask("DBSIZE"))
        self.assertEqual(keys, sorted(self.target.ask("KEYS", "*")))
        for key in keys:
            self.assertEqual(before[key], read_key(self.target, key), key)
        self.cluster.wait_equal()

    def test_deadlines_go_along(self):
        self.source.ask("SET", "timed", "v", "PX", "600000")
        self.source.ask("SET", "for ever", "v")
        self.answers("OK", self.migrate("KEYS", "timed", "for ever"))
        self.assertTrue(500_000 < self.target.ask("PTTL", "timed") <= 600_000)
        self.assertEqual(-1, self.target.ask("PTTL", "for ever"))

    def test_options(self):
        self.source.ask("SET", "k", "new")
        self.target.ask("SET", "k", "old")
        self.answers("ERR Target instance replied with error: BUSYKEY Target key name already exists.",
                     self.migrate(key="k"))
        self.assertEqual(b"new", self.source.ask("GET", "k"))
        self.answers("OK", self.migrate("COPY", "REPLACE", key="k"))
        self.assertEqual(b"new", self.source.ask("GET", "k"))
        self.assertEqual(b"new", self.target.ask("GET", "k"))
        self.answers("OK", self.migrate("REPLACE", key="k", db=3))
        self.assertEqual(None, self.source.ask("GET", "k"))
        self.target.ask("SELECT", "3")
        self.assertEqual(b"new", self.target.ask("GET", "k"))

    def test_from_another_database(self):
        self.source.ask("SELECT", "5")
        self.source.ask("SET", "k", "v")
        self.answers("OK", self.migrate(key="k"))
        self.assertEqual(0, self.source.ask("EXISTS", "k"))
        self.assertEqual(b"v", self.target.ask("GET", "k"))

    def test_what_the_target_refuses_stays(self):
        self.source.ask("MSET", "a", "1", "b", "2", "c", "3")
        self.target.ask("SET", "b", "old")
        self.answers("ERR Target instance replied with error: BUSYKEY Target key name already exists.",
                     self.migrate("KEYS", "a", "b", "c", "missing"))
        self.assertEqual([b"b"], self.source.ask("KEYS", "*"))
        self.assertEqual(3, self.target.ask("DBSIZE"))
        self.answers("ERR Target instance replied with error: ERR DB index is out of range",
                     self.migrate(key="b", db=99))
        self.assertEqual(1, self.source.ask("EXISTS", "b"))

    def test_a_key_named_twice(self):
        self.source.ask("SET", "k", "v")
        self.answers("OK", self.migrate("REPLACE", "KEYS", "k", "k"))
        self.assertEqual(0, self.source.ask("DBSIZE"))

    def test_the_connection_is_kept_for_a_while(self):
        """As in Redis: the next MIGRATE of ten seconds goes the same way, and one that was closed meanwhile is opened
        anew without anybody noticing."""
        def received():
            return int(self.target.info("stats")["total_connections_received"])

        def kept():
            return int(self.source.info("stats")["migrate_cached_sockets"])

        self.target.ask("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        wait_for(lambda: kept() == 0, "end of earlier tests' connections")
        before = received()
        for i in range(5):
            self.source.ask("SET", "k", i)
            self.answers("OK", self.migrate("REPLACE", key="k", db=i % 2))
        self.assertEqual(before + 1, received())
        self.assertEqual(1, kept())
        self.target.ask("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        self.source.ask("SET", "k", "again")
        self.answers("OK", self.migrate("REPLACE", key="k"))
        self.assertEqual(before + 2, received())
        self.assertEqual(b"again", self.target.ask("GET", "k"))
        # Who says who he is does not go on as somebody else's connection.
        self.source.ask("SET", "k", "mine")
        self.answers("OK", self.migrate("REPLACE", "AUTH2", "default", "any", key="k"))
        self.assertEqual(before + 3, received())
        wait_for(lambda: kept() == 0, "end of the idle connections", timeout=15)

    def test_login(self):
        self.source.ask("SET", "k", "v")
        with RedisServer() as locked, Connection(locked.port) as there:
            there.ask("ACL", "SETUSER", "mover", "on", ">pass", "~*", "+@all")
            there.ask("CONFIG", "SET", "requirepass", "secret")
            self.answers("ERR Target instance replied with error: NOAUTH Authentication required.",
                         self.migrate(key="k", port=locked.port))
            self.answers("ERR Target instance replied with error: WRONGPASS invalid username-password pair or user is "
                         "disabled.", self.migrate("AUTH", "wrong", key="k", port=locked.port))
            self.assertEqual(1, self.source.ask("EXISTS", "k"))
            self.answers("OK", self.migrate("COPY", "AUTH", "secret", key="k", port=locked.port))
            self.answers("OK", self.migrate("REPLACE", "AUTH2", "mover", "pass", key="k", port=locked.port))
            self.assertEqual(0, self.source.ask("EXISTS", "k"))

    def test_to_another_cluster_and_back(self):
        with Cluster(1) as other:
            port = other.wait_leader().port
            self.source.ask("ZADD", "z", *(word for i in range(300) for word in (i, f"m{i}")))
            before = read_key(self.source, "z")
            self.answers("OK", self.migrate(key="z", port=port))
            with Connection(port) as there:
                self.assertEqual(before, read_key(there, "z"))
                self.answers("OK", there.call("MIGRATE", HOST, self.port, "z", 0, 5000))
            self.assertEqual(before, read_key(self.source, "z"))

    def test_nobody_there(self):
        self.source.ask("SET", "k", "v")
        with socket.create_server((HOST, 0)) as closed:
            port = closed.getsockname()[1]
        self.answers("IOERR error or timeout writing to target instance", self.migrate(key="k", port=port))
        self.answers("IOERR error or timeout connecting to the client",
                     self.source.call("MIGRATE", "no.such.host.invalid", 6379, "k", 0, 2000))
        self.answers("NOKEY", self.migrate(key="missing", port=port))
        self.assertEqual(b"v", self.source.ask("GET", "k"))

    def test_a_target_that_says_nothing_or_hangs_up(self):
        self.source.ask("SET", "k", "v")
        with Target() as target:
            self.answers("IOERR error or timeout reading to target instance",
                         self.migrate(key="k", port=target.port, timeout=150))
        with Target() as target:
            threading.Thread(target=lambda: (target.take(b"RESTORE"), target.connection.close())).start()
            self.answers("IOERR error or timeout reading to target instance", self.migrate(key="k", port=target.port))
        self.assertEqual(b"v", self.source.ask("GET", "k"))

    def test_what_was_acknowledged_before_the_end_is_gone(self):
        self.source.ask("MSET", "a", "1", "b", "2")
        with Target() as target:
            def serve():
                target.take(b"\r\nb\r\n")
                target.connection.sendall(b"+OK\r\n+OK\r\n")
                target.connection.close()
            threading.Thread(target=serve).start()
            self.answers("IOERR error or timeout reading to target instance",
                         self.migrate("KEYS", "a", "b", port=target.port))
        self.assertEqual([None, b"2"], self.source.ask("MGET", "a", "b"))

    def test_others_are_served_and_what_they_write_stays(self):
        self.source.ask("MSET", "written", "1", "left alone", "2", "deleted", "3")
        with Target() as target, Connection(self.port) as other:
            replies = []
            waiting = threading.Thread(target=lambda: replies.append(
                self.migrate("KEYS", "written", "left alone", "deleted", port=target.port)))
            waiting.start()
            target.take(b"deleted")
            self.assertEqual(2, other.ask("INCR", "written"))
            self.assertEqual(1, other.ask("DEL", "deleted"))
            self.assertEqual(b"2", other.ask("GET", "left alone"))
            target.connection.sendall(b"+OK\r\n" * 4)
            waiting.join(10)
            self.answers("ERR written while the target took a copy, and not deleted here: 'written' 'deleted'",
                         replies[0])
            self.assertEqual([b"2", None], other.ask("MGET", "written", "left alone"))
        self.cluster.wait_equal()

    def test_the_connections_next_commands_wait_their_turn(self):
        self.source.ask("SET", "k", "v")
        with Target() as target:
            def serve():
                target.take(b"RESTORE")
                target.connection.sendall(b"+OK\r\n+OK\r\n")
            threading.Thread(target=serve).start()
            self.source.send("SET", "ahead", "1")
            self.source.send("MIGRATE", HOST, target.port, "k", 0, 5000)
            self.source.send("EXISTS", "k")
            self.assertEqual([b"OK", b"OK", b"0"], [self.source.read().value for _ in range(3)])

    def test_a_client_that_leaves_meanwhile(self):
        self.source.ask("SET", "k", "v")
        with Target() as target:
            leaving = Connection(self.port)
            leaving.send("MIGRATE", HOST, target.port, "k", 0, 5000)
            target.take(b"RESTORE")
            leaving.close()
            target.connection.sendall(b"+OK\r\n+OK\r\n")
            wait_for(lambda: self.source.ask("EXISTS", "k") == 0, "the deletion")

    def test_inside_transactions_and_scripts(self):
        self.source.ask("SET", "k", "v")
        self.source.ask("MULTI")
        self.migrate(key="k")
        reply = self.source.call("EXEC").value[0]
        self.answers("ERR MIGRATE waits for another server, which no transaction or script can", reply)
        reply = self.source.call("EVAL", "return redis.pcall('migrate', '127.0.0.1', '1', 'k', '0', '10')", 1, "k")
        self.assertIn(b"MIGRATE waits for another server", reply.value)
        self.assertEqual(1, self.source.ask("EXISTS", "k"))

    def test_a_leader_that_steps_down_meanwhile(self):
        self.source.ask("SET", "k", "v")
        with Target() as target:
            replies = []
            waiting = threading.Thread(target=lambda: replies.append(self.migrate(key="k", port=target.port)))
            waiting.start()
            target.take(b"RESTORE")
            self.cluster.hand_over()
            target.connection.sendall(b"+OK\r\n+OK\r\n")
            waiting.join(10)
        self.answers("ERR the target has the keys, but another node leads here now: they were not deleted", replies[0])
        self.__class__.port = self.cluster.wait_leader().port
        with Connection(self.port) as leader:
            self.assertEqual(b"v", leader.ask("GET", "k"))

    def test_many_keys_take_many_entries(self):
        """More names than one entry of the log holds: 1.2 MB of them."""
        pad = "n" * 600
        keys = [f"{i}:{pad}" for i in range(2000)]
        for at in range(0, len(keys), 500):
            self.source.ask("MSET", *(word for key in keys[at:at + 500] for word in (key, "v")))
        self.answers("OK", self.migrate("KEYS", *keys))
        self.assertEqual(0, self.source.ask("DBSIZE"))
        self.assertEqual(len(keys), self.target.ask("DBSIZE"))


if __name__ == "__main__":
    unittest.main()
