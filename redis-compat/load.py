"""Clients that write without a pause and remember when each write was acknowledged, to see what a fault costs them."""

import itertools
import threading
import time

from cluster import wait_for
from resp import Closed, Connection

LOST_AFTER = 0.3  # seconds without an answer: the client asks another node


class Writer(threading.Thread):
    """Writes one key after the other; `writes` has (begin, end, address) of each acknowledged one, in seconds."""

    def __init__(self, cluster, name):
        super().__init__(daemon=True)
        self.name_, self.addresses = name, [(node.host, node.port) for node in cluster.nodes]
        leader = cluster.wait_leader()
        self.address = (leader.host, leader.port)
        self.writes, self.failed, self.refused, self.stopping = [], 0, 0, threading.Event()

    def run(self):
        turn, connection = itertools.cycle(self.addresses), None
        for number in itertools.count():
            begin = time.monotonic()
            while not self.stopping.is_set():
                sent = False
                try:
                    if connection is None:
                        connection = Connection(self.address[1], self.address[0], timeout=LOST_AFTER)
                    sent = True
                    reply = connection.call("SET", f"writer:{self.name_}:{number % 1000}", number)
                except (OSError, Closed):
                    self.failed += sent
                    self.address = next(turn)
                else:
                    if not reply.is_error:
                        self.writes.append((begin, time.monotonic(), self.address))
                        break
                    self.failed += reply.value.startswith(b"INDOUBT")
                    self.refused += not reply.value.startswith(b"INDOUBT")
                    self.address = next(turn)
                    if reply.value.startswith(b"MOVED"):
                        host, port = reply.value.split()[-1].decode().rsplit(":", 1)
                        self.address = (host, int(port))
                if connection:
                    connection.close()
                connection = None
                self.stopping.wait(0.002)  # between two tries, so that refused ones do not take the nodes' CPU
            if self.stopping.is_set():
                break
        if connection:
            connection.close()

    def stop(self):
        self.stopping.set()
        self.join(10)


class Load:
    """with Load(cluster, n) as load: ..."""

    def __init__(self, cluster, clients):
        self.writers = [Writer(cluster, name) for name in range(clients)]

    def __enter__(self):
        for writer in self.writers:
            writer.start()
        self.grow()
        return self

    def __exit__(self, *_):
        for writer in self.writers:
            writer.stop()

    def grow(self, by=200):
        marks = [len(writer.writes) + by for writer in self.writers]
        wait_for(lambda: all(len(writer.writes) >= mark for writer, mark in zip(self.writers, marks)), "writes", 60)

    def first_elsewhere(self, node, since):
        """The end of the first write that another node acknowledged and that ended after `since`."""
        def found():
            return min((end for writer in self.writers for _, end, address in list(writer.writes)
                        if end > since and address != (node.host, node.port)), default=None)
        return wait_for(found, "write elsewhere", 30, 0.001)

    def times(self, since, until):
        """Milliseconds of every write that was under way in between."""
        return [(end - begin) * 1000 for writer in self.writers for begin, end, _ in list(writer.writes)
                if begin < until and end > since]

    def in_doubt(self):
        """Tries whose outcome the client was not told."""
        return sum(writer.failed for writer in self.writers)

    def refused(self):
        """Tries that certainly did not run, and were made again."""
        return sum(writer.refused for writer in self.writers)
