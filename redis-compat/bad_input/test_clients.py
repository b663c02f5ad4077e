"""Clients that send nonsense, too much, or stop reading: each gets its clear error, and nobody else notices."""

import os
import random
import resource
import socket
import time
import unittest

from cluster import PEER_PORT_OFFSET, Cluster, wait_for
from resp import Closed, Connection, command

LONG = bool(os.environ.get("REDRAFT_LONG"))
MIB = 1 << 20


def setUpModule():
    global cluster
    cluster = Cluster()
    cluster.__enter__()


def tearDownModule():
    cluster.__exit__(None)


class Untouched(unittest.TestCase):
    """Every test of this file leaves term, leader, processes and another client's data as they were."""

    def setUp(self):
        self.pids = [node.pid for node in cluster.nodes]
        self.leader = cluster.wait_leader()
        self.before = cluster.term_and_leader()
        self.witness = self.leader.connect(timeout=60)
        self.witness.ask("SET", "witness", self.id())

    def tearDown(self):
        self.assertEqual(self.witness.ask("GET", "witness"), self.id().encode())
        self.witness.close()
        self.assertEqual(cluster.term_and_leader(), self.before, "term or leader changed")
        self.assertTrue(all(node.alive for node in cluster.nodes))
        self.assertEqual([node.pid for node in cluster.nodes], self.pids)


class Malformed(Untouched):
    CASES = [
        (b"*1048577\r\n", b"-ERR Protocol error: invalid multibulk length\r\n"),
        (b"*99999999999999999999\r\n", b"-ERR Protocol error: invalid multibulk length\r\n"),
        (b"*x\r\n", b"-ERR Protocol error: invalid multibulk length\r\n"),
        (b"*2\r\n$3\r\nGET\r\n$x\r\n", b"-ERR Protocol error: invalid bulk length\r\n"),
        (b"*2\r\n$3\r\nGET\r\n$-2\r\n", b"-ERR Protocol error: invalid bulk length\r\n"),
        (b"*2\r\n$3\r\nGET\r\n$536870913\r\n", b"-ERR Protocol error: invalid bulk length\r\n"),
        (b"*1\r\n:4\r\n", b"-ERR Protocol error: expected '$', got ':'\r\n"),
        (b"SET k \"open\r\n", b"-ERR Protocol error: unbalanced quotes in request\r\n"),
        (b"x" * 70000, b"-ERR Protocol error: too big inline request\r\n"),
        (b"*" + b"1" * 70000, b"-ERR Protocol error: too big mbulk count string\r\n"),
        (b"*1\r\n$" + b"1" * 70000, b"-ERR Protocol error: too big bulk count string\r\n"),
    ]

    def test_each_error_and_then_the_connection_is_closed(self):
        for node in cluster.nodes:
            for sent, expected in self.CASES:
                with self.subTest(sent=sent[:30], port=node.port), node.connect() as connection:
                    connection.send_raw(sent)
                    self.assertEqual(connection.read().raw, expected)
                    self.assertTrue(connection.at_end())

    def test_random_bytes(self):
        rng = random.Random(7)
        valid = command("SET", "fuzz", "value") + command("LRANGE", "fuzz", 0, -1) + b"PING\r\n"
        for _ in range(300):
            data = bytearray(valid * rng.randrange(1, 4))
            for _ in range(rng.randrange(1, 8)):
                data[rng.randrange(len(data))] = rng.randrange(256)
            if rng.random() < 0.5:
                del data[rng.randrange(len(data)):]
            with self.leader.connect() as connection:
                connection.send_raw(bytes(data))

    def test_random_bytes_at_the_peer_port(self):
        rng = random.Random(8)
        for node in cluster.nodes:
            for size in (1, 4, 16, 100, 5000, 200000):
                with socket.create_connection(("127.0.0.1", node.port + PEER_PORT_OFFSET), 5) as peer:
                    try:
                        peer.sendall(rng.randbytes(size))
                    except OSError:
                        pass  # closed already, which is an answer
            with socket.create_connection(("127.0.0.1", node.port + PEER_PORT_OFFSET), 5) as peer:
                peer.sendall(b"\xff" * 64)  # a length field that asks for everything
            wait_for(lambda: "Peer link refused: the peer sent what is no frame" in node.log.read_text(), "a warning")


class ComeAndGo(Untouched):
    def test_clients_that_leave_inside_a_command(self):
        parts = [b"*3\r\n", b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1000000\r\nabc", command("SET", "k", "x" * 100000)[:-1],
                 command("BLPOP", "none", "0"), command("MULTI") + command("SET", "k", "v"), command("WATCH", "k"),
                 command("LRANGE", "big", "0", "-1") * 50, command("INCR", "left") * 1000]
        with self.leader.connect() as connection:
            connection.ask("RPUSH", "big", *["x" * 1000] * 1000)
        for _ in range(20):
            for part in parts:
                connection = self.leader.connect()
                connection.send_raw(part)
                if part == parts[0]:  # a reset instead of an orderly end
                    connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                connection.close()
        wait_for(lambda: int(self.witness.info("clients")["connected_clients"]) < 10, "end of the clients that left")
        wait_for(lambda: int(self.witness.info("clients")["blocked_clients"]) == 0, "end of the waiters that left")

    def test_idle_connections(self):
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        count = min(9900, hard - 500)
        idle = []
        try:
            for _ in range(count):
                idle.append(socket.create_connection(("127.0.0.1", self.leader.port), 10))
            wait_for(lambda: int(self.witness.info("clients")["connected_clients"]) >= count, f"{count} connections")
            self.witness.ask("SET", "k", "v")
            for one in (idle[0], idle[count // 2], idle[-1]):
                one.sendall(b"PING\r\n")
                self.assertEqual(one.recv(100), b"+PONG\r\n")
        finally:
            for one in idle:
                one.close()
        wait_for(lambda: int(self.witness.info("clients")["connected_clients"]) < 10, "end of the idle connections")

    def test_maxclients(self):
        self.witness.ask("CONFIG", "SET", "maxclients", "20")
        some = []
        try:
            reply = None
            for _ in range(40):
                connection = self.leader.connect()
                some.append(connection)
                try:
                    reply = connection.call("PING")
                except (Closed, OSError):
                    continue
                if reply.is_error:
                    break
            self.assertEqual(reply.raw, b"-ERR max number of clients reached\r\n")
        finally:
            for connection in some:
                connection.close()
            self.witness.ask("CONFIG", "SET", "maxclients", "10000")


class Large(Untouched):
    def test_slow_reader(self):
        self.witness.ask("SET", "big", "x" * MIB)
        slow = self.leader.connect()
        slow.send_raw(command("GET", "big") * 200)  # 200 MiB of replies that nobody reads
        begin = time.monotonic()
        for i in range(200):
            self.witness.ask("SET", "k", i)
        self.assertLess(time.monotonic() - begin, 30)
        for _ in range(200):
            self.assertEqual(len(slow.read().value), MIB)
        slow.close()

    def test_output_buffer_limit_closes_a_slow_reader(self):
        self.witness.ask("SET", "big", "x" * MIB)
        self.witness.ask("CONFIG", "SET", "client-output-buffer-limit", "normal 20mb 10mb 60")
        try:
            slow = self.leader.connect()
            slow.send_raw(command("GET", "big") * 200)
            wait_for(lambda: int(self.witness.info("clients")["connected_clients"]) <= 1, "end of the slow reader")
            slow.close()
        finally:
            self.witness.ask("CONFIG", "SET", "client-output-buffer-limit", "normal 0 0 0")

    def test_unfinished_requests_of_many_clients(self):
        """Each announces 512 MiB and sends some of it: all together are bounded, and everybody else is served."""
        self.witness.ask("CONFIG", "SET", "client-memory-max", "16mb")
        before = self.leader.rss()
        many = []
        try:
            for _ in range(200):
                one = socket.create_connection(("127.0.0.1", self.leader.port), 10)
                one.setblocking(False)
                many.append(one)
                one.send(b"*3\r\n$3\r\nSET\r\n$4\r\nhuge\r\n$536870912\r\n")
            for _ in range(8):
                for one in many:
                    try:
                        one.send(b"x" * (MIB // 4))
                    except (BlockingIOError, ConnectionError):
                        pass  # waits in its socket, or has been evicted
                self.assertEqual(self.witness.ask("SET", "k", "y" * 500), b"OK")
            self.assertLess(self.leader.rss() - before, 120 * MIB)
        finally:
            for one in many:
                one.close()
        wait_for(lambda: int(self.witness.info("clients")["connected_clients"]) < 10, "end of the crowd")
        with self.leader.connect(timeout=60) as connection:
            self.assertEqual(connection.ask("SET", "huge", b"y" * (20 * MIB)), b"OK", "a lone one may be longer")
            self.assertEqual(connection.ask("DEL", "huge"), 1)
        self.witness.ask("CONFIG", "SET", "client-memory-max", "64mb")

    def test_maxmemory_clients_evicts_the_largest(self):
        """redis.io/docs/reference/clients, "Client eviction": the largest buffers go, CLIENT NO-EVICT ON stays."""
        def total():
            return int(self.witness.info("memory")["mem_clients_normal"])

        def evicted():
            return int(self.witness.info("stats")["evicted_clients"])

        def sends(megabytes):
            one = self.leader.connect(timeout=60)
            one.ask("CLIENT", "SETNAME", f"sends-{megabytes}")
            one.send_raw(b"*2\r\n$4\r\nECHO\r\n$536870912\r\n" + b"x" * (megabytes * MIB))
            return one

        def senders(field):
            lines = [line for line in self.witness.ask("CLIENT", "LIST").decode().splitlines() if "name=sends" in line]
            return {line.split("name=")[1].split()[0]: int(line.split(field + "=")[1].split()[0]) for line in lines}

        self.witness.ask("CLIENT", "NO-EVICT", "ON")
        before = evicted()
        with self.leader.connect(timeout=60) as writer:  # whose own buffer counts for as long as it is connected
            writer.ask("SET", "big", b"y" * (20 * MIB))
        small, medium, large = sends(1), sends(4), sends(8)
        reader = self.leader.connect(timeout=60)
        try:
            wait_for(lambda: all(size >= int(name[6:]) * MIB for name, size in senders("qbuf").items()), "all bytes")
            sizes = senders("tot-mem")
            self.assertLess(sizes["sends-1"], sizes["sends-4"])
            self.assertLess(sizes["sends-4"], sizes["sends-8"])
            # How much larger than its content a buffer is depends on how the bytes came in.
            limit = total() - sizes["sends-8"] // 2
            self.witness.ask("CONFIG", "SET", "maxmemory-clients", str(limit))
            wait_for(lambda: evicted() == before + 1, "one eviction")
            self.assertTrue(large.at_end())
            self.assertLess(total(), limit)
            # Output counts as well: a reply that nobody reads.
            reader.send("GET", "big")
            wait_for(lambda: evicted() == before + 2, "end of the client that does not read")
            # A percentage is one of maxmemory, and less than 128 KiB is 128 KiB.
            self.witness.ask("CONFIG", "SET", "maxmemory", "4gb", "maxmemory-clients", "0")
            self.witness.ask("CONFIG", "SET", "maxmemory-clients", "1%")
            self.assertEqual(self.witness.ask("CONFIG", "GET", "maxmemory-clients"), [b"maxmemory-clients", b"1%"])
            self.assertEqual(self.witness.ask("ECHO", "still here"), b"still here")
            self.assertEqual(evicted(), before + 2)
            self.witness.ask("CONFIG", "SET", "maxmemory-clients", "1")
            wait_for(lambda: evicted() >= before + 4, "end of the others")
            self.assertTrue(medium.at_end() and small.at_end())
        finally:
            self.witness.ask("CONFIG", "SET", "maxmemory", "0", "maxmemory-clients", "0")
            self.witness.ask("DEL", "big")
            for one in (small, medium, large, reader):
                one.close()

    def test_large_set_and_exec(self):
        """In the long run 512 MiB in one SET and 600 MiB in one EXEC; neither may cost an election."""
        value, parts = (512, 6) if LONG else (64, 3)
        part = b"x" * ((100 if LONG else 30) * MIB)
        with self.leader.connect(timeout=180) as connection:
            self.assertEqual(connection.ask("SET", "huge", b"y" * (value * MIB)), b"OK")
            self.assertEqual(connection.ask("STRLEN", "huge"), value * MIB)
            self.assertEqual(connection.ask("DEL", "huge"), 1)
            connection.ask("MULTI")
            for i in range(parts):
                self.assertEqual(connection.ask("SET", f"part{i}", part), b"QUEUED")
            connection.ask("INCR", "parts")
            self.assertEqual(connection.ask("EXEC"), [b"OK"] * parts + [1])
            self.assertEqual(connection.ask("STRLEN", f"part{parts - 1}"), len(part))
            connection.ask("DEL", "parts", *[f"part{i}" for i in range(parts)])
        cluster.wait_equal(120)

    def test_a_pipeline_of_reads_that_asks_for_much(self):
        """Of a few hundred kilobytes of requests, in the long run a megabyte: peers are served between the replies."""
        count = 20000 if LONG else 3000
        self.witness.ask("SET", "long", "y" * 10000)
        with self.leader.connect(timeout=120) as connection:
            connection.send_raw(command("GET", "long") * count)
            self.assertEqual(self.witness.ask("PING"), b"PONG")
            for _ in range(count):
                self.assertEqual(len(connection.read().value), 10000)

    def test_large_values_of_every_type(self):
        """One element of 16 MiB, or of 500 in the long run, written and read, and no election."""
        value = b"x" * ((500 if LONG else 16) * MIB)
        writes = [("SET", "t", value), ("APPEND", "t", b"x"), ("SETRANGE", "t", 5, value[:-5]), ("LPUSH", "t", value),
                  ("RPUSH", "t", value), ("SADD", "t", value), ("HSET", "t", "f", value), ("ZADD", "t", 1, value),
                  ("XADD", "t", "*", "f", value), ("PFADD", "t", value)]
        with self.leader.connect(timeout=120) as connection:
            for words in writes:
                if words[0] not in ("APPEND", "SETRANGE"):
                    connection.ask("DEL", "t")
                with self.subTest(command=words[0]):
                    self.assertFalse(connection.call(*words).is_error)
            for words in (("SET", "t", value), ("LPUSH", "t", value)):
                connection.ask("DEL", "t")
                connection.ask(*words)
                read = connection.ask("GET", "t") if words[0] == "SET" else connection.ask("LRANGE", "t", 0, -1)[0]
                self.assertEqual(len(read), len(value))
            connection.ask("DEL", "t")

    def test_many_arguments(self):
        with self.leader.connect(timeout=60) as connection:
            count = 500_000
            self.assertEqual(connection.ask("RPUSH", "wide", *range(count)), count)
            self.assertEqual(len(connection.ask("LRANGE", "wide", 0, -1)), count)
            connection.ask("DEL", "wide")

    def test_long_work_changes_neither_term_nor_leader(self):
        """Peers and timers are served meanwhile (pitfall G4)."""
        keys, pause = (5_000_000, 5) if LONG else (300_000, 2)
        with self.leader.connect(timeout=300) as connection:
            for start in range(0, keys, 10000):
                connection.send_raw(b"".join(command("MSET", *sum(((f"key:{i}", "v")
                                                                   for i in range(first, first + 500)), ()))
                                             for first in range(start, start + 10000, 500)))
                for _ in range(20):
                    self.assertFalse(connection.read().is_error)
            self.assertGreaterEqual(len(connection.ask("KEYS", "*")), keys)
            self.assertEqual(connection.ask("DEBUG", "SLEEP", pause), b"OK")
            self.assertEqual(connection.ask("FLUSHALL"), b"OK")
            self.assertEqual(connection.ask("DBSIZE"), 0)
            connection.ask("SET", "witness", self.id())
