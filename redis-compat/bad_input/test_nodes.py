"""Nodes started wrongly, with a wrong or emptied directory, or without disk space: a clear error, and nothing lost."""

import os
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

from cluster import SERVER, Cluster, free_ports, wait_for
from resp import Closed

LIMIT_S = 15


def start(*options, config=None):
    """(exit status, output) of a server that is expected to refuse to start."""
    with tempfile.TemporaryDirectory() as directory:
        command = [str(SERVER)]
        if config is not None:
            path = Path(directory) / "redraft.conf"
            path.write_text(config)
            command.append(str(path))
        if "--dir" not in options:
            options = ("--dir", directory, *options)
        if "--port" not in options:
            options = ("--port", free_ports(1)[0], *options)
        try:
            done = subprocess.run([*command, *map(str, options)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                  timeout=LIMIT_S)
        except subprocess.TimeoutExpired as error:
            return None, (error.stdout or b"").decode(errors="replace")
        return done.returncode, done.stdout.decode(errors="replace")


class Configuration(unittest.TestCase):
    def refuses(self, *options, says, config=None):
        status, output = start(*options, config=config)
        self.assertIsNotNone(status, f"it started with {options} {config}:\n{output}")
        self.assertGreater(status, 0, f"ended by a signal:\n{output}")
        for text in [says] if isinstance(says, str) else says:
            self.assertIn(text.lower(), output.lower())

    def test_wrong_values(self):
        for name, value in (("port", "abc"), ("port", "99999"), ("appendfsync", "sometimes"), ("maxmemory", "lots"),
                            ("loglevel", "loud"), ("databases", "0"), ("timeout", "-1"), ("tcp-backlog", "x"),
                            ("maxmemory-policy", "guess"), ("daemonize", "perhaps"), ("election-timeout", "soon"),
                            ("read-mode", "fast"), ("node-id", "-1"), ("log-segment-size", "none")):
            with self.subTest(name=name, value=value):
                self.refuses(f"--{name}", value, says=name)

    def test_unknown_name(self):
        self.refuses("--no-such-thing", "1", says=["FATAL CONFIG FILE ERROR", "no-such-thing"])

    def test_file_names_the_line(self):
        self.refuses(config="# a comment\nmaxclients 100\nno-such-thing 1\n",
                     says=["FATAL CONFIG FILE ERROR", "at line 3", "no-such-thing 1"])
        self.refuses(config="timeout abc\n", says=["FATAL CONFIG FILE ERROR", "at line 1", "timeout abc"])

    def test_missing_file(self):
        done = subprocess.run([SERVER, "/nonexistent/redraft.conf"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=LIMIT_S)
        self.assertGreater(done.returncode, 0)
        self.assertIn(b"/nonexistent/redraft.conf", done.stdout)

    def test_unsafe_timeouts(self):
        self.refuses("--heartbeat-interval", "1000", "--election-timeout", "1000", says="election-timeout")

    def test_wrong_clusters(self):
        two = "1=127.0.0.1:7101@17101,2=127.0.0.1:7102@17102"
        self.refuses("--node-id", "9", "--initial-cluster", two, says="node-id")
        self.refuses("--node-id", "1", "--initial-cluster", "nonsense", says="initial-cluster")
        self.refuses("--node-id", "1", "--initial-cluster", "1=127.0.0.1:7101@17101,1=127.0.0.1:7102@17102",
                     says="initial-cluster")

    def test_port_in_use(self):
        with Cluster(1) as cluster:
            port = cluster.nodes[0].port
            self.refuses("--port", port, says=str(port))

    def test_directory_that_cannot_be(self):
        self.refuses("--dir", "/proc/nonexistent", says="/proc/nonexistent")

    def test_debians_redis_conf_starts(self):
        text = Path("/etc/redis/redis.conf")
        if not text.exists() or not os.access(text, os.R_OK):
            self.skipTest("Debian's redis.conf is not readable here")
        with tempfile.TemporaryDirectory() as directory:
            port, log = free_ports(1)[0], Path(directory) / "log"
            process = subprocess.Popen([SERVER, text, "--dir", directory, "--port", str(port), "--daemonize", "no",
                                        "--logfile", str(log),
                                        "--pidfile", f"{directory}/pid", "--supervised", "no"],
                                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            try:
                wait_for(lambda: subprocess.run(["redis-cli", "-p", str(port), "PING"], stdout=subprocess.PIPE,
                                                stderr=subprocess.DEVNULL).stdout == b"PONG\n", "PONG", LIMIT_S)
            finally:
                process.terminate()
                output = process.communicate(timeout=LIMIT_S)[0]
            self.assertEqual(process.returncode, 0, output)


class Directories(unittest.TestCase):
    def ends(self, node):
        """The node's log once it has refused to run."""
        node.process.wait(LIMIT_S)
        self.assertGreater(node.process.returncode, 0)
        return node.log_tail(50)

    def test_two_servers_on_one_directory(self):
        with Cluster(1) as cluster:
            status, output = start("--dir", cluster.nodes[0].directory)
            self.assertIsNotNone(status, output)
            self.assertGreater(status, 0)
            self.assertIn(str(cluster.nodes[0].directory), output)
            with cluster.connect() as connection:
                connection.ask("SET", "k", "v")

    def test_directories_of_two_nodes_exchanged(self):
        with Cluster() as cluster:
            with cluster.connect() as connection:
                connection.ask("SET", "k", "v")
            leader = cluster.wait_leader()
            one, two = cluster.followers()
            one.kill()
            two.kill()
            spare = one.directory.with_name("spare")
            one.directory.rename(spare)
            two.directory.rename(one.directory)
            spare.rename(two.directory)
            for node in (one, two):
                node.start()
                self.assertIn("belongs to node", self.ends(node))
            one.directory.rename(spare)
            two.directory.rename(one.directory)
            spare.rename(two.directory)
            cluster.start()
            self.assertTrue(leader.alive)
            with cluster.connect() as connection:
                self.assertEqual(connection.ask("GET", "k"), b"v")

    def test_directory_of_another_cluster(self):
        """It must neither vote nor acknowledge, and must not disturb."""
        with Cluster() as cluster, Cluster() as other:
            with cluster.connect() as connection, other.connect() as stranger:
                connection.ask("SET", "k", "ours")
                for i in range(100):
                    stranger.ask("SET", "k", i)
            follower, donor = cluster.followers()[0], other.nodes[cluster.nodes.index(cluster.followers()[0])]
            donor.kill()
            follower.kill()
            own = follower.directory.with_name("own")
            follower.directory.rename(own)
            shutil.copytree(donor.directory, follower.directory)
            before = cluster.term_and_leader()
            follower.start()
            # Either it ends with a message, or it runs and is refused by its peers; it never serves.
            wait_for(lambda: not follower.alive or "belongs to cluster" in follower.log_tail(200),
                     "message about the cluster", LIMIT_S)
            self.assertEqual(cluster.term_and_leader(), before)
            self.cannot_complete_a_majority(cluster, follower)
            follower.kill()
            shutil.rmtree(follower.directory)
            own.rename(follower.directory)
            cluster.start()
            with cluster.connect() as connection:
                self.assertEqual(connection.ask("GET", "k"), b"ours")
            cluster.wait_equal()

    def test_emptied_directory(self):
        """A node that forgot its votes is no voter: with one true node left nothing is acknowledged (pitfall D10)."""
        with Cluster() as cluster:
            with cluster.connect() as connection:
                for i in range(100):
                    connection.ask("SET", f"k{i}", i)
            follower = cluster.followers()[0]
            follower.kill()
            kept = follower.directory.with_name("kept")
            follower.directory.rename(kept)
            follower.directory.mkdir()
            self.cannot_complete_a_majority(cluster, follower)
            with cluster.connect() as connection:
                connection.ask("SET", "after", "1")
            with cluster.connect() as connection:
                self.assertEqual([connection.ask("GET", f"k{i}") for i in range(100)], [b"%d" % i for i in range(100)])
                self.assertEqual(connection.ask("GET", "after"), b"1")

    def cannot_complete_a_majority(self, cluster, suspect):
        """Kills the other follower; the leader and `suspect` alone must not acknowledge. Then brings it back."""
        leader = cluster.wait_leader()
        other = next(node for node in cluster.nodes if node not in (leader, suspect))
        other.kill()
        if not suspect.alive:
            suspect.start()
            suspect.wait_ready()
        try:
            with leader.connect(timeout=3) as connection:
                reply = connection.call("SET", "unsafe", "1")
                self.assertTrue(reply.is_error, reply.raw)
        except (TimeoutError, Closed, ConnectionError):
            pass
        other.start()
        cluster.wait_leader()

    def test_a_damaged_log_is_named(self):
        with Cluster(1) as cluster:
            node = cluster.nodes[0]
            with cluster.connect() as connection:
                for i in range(2000):
                    connection.ask("SET", f"k{i}", "x" * 100)
            node.stop()
            segment = max((node.directory / "wal").glob("*.wal"), key=lambda path: path.stat().st_mtime)
            with open(segment, "r+b") as file:
                file.seek(60000)
                byte = file.read(1)
                file.seek(60000)
                file.write(bytes([byte[0] ^ 0xFF]))
            node.start()
            log = self.ends(node)
            self.assertIn(segment.name, log)


@unittest.skipUnless(os.geteuid() == 0, "mounting a small file system needs root")
class FullDisk(unittest.TestCase):
    SIZE = 64

    def setUp(self):
        self.mounts = []
        for i in range(3):
            directory = Path(tempfile.mkdtemp(prefix="full-disk-"))
            self.mount(directory, self.SIZE)
            self.mounts.append(directory)

    def mount(self, directory, size, options=""):
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"{options}size={size}m", "tmpfs", directory],
                              stderr=subprocess.PIPE)
        if done.returncode != 0:
            self.skipTest(f"cannot mount a tmpfs: {done.stderr.decode()}")

    def tearDown(self):
        for directory in self.mounts:
            subprocess.run(["umount", "-l", directory])
            directory.rmdir()

    def cluster(self):
        return Cluster(options=["--log-segment-size", "4mb"], directories=[mount / "data" for mount in self.mounts])

    def fill(self, connection, keys):
        """SETs until one is definitely refused; returns the acknowledged ones. What was sent to the peers before the disk
        said no may still commit, so the first error may be INDOUBT."""
        written = []
        for i in keys:
            reply = connection.call("SET", f"k{i}", "%d:" % i + "x" * 500_000)
            if not reply.is_error:
                written.append(i)
            elif not reply.value.startswith(b"INDOUBT"):
                return written
        return self.fail("no definite error")

    def kept(self, connection, written):
        for i in written:
            self.assertTrue((connection.ask("GET", f"k{i}") or b"").startswith(b"%d:" % i), f"k{i} was acknowledged")

    def come_back(self, cluster, written):
        """Space comes back, then service by itself; and everything acknowledged survives kill -9 of all nodes."""
        for mount in self.mounts:
            self.mount(mount, 4 * self.SIZE, "remount,")

        def write_again():
            with cluster.connect() as connection:
                return connection.call("SET", "again", "1").value == b"OK"
        wait_for(write_again, "service after space came back", 30)
        for node in cluster.nodes:
            node.kill()
        cluster.start()
        with cluster.connect(timeout=30) as connection:
            self.kept(connection, written)
            self.assertEqual(connection.ask("GET", "again"), b"1")
        cluster.wait_equal()

    def test_all_disks_full(self):
        with self.cluster() as cluster:
            with cluster.connect(timeout=30) as connection:
                written = self.fill(connection, range(400))
            self.come_back(cluster, written)

    def test_reads_go_on(self):
        with self.cluster() as cluster, cluster.connect(timeout=10) as connection:
            written = self.fill(connection, range(400))
            self.kept(connection, written[:5] + written[-5:])

    def test_one_disk_full(self):
        """A follower's disk is full: the other two go on."""
        with self.cluster() as cluster:
            ballast = cluster.followers()[0].directory.parent / "ballast"
            with open(ballast, "wb") as file:
                file.write(b"x" * ((self.SIZE - 12) << 20))
            written = []

            def write():
                try:
                    with cluster.connect(timeout=10) as connection:
                        i = len(written)
                        if connection.call("SET", f"k{i}", "%d:" % i + "x" * 500_000).value == b"OK":
                            written.append(i)
                except (OSError, Closed):
                    pass
                return len(written) >= 60
            wait_for(write, "60 writes of 500 kB with one full disk", 60)
            ballast.unlink()
            self.come_back(cluster, written)
