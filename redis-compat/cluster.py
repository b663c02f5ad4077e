"""Real servers for tests: redraft clusters and Debian's redis-server on free ports in temporary directories.

Every wait polls a condition and has a bound; processes are ended by their own pid only, and die with this one.
REDRAFT_BUILD names the build directory (default build/release), REDRAFT_SERVER another binary to test.
"""

import ctypes
import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from resp import Closed, Connection

ROOT = Path(__file__).resolve().parent.parent
BUILD = Path(os.environ.get("REDRAFT_BUILD", ROOT / "build/release"))
SERVER = Path(os.environ.get("REDRAFT_SERVER", BUILD / "redraft-server"))
PEER_PORT_OFFSET = 10000
_libc = ctypes.CDLL(None)


def wait_for(condition, what, timeout=20.0, step=0.02):
    """The first true value of condition(); lost connections count as "not yet"."""
    deadline = time.monotonic() + timeout
    while True:
        try:
            value = condition()
        except (OSError, Closed, RuntimeError):
            value = None
        if value:
            return value
        if time.monotonic() > deadline:
            raise TimeoutError(f"no {what} within {timeout:g} s")
        time.sleep(step)


def free_ports(count):
    """Ports below the ephemeral range whose peer port is free too."""
    ports = []
    while len(ports) < count:
        port = random.SystemRandom().randrange(12000, 22000)
        try:
            for candidate in (port, port + PEER_PORT_OFFSET):
                with socket.socket() as probe:
                    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    probe.bind(("127.0.0.1", candidate))
        except OSError:
            continue
        if port not in ports:
            ports.append(port)
    return ports


def _die_with_parent():
    _libc.prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


class Process:
    """One server: start, stop, kill, pause; its output is beside its directory, in <directory>.log."""

    host = "127.0.0.1"

    def __init__(self, directory, port, command, environment=None):
        self.directory, self.port, self.command = Path(directory), port, [str(part) for part in command]
        self.environment = environment or {}
        self.directory.mkdir(parents=True, exist_ok=True)
        self.log = self.directory.with_name(self.directory.name + ".log")
        self.process = None

    @property
    def pid(self):
        return self.process.pid

    @property
    def alive(self):
        return self.process is not None and self.process.poll() is None

    def start(self):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            cwd=self.directory.parent, env={**os.environ, **self.environment},
                                            preexec_fn=_die_with_parent)

    def signal(self, number):
        if self.alive:
            self.process.send_signal(number)

    def kill(self):
        """kill -9, and wait until the kernel has taken the process away."""
        self.signal(signal.SIGKILL)
        if self.process:
            self.process.wait(30)

    def stop(self):
        """SIGTERM; a server that does not end within 20 s is killed. Returns the exit status."""
        self.signal(signal.SIGCONT)
        self.signal(signal.SIGTERM)
        if not self.process:
            return None
        try:
            return self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.kill()
            return self.process.returncode

    def connect(self, **options):
        return Connection(self.port, self.host, **options)

    def answers(self):
        if not self.alive:
            raise RuntimeError(f"port {self.port} ended with {self.process.returncode}:\n{self.log_tail()}")
        with self.connect(timeout=2) as connection:
            return not connection.call("PING").is_error

    def wait_ready(self, timeout=20.0):
        wait_for(self.answers, f"answer on port {self.port}", timeout)

    def log_tail(self, lines=30):
        if not self.log.exists():
            return ""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def rss(self):
        text = Path(f"/proc/{self.pid}/status").read_text()
        return next(int(line.split()[1]) * 1024 for line in text.splitlines() if line.startswith("VmRSS"))

    def cpu_seconds(self):
        fields = Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class RedisServer(Process):
    """Debian's redis-server, the oracle."""

    def __init__(self, *options, environment=None):
        self.temporary = tempfile.mkdtemp(prefix="redis-")
        port, data = free_ports(1)[0], Path(self.temporary) / "data"
        super().__init__(data, port, [
            "redis-server", "--port", port, "--bind", "127.0.0.1", "--dir", data, "--save", "",
            "--enable-debug-command", "yes", *options], environment)

    def __enter__(self):
        self.start()
        self.wait_ready()
        return self

    def __exit__(self, *_):
        self.stop()
        shutil.rmtree(self.temporary, ignore_errors=True)


class Cluster:
    """`size` redraft nodes on 127.0.0.1. Use as a context manager; nodes[i] has node id i + 1."""

    live = []  # for the log tails a failed test prints

    def __init__(self, size=3, options=(), environments=None, directories=None):
        self.directory = Path(tempfile.mkdtemp(prefix="redraft-"))
        ports = free_ports(size)
        self.members = ",".join(f"{i + 1}=127.0.0.1:{port}@{port + PEER_PORT_OFFSET}" for i, port in enumerate(ports))
        self.nodes = []
        for i, port in enumerate(ports):
            directory = directories[i] if directories else self.directory / f"node{i + 1}"
            command = [SERVER, "--port", port, "--bind", "127.0.0.1", "--dir", directory, "--enable-debug-command",
                       "yes"]
            if size > 1:
                command += ["--node-id", i + 1, "--initial-cluster", self.members]
            self.nodes.append(Process(directory, port, [*command, *options],
                                      environments[i] if environments else None))

    def __enter__(self):
        Cluster.live.append(self)
        self.start()
        return self

    def __exit__(self, kind, *_):
        for node in self.nodes:
            node.signal(signal.SIGCONT)
            node.signal(signal.SIGTERM)
        for node in self.nodes:
            node.stop()
        Cluster.live.remove(self)
        if kind is None and not os.environ.get("KEEP"):
            shutil.rmtree(self.directory, ignore_errors=True)

    def start(self):
        for node in self.nodes:
            if not node.alive:
                node.start()
        self.wait_leader()
        wait_for(self._connected, "links between all nodes")

    def _connected(self):
        """Every node answers, knows the same leader, and has links to all others."""
        leaders = set()
        for node in self.nodes:
            if node.answers():
                with node.connect(timeout=2) as connection:
                    raft = connection.info("raft")
                leaders.add(raft["raft_leader_addr"])
                if any("link=up" not in value for name, value in raft.items() if name.startswith("raft_node")
                       and "addr=" in value):
                    return False
        return len(leaders) == 1

    def _leader(self):
        for node in self.nodes:
            if not node.alive:
                continue
            try:
                with node.connect(timeout=1.5) as connection:
                    role = connection.call("ROLE")
                    if role.is_error or role.value[0].value != b"master":
                        continue
                    # Only a leader that still reaches a majority answers a linearizable read.
                    if not connection.call("EXISTS", "leader-probe").is_error:
                        return node
            except (OSError, Closed):
                continue
        return None

    def wait_leader(self, timeout=20.0):
        return wait_for(self._leader, "leader", timeout)

    def followers(self):
        leader = self.wait_leader()
        return [node for node in self.nodes if node is not leader]

    def hand_over(self, node=None, timeout=20.0):
        """CLUSTER FAILOVER on `node` (or any follower) until it leads."""
        node = node or self.followers()[0]
        for _ in range(20):
            with node.connect() as connection:
                connection.call("CLUSTER", "FAILOVER")
            try:
                wait_for(lambda: self._leader() is node, "hand-over", timeout / 20)
                return node
            except TimeoutError:
                continue
        raise TimeoutError(f"port {node.port} did not become leader")

    def connect(self, **options):
        """A connection to the leader."""
        return self.wait_leader().connect(**options)

    def term_and_leader(self):
        with self.connect() as connection:
            raft = connection.info("raft")
        return int(raft["raft_term"]), raft["raft_leader_id"]

    def wait_equal(self, timeout=30.0):
        """All nodes have applied the same index and have the same DEBUG DIGEST; returns the digest."""
        def digests():
            found = set()
            for node in self.nodes:
                with node.connect() as connection:
                    found.add((connection.info("raft")["raft_applied_index"], connection.ask("DEBUG", "DIGEST")))
            return found if len(found) == 1 else None
        return wait_for(digests, "equal digest on all nodes", timeout).pop()[1]

    def log_tails(self):
        return "\n".join(f"--- port {node.port} {node.log}\n{node.log_tail()}" for node in self.nodes)


class Growing(Cluster):
    """A cluster that begins with `size` nodes; `nodes` are its members at any time."""

    def __init__(self, size=1, options=()):
        super().__init__(size, options)
        self.options, self.left = list(options), []

    def __exit__(self, *arguments):
        self.nodes += self.left
        super().__exit__(*arguments)

    def new_node(self, *options):
        port = free_ports(1)[0]
        directory = self.directory / f"port{port}"
        node = Process(directory, port, [SERVER, "--port", port, "--bind", "127.0.0.1", "--dir", directory,
                                         "--enable-debug-command", "yes", *self.options, *options])
        node.start()
        return node

    def join(self, through=None):
        """A new node that knows one member's address; returns when it votes."""
        through = through or self.nodes[-1]
        node = self.new_node("--join", f"127.0.0.1:{through.port}")
        self.nodes.append(node)
        self.wait_role(node, "voter")
        return node

    def listed(self):
        """{port: fields} as the leader has them."""
        with self.connect() as connection:
            info = connection.info("raft")
        members = {}
        for name, value in info.items():
            if name.startswith("raft_node") and "addr=" in value:
                fields = dict(part.split("=", 1) for part in value.split(","))
                members[int(fields["addr"].rsplit("@")[0].rsplit(":", 1)[1])] = fields
        return members

    def wait_role(self, node, role, timeout=30.0):
        return wait_for(lambda: self.listed().get(node.port, {}).get("role") == role,
                        f"{role} on port {node.port}", timeout)

    def id_of(self, node):
        return self.listed()[node.port]["id"]

    def forget(self, *nodes, through=None, force=False):
        """CLUSTER FORGET; they stay as processes, to see that they disturb nobody."""
        words = [self.id_of(node) for node in nodes] + (["FORCE"] if force else [])
        with (through or self.wait_leader()).connect(timeout=20) as connection:
            connection.ask("CLUSTER", "FORGET", *words)
        for node in nodes:
            self.nodes.remove(node)
            self.left.append(node)
