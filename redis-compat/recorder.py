"""Clients that remember what they were told, and the check that a cluster kept its word.

Each thread sends one command at a time and files its outcome: acknowledged; refused (an error that promises the command
will not execute); or maybe (-INDOUBT, a lost connection, a time-out). Shared counters only grow, so every reply is also
checked for linearizability: an answer may not be older than anything acknowledged before its command was sent.
"""

import random
import threading
import time
from collections import defaultdict

from cluster import wait_for
from resp import Closed, Connection

REFUSALS = (b"MOVED", b"CLUSTERDOWN", b"READONLY", b"LOADING", b"MASTERDOWN", b"TRYAGAIN", b"ASK", b"BUSY", b"OOM")
COUNTERS = 4


class Shared:
    """What all threads know: the newest value of each counter that anybody was told, and every violation."""

    def __init__(self):
        self.lock = threading.Lock()
        self.known = [0] * COUNTERS
        self.acknowledged = [[] for _ in range(COUNTERS)]
        self.maybe = [0] * COUNTERS
        self.violations = []
        self.stopping = threading.Event()
        self.outcomes = defaultdict(int)

    def violation(self, text):
        with self.lock:
            self.violations.append(text)


class Client(threading.Thread):
    def __init__(self, shared, name, ports, seed):
        super().__init__(daemon=True)
        self.shared, self.id, self.ports = shared, name, ports
        self.random = random.Random(seed)
        self.connection = None
        self.port = self.random.choice(ports)
        self.number = 0
        self.register, self.register_maybe = 0, set()
        self.pushed, self.pushed_maybe = [], set()

    def close(self):
        if self.connection:
            self.connection.close()
            self.connection = None

    def execute(self, *words):
        """(outcome, reply): follows redirects for refused commands by trying another node the next time."""
        try:
            if self.connection is None:
                self.connection = Connection(self.port, timeout=6)
        except OSError:
            self.port = self.random.choice(self.ports)
            time.sleep(0.01)
            return "refused", None
        try:
            reply = self.connection.call(*words)
        except (OSError, Closed):
            self.close()
            return "maybe", None
        if not reply.is_error:
            return "acknowledged", reply
        first = reply.value.split(b" ", 1)[0]
        if first == b"MOVED":
            self.close()
            self.port = int(reply.value.rsplit(b":", 1)[1])
            return "refused", reply
        if first in REFUSALS:
            self.close()
            self.port = self.random.choice(self.ports)
            time.sleep(0.01)
            return "refused", reply
        if first == b"INDOUBT":
            return "maybe", reply
        self.shared.violation(f"unexpected reply to {words}: {reply.value!r}")
        return "maybe", reply

    def run(self):
        steps = [self.increment, self.increment, self.read_counter, self.set_register, self.get_register, self.push,
                 self.increment_twice]
        while not self.shared.stopping.is_set():
            try:
                outcome = self.random.choice(steps)()
            except Exception as error:  # a broken reply is a finding, not the end of the recording
                self.shared.violation(f"client {self.id}: {type(error).__name__} {error}")
                self.close()
                continue
            with self.shared.lock:
                self.shared.outcomes[outcome] += 1
        self.close()

    def increment(self):
        counter = self.random.randrange(COUNTERS)
        before = self.shared.known[counter]
        outcome, reply = self.execute("INCR", f"counter:{counter}")
        self.counted(counter, outcome, [int(reply.value)] if outcome == "acknowledged" else [], before, 1)
        return outcome

    def increment_twice(self):
        """MULTI/EXEC through one script of commands: both or neither."""
        counter = self.random.randrange(COUNTERS)
        before = self.shared.known[counter]
        for words in (("MULTI",), ("INCR", f"counter:{counter}"), ("INCR", f"counter:{counter}")):
            outcome, _ = self.execute(*words)
            if outcome != "acknowledged":
                self.close()
                return "refused"
        outcome, reply = self.execute("EXEC")
        values = [int(item.value) for item in reply.value] if outcome == "acknowledged" else []
        if values and values[1] != values[0] + 1:
            self.shared.violation(f"a transaction was split: {values}")
        self.counted(counter, outcome, values, before, 2)
        return outcome

    def counted(self, counter, outcome, values, before, size):
        with self.shared.lock:
            if outcome == "maybe":
                self.shared.maybe[counter] += size
            for value in values:
                if value <= before:
                    self.shared.violations.append(f"INCR counter:{counter} answered {value}, {before} was known before")
                self.shared.acknowledged[counter].append(value)
                self.shared.known[counter] = max(self.shared.known[counter], value)

    def read_counter(self):
        counter = self.random.randrange(COUNTERS)
        before = self.shared.known[counter]
        if self.random.random() < 0.3:
            outcome, reply = self.read_follower(counter)
        else:
            outcome, reply = self.execute("GET", f"counter:{counter}")
        if outcome == "acknowledged":
            value = int(reply.value or 0)
            with self.shared.lock:
                if value < before:
                    self.shared.violations.append(f"GET counter:{counter} answered {value}, {before} was known before")
                self.shared.known[counter] = max(self.shared.known[counter], value)
        return outcome

    def read_follower(self, counter):
        try:
            with Connection(self.random.choice(self.ports), timeout=6) as connection:
                connection.call("READONLY")
                reply = connection.call("GET", f"counter:{counter}")
                return ("refused" if reply.is_error else "acknowledged"), reply
        except (OSError, Closed):
            return "refused", None

    def set_register(self):
        self.number += 1
        outcome, _ = self.execute("SET", f"register:{self.id}", self.number)
        if outcome == "acknowledged":
            self.register = self.number
        elif outcome == "maybe":
            self.register_maybe.add(self.number)
        return outcome

    def get_register(self):
        outcome, reply = self.execute("GET", f"register:{self.id}")
        if outcome == "acknowledged":
            self.check_register(int(reply.value or 0))
        return outcome

    def check_register(self, value):
        if value != self.register and value not in self.register_maybe:
            self.shared.violation(f"register:{self.id} is {value}; {self.register} was acknowledged last")

    def push(self):
        self.number += 1
        outcome, _ = self.execute("RPUSH", f"log:{self.id}", self.number)
        if outcome == "acknowledged":
            self.pushed.append(self.number)
        elif outcome == "maybe":
            self.pushed_maybe.add(self.number)
        return outcome


class Recording:
    """with Recording(cluster) as recording: make trouble; then recording.check()."""

    def __init__(self, cluster, clients=6, seed=1):
        self.cluster, self.shared = cluster, Shared()
        ports = [node.port for node in cluster.nodes]
        self.clients = [Client(self.shared, i, ports, seed * 1000 + i) for i in range(clients)]

    def __enter__(self):
        for client in self.clients:
            client.start()
        return self

    def __exit__(self, *_):
        self.shared.stopping.set()
        for client in self.clients:
            client.join(30)
            if client.is_alive():
                self.shared.violation(f"client {client.id} still waits for an answer")

    def acknowledged(self):
        return self.shared.outcomes["acknowledged"]

    def grow(self, by=200):
        """Waits until `by` more commands were acknowledged, so that every fault meets a load."""
        target = self.acknowledged() + by
        wait_for(lambda: self.acknowledged() >= target, f"{by} acknowledgements", 60)

    def check(self):
        """Every violation, as text; empty when the cluster kept its word."""
        found = []
        with self.cluster.connect(timeout=20) as connection:
            for counter in range(COUNTERS):
                told, maybe = self.shared.acknowledged[counter], self.shared.maybe[counter]
                value = int(connection.ask("GET", f"counter:{counter}") or 0)
                if not len(told) <= value <= len(told) + maybe:
                    found.append(f"counter:{counter} is {value}: {len(told)} acknowledged, {maybe} in doubt")
                if len(set(told)) != len(told):
                    found.append(f"counter:{counter}: two INCRs were answered with the same value")
            for client in self.clients:
                client.check_register(int(connection.ask("GET", f"register:{client.id}") or 0))
                log = [int(item) for item in connection.ask("LRANGE", f"log:{client.id}", 0, -1)]
                kept = [item for item in log if item not in client.pushed_maybe]
                if kept != client.pushed:
                    lost, extra = set(client.pushed) - set(log), set(kept) - set(client.pushed)
                    found.append(f"log:{client.id}: lost {sorted(lost)[:10]}, not promised {sorted(extra)[:10]}, "
                                 f"{len(kept)} kept of {len(client.pushed)}")
                if len(set(log)) != len(log):
                    found.append(f"log:{client.id}: an element is there twice")
        return self.shared.violations + found
