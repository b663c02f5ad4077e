"""A cluster whose nodes have a network namespace each, joined by a bridge, so that a node can be cut from everybody at
once as by a pulled cable. Needs root; the process moves into a namespace of its own first, so nothing of it stays."""

import ctypes
import os
import subprocess

from cluster import Cluster

CLONE_NEWNET = 0x40000000
PORT, PEER_PORT, NETWORK = 7000, 17000, "10.77.0"


def ip(*words, node=None):
    enter = ["nsenter", "-t", str(node), "-n"] if node else []
    subprocess.run([*enter, "ip", *map(str, words)], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def isolate():
    """This process and its children leave the machine's network. False where that is not permitted."""
    if os.geteuid() != 0 or ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET) != 0:
        return False
    try:
        ip("link", "set", "lo", "up")
        ip("link", "add", "bridge0", "type", "bridge")
        ip("address", "add", f"{NETWORK}.254/24", "dev", "bridge0")
        ip("link", "set", "bridge0", "up")
    except (OSError, subprocess.CalledProcessError):
        return False
    return True


class NamespacedCluster(Cluster):
    """After isolate(). nodes[i] is at 10.77.0.<i + 1>:7000."""

    def __init__(self, size=3):
        super().__init__(size)
        members = ",".join(f"{i + 1}={NETWORK}.{i + 1}:{PORT}@{PEER_PORT}" for i in range(size))
        self.holders = []
        for i, node in enumerate(self.nodes):
            # A process that only sleeps holds the namespace, so that the node's own end does not free it.
            holder = subprocess.Popen(["unshare", "-n", "sh", "-c", "echo; exec sleep infinity"],
                                      stdout=subprocess.PIPE)
            holder.stdout.readline()
            self.holders.append(holder)
            ip("link", "add", f"node{i + 1}", "type", "veth", "peer", "name", "eth0", "netns", holder.pid)
            ip("link", "set", f"node{i + 1}", "master", "bridge0", "up")
            ip("link", "set", "lo", "up", node=holder.pid)
            ip("address", "add", f"{NETWORK}.{i + 1}/24", "dev", "eth0", node=holder.pid)
            ip("link", "set", "eth0", "up", node=holder.pid)
            node.host, node.port = f"{NETWORK}.{i + 1}", PORT
            words = node.command
            for name, value in (("--port", PORT), ("--bind", node.host), ("--initial-cluster", members)):
                words[words.index(name) + 1] = str(value)
            node.command = ["nsenter", "-t", str(holder.pid), "-n", *words, "--cluster-secret", "of-this-test",
                            "--protected-mode", "no"]

    def __exit__(self, *error):
        super().__exit__(*error)
        for holder in self.holders:
            holder.kill()
            holder.wait()
            holder.stdout.close()

    def cut(self, node):
        ip("link", "set", f"node{self.nodes.index(node) + 1}", "down")

    def mend(self, node):
        ip("link", "set", f"node{self.nodes.index(node) + 1}", "up")
