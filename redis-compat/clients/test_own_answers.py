"""Commands for which redis-server is no oracle: what they do belongs to the log, the snapshot or the node itself."""

import os
import signal
import socket
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

from cluster import SERVER, Cluster, free_ports, wait_for
from resp import Connection


def setUpModule():
    global cluster
    cluster = Cluster()
    cluster.__enter__()


def tearDownModule():
    cluster.__exit__(None)


class OwnAnswers(unittest.TestCase):
    def setUp(self):
        self.leader = cluster.wait_leader()
        self.connection = self.leader.connect()
        self.call = self.connection.call

    def tearDown(self):
        self.connection.close()

    def refused(self, *words):
        """One sentence of reason, and not "unknown command"."""
        reply = self.call(*words)
        self.assertTrue(reply.is_error, f"{words}: {reply.raw!r}")
        self.assertNotIn(b"unknown command", reply.value.lower())
        self.assertGreater(len(reply.value.split()), 3, reply.value)

    def test_replication_of_redis_is_refused(self):
        for words in (("SYNC",), ("PSYNC", "?", "-1"), ("REPLCONF", "listening-port", "1"), ("FAILOVER",),
                      ("REPLICAOF", "127.0.0.1", "1"),
                      ("SLAVEOF", "NO", "ONE")):
            with self.subTest(words=words):
                self.refused(*words)

    def test_resharding_is_refused(self):
        for words in (("ADDSLOTS", "1"), ("ADDSLOTSRANGE", "1", "2"), ("DELSLOTS", "1"), ("DELSLOTSRANGE", "1", "2"),
                      ("FLUSHSLOTS",),
                      ("SETSLOT", "1", "STABLE"), ("MEET", "127.0.0.1", "0"), ("FORGET", "0" * 40),
                      ("REPLICATE", "0" * 40), ("RESET",),
                      ("SET-CONFIG-EPOCH", "5")):
            with self.subTest(words=words):
                self.refused("CLUSTER", *words)

    def test_modules(self):
        self.assertEqual(self.call("MODULE", "LIST").raw, b"*0\r\n")
        self.refused("MODULE", "LOAD", "/nonexistent.so")
        self.refused("MODULE", "LOADEX", "/nonexistent.so", "CONFIG", "a", "b", "ARGS", "c")
        self.refused("MODULE", "UNLOAD", "x")

    def test_wait_counts_replicas_that_have_it_durable(self):
        self.connection.ask("SET", "k", "v")
        self.assertEqual(self.connection.ask("WAIT", "2", "5000"), 2)
        self.assertEqual(self.connection.ask("WAITAOF", "1", "2", "5000"), [1, 2])
        begin = time.monotonic()
        self.connection.ask("SET", "k", "w")
        self.assertLessEqual(self.connection.ask("WAIT", "3", "100"), 2)
        self.assertGreaterEqual(time.monotonic() - begin, 0.09)

    def test_role(self):
        role = self.connection.ask("ROLE")
        self.assertEqual(role[0], b"master")
        self.assertEqual(sorted(int(one[1]) for one in role[2]), sorted(node.port for node in cluster.followers()))
        with cluster.followers()[0].connect() as follower:
            self.assertEqual(follower.ask("ROLE")[:4], [b"slave", b"127.0.0.1", self.leader.port, b"connected"])

    def test_save_takes_a_snapshot(self):
        before = int(self.connection.info("raft")["raft_snapshot_index"])
        now = int(self.connection.ask("TIME")[0])
        self.connection.ask("SET", "k", "v")
        self.assertEqual(self.call("SAVE").raw, b"+OK\r\n")
        after = int(self.connection.info("raft")["raft_snapshot_index"])
        self.assertGreater(after, before)
        self.assertGreaterEqual(self.connection.ask("LASTSAVE"), now)
        self.connection.ask("SET", "k", "w")
        self.assertEqual(self.call("BGSAVE").raw, b"+Background saving started\r\n")
        wait_for(lambda: int(self.connection.info("raft")["raft_snapshot_index"]) > after, "snapshot by BGSAVE")
        wait_for(lambda: self.connection.info("persistence")["rdb_bgsave_in_progress"] == "0", "end of BGSAVE")
        self.assertFalse(self.call("BGSAVE", "SCHEDULE").is_error)
        self.assertEqual(self.call("BGSAVE", "FOO").raw, b"-ERR syntax error\r\n")
        wait_for(lambda: self.connection.info("persistence")["rdb_bgsave_in_progress"] == "0", "end of BGSAVE")
        self.assertIn(b"append only file rewriting", self.call("BGREWRITEAOF").value)

    def test_shutdown(self):
        self.assertEqual(self.call("SHUTDOWN", "FOO").raw, b"-ERR syntax error\r\n")
        self.assertEqual(self.call("SHUTDOWN", "SAVE", "NOSAVE").raw, b"-ERR syntax error\r\n")
        self.assertEqual(self.call("SHUTDOWN", "ABORT").raw, b"-ERR No shutdown in progress.\r\n")
        self.connection.ask("SET", "kept", "v")
        for options in ([], ["NOSAVE"], ["SAVE", "NOW", "FORCE"]):
            node = cluster.wait_leader()
            with node.connect() as connection:
                connection.send("SHUTDOWN", *options)
                self.assertTrue(connection.at_end())
            self.assertEqual(node.process.wait(20), 0)
            with cluster.connect() as connection:
                self.assertEqual(connection.ask("GET", "kept"), b"v")
            cluster.start()

    def test_sentinel(self):
        host_port = [b"127.0.0.1", b"%d" % self.leader.port]
        for node in cluster.nodes:
            with node.connect() as connection:
                self.assertEqual(connection.ask("SENTINEL", "get-master-addr-by-name", "anything"), host_port)
                masters = connection.ask("SENTINEL", "MASTERS")
                fields = dict(zip(masters[0][::2], masters[0][1::2]))
                self.assertEqual([fields[b"ip"], fields[b"port"], fields[b"flags"]], [*host_port, b"master"])
                one = connection.ask("SENTINEL", "MASTER", "anything")
                self.assertEqual(dict(zip(one[::2], one[1::2]))[b"name"], b"anything")
                for name in ("REPLICAS", "SLAVES"):
                    replicas = [dict(zip(item[::2], item[1::2]))
                                for item in connection.ask("SENTINEL", name, "anything")]
                    self.assertEqual(sorted(int(item[b"port"]) for item in replicas),
                                     sorted(n.port for n in cluster.followers()))
                self.assertEqual(len(connection.ask("SENTINEL", "SENTINELS", "anything")), 2)
                self.assertTrue(connection.ask("SENTINEL", "CKQUORUM", "anything").startswith(b"OK 3 usable Sentinels"))
                self.assertRegex(connection.ask("SENTINEL", "MYID").decode(), "^[0-9a-f]{40}$")
                self.assertTrue(connection.call("SENTINEL", "FOO").is_error)
                self.assertTrue(connection.ask("SENTINEL", "HELP")[0].startswith(b"SENTINEL"))

    def test_debug(self):
        self.connection.ask("SET", "k", "v")
        self.assertRegex(self.connection.ask("DEBUG", "DIGEST").decode(), "^[0-9a-f]{40}$")
        self.assertRegex(self.connection.ask("DEBUG", "OBJECT", "k").decode(),
                         r"^Value at:\S+ refcount:\d+ encoding:embstr serializedlength:\d+ ")
        with Cluster(1, options=["--enable-debug-command", "no"]) as other, other.connect() as connection:
            self.assertTrue(connection.call("DEBUG", "SLEEP", "0").value.startswith(b"ERR DEBUG command not allowed."))

    def test_help_of_every_container(self):
        for name in ("CLIENT", "CLUSTER", "COMMAND", "CONFIG", "DEBUG", "LATENCY", "MEMORY", "MODULE", "OBJECT",
                     "SENTINEL", "SLOWLOG"):
            lines = self.connection.ask(name, "HELP")
            self.assertEqual(lines[0], b"%b <subcommand> [<arg> [value] [opt] ...]. Subcommands are:" % name.encode())
            self.assertEqual(lines[-2:], [b"HELP", b"    Prints this help."])


class Doors(unittest.TestCase):
    def test_unix_socket(self):
        with tempfile.TemporaryDirectory() as directory:
            path = Path(directory) / "socket"
            with Cluster(1, options=["--unixsocket", path, "--unixsocketperm", "700"]):
                self.assertEqual(path.stat().st_mode & 0o777, 0o700)
                with socket.socket(socket.AF_UNIX) as client:
                    client.connect(str(path))
                    client.sendall(b"SET k v\r\n")
                    self.assertEqual(client.recv(100), b"+OK\r\n")

    def test_timeout_closes_idle_clients(self):
        with Cluster(1, options=["--timeout", "1"]) as one, one.connect() as connection:
            self.assertEqual(connection.ask("PING"), b"PONG")
            self.assertTrue(connection.at_end())

    def test_requirepass(self):
        with Cluster(1) as one, one.connect() as connection:
            connection.ask("CONFIG", "SET", "requirepass", "secret")
            with one.nodes[0].connect() as stranger:
                self.assertEqual(stranger.call("GET", "k").raw, b"-NOAUTH Authentication required.\r\n")
                self.assertEqual(stranger.ask("AUTH", "secret"), b"OK")
            connection.ask("CONFIG", "SET", "requirepass", "")

    def test_sigterm_ends_with_status_0(self):
        with Cluster(1) as one:
            with one.connect() as connection:
                connection.ask("SET", "k", "v")
            self.assertEqual(one.nodes[0].stop(), 0)

    def test_daemonize(self):
        with tempfile.TemporaryDirectory() as directory:
            port, pidfile, log = free_ports(1)[0], Path(directory) / "pid", Path(directory) / "log"
            done = subprocess.run([SERVER, "--port", str(port), "--dir", directory, "--daemonize", "yes", "--pidfile",
                                   pidfile,
                                   "--logfile", log], timeout=10, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            self.assertEqual(done.returncode, 0, done.stdout)
            pid = wait_for(lambda: pidfile.exists() and int(pidfile.read_text()), "pid file")
            try:
                def answers():
                    with Connection(port, timeout=1) as connection:
                        return connection.ask("SET", "k", "v") == b"OK"
                wait_for(answers, "answer of the daemon")
                self.assertGreater(log.stat().st_size, 0)
            finally:
                os.kill(pid, signal.SIGTERM)
            wait_for(lambda: not Path(f"/proc/{pid}").exists(), "end of the daemon")
            self.assertFalse(pidfile.exists())

    def test_databases(self):
        with Cluster(1, options=["--databases", "4"]) as one, one.connect() as connection:
            self.assertEqual(connection.ask("SELECT", "3"), b"OK")
            self.assertEqual(connection.call("SELECT", "4").raw, b"-ERR DB index is out of range\r\n")
