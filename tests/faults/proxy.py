"""A TCP proxy in front of every node's peer port, so that links can be cut without privileges.

Members announce the proxy's port, so all peer connections go through it once the cluster is formed. Who dialled is told
by the kernel: the process that owns the connection's other end.
"""

import os
import socket
import threading
from pathlib import Path

from cluster import PEER_PORT_OFFSET, Cluster, free_ports


def owner_of(port, pids):
    """Which of these processes owns the local TCP port."""
    inode = None
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if int(fields[1].split(":")[1], 16) == port and fields[3] == "01":
            inode = f"socket:[{fields[9]}]"
    for pid in pids:
        try:
            for descriptor in os.scandir(f"/proc/{pid}/fd"):
                if os.readlink(descriptor.path) == inode:
                    return pid
        except OSError:
            continue
    return None


class Proxy:
    """Listens on `port` for `target`. `blocked(pid)` decides whether bytes of that process pass."""

    def __init__(self, port, target, pids, blocked):
        self.target, self.pids, self.blocked = target, pids, blocked
        self.listener = socket.create_server(("127.0.0.1", port))
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, address = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.carry, args=(client, address[1]), daemon=True).start()

    def carry(self, client, port):
        pid = owner_of(port, self.pids())
        try:
            server = socket.create_connection(("127.0.0.1", self.target))
        except OSError:
            client.close()
            return
        for source, sink in ((client, server), (server, client)):
            threading.Thread(target=self.pump, args=(source, sink, pid), daemon=True).start()

    def pump(self, source, sink, pid):
        try:
            while data := source.recv(1 << 16):
                if self.blocked(pid):
                    break
                sink.sendall(data)
        except OSError:
            pass
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def close(self):
        self.listener.close()


class CuttableCluster(Cluster):
    """A cluster whose nodes can be isolated: `isolate(node)`, `heal()`."""

    def __init__(self, size=3, options=()):
        super().__init__(size, options)
        fronts = free_ports(size)
        self.isolated = None
        self.proxies = []
        for i, node in enumerate(self.nodes):
            node.command += ["--cluster-announce-bus-port", str(fronts[i])]
            self.proxies.append(Proxy(fronts[i], node.port + PEER_PORT_OFFSET, self.pids, self.blocker(node)))

    def pids(self):
        return [node.pid for node in self.nodes if node.alive]

    def blocker(self, target):
        def blocked(pid):
            lonely = self.isolated
            return lonely is not None and (lonely is target or (lonely.alive and lonely.pid == pid))
        return blocked

    def isolate(self, node):
        self.isolated = node

    def heal(self):
        self.isolated = None

    def __exit__(self, *error):
        super().__exit__(*error)
        for proxy in self.proxies:
            proxy.close()
