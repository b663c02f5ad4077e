"""A raw RESP2/RESP3 connection: one blocking socket, replies as trees that keep their exact bytes.

The test clients of the suites read through real libraries; this one exists where a library would hide something:
byte-for-byte comparison, malformed input, and the recording client that must know what left the socket.
"""

import socket
from typing import NamedTuple


class Reply(NamedTuple):
    """kind is RESP's first byte; value is bytes, None, or a list of replies (a map's keys and values alternate)."""

    kind: bytes
    value: object
    raw: bytes

    @property
    def is_error(self):
        return self.kind in (b"-", b"!")

    def plain(self):
        """The reply as ordinary Python values; errors stay Reply objects."""
        if self.value is None or self.is_error:
            return self if self.is_error else None
        if self.kind == b":":
            return int(self.value)
        if self.kind in (b"*", b"~", b">"):
            return [item.plain() for item in self.value]
        if self.kind == b"%":
            items = [item.plain() for item in self.value]
            return dict(zip(items[::2], items[1::2]))
        if self.kind == b"#":
            return self.value == b"t"
        return self.value


class Closed(Exception):
    """The server closed the connection."""


AGGREGATES = {b"*": 1, b"~": 1, b">": 1, b"%": 2}


def to_bytes(argument):
    return argument if isinstance(argument, bytes) else str(argument).encode()


def command(*arguments):
    parts = [b"*%d\r\n" % len(arguments)]
    for argument in map(to_bytes, arguments):
        parts.append(b"$%d\r\n%b\r\n" % (len(argument), argument))
    return b"".join(parts)


class Connection:
    def __init__(self, port, host="127.0.0.1", timeout=10.0, protocol=2):
        self.port = port
        self.socket = socket.create_connection((host, port), timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.file = self.socket.makefile("rb", 1 << 16)
        if protocol == 3:
            self.call("HELLO", "3")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.file.close()
        self.socket.close()

    def set_timeout(self, seconds):
        self.socket.settimeout(seconds)

    def send_raw(self, data):
        self.socket.sendall(data)

    def send(self, *arguments):
        self.socket.sendall(command(*arguments))

    def read(self):
        line = self.file.readline()
        if not line.endswith(b"\n"):
            raise Closed(f"connection to port {self.port} closed")
        kind, rest = line[:1], line[1:-2]
        if kind in (b"$", b"=", b"!"):
            size = int(rest)
            if size < 0:
                return Reply(kind, None, line)
            body = self.file.read(size + 2)
            if len(body) < size + 2:
                raise Closed(f"connection to port {self.port} closed inside a reply")
            return Reply(kind, body[:-2], line + body)
        if kind in AGGREGATES:
            count = int(rest)
            if count < 0:
                return Reply(kind, None, line)
            items = [self.read() for _ in range(count * AGGREGATES[kind])]
            return Reply(kind, items, line + b"".join(item.raw for item in items))
        if kind == b"_":
            return Reply(kind, None, line)
        if kind in (b"+", b"-", b":", b",", b"#", b"("):
            return Reply(kind, rest, line)
        raise ValueError(f"not a RESP reply: {line!r}")

    def call(self, *arguments):
        self.send(*arguments)
        return self.read()

    def ask(self, *arguments):
        """call() as plain values; an error reply raises."""
        reply = self.call(*arguments)
        if reply.is_error:
            raise RuntimeError(f"{arguments[0]!r}: {reply.value.decode(errors='replace')}")
        return reply.plain()

    def info(self, section=""):
        """INFO as a dictionary of strings."""
        text = self.ask("INFO", *([section] if section else [])).decode()
        return dict(line.split(":", 1) for line in text.splitlines() if ":" in line and not line.startswith("#"))

    def at_end(self):
        """Whether the server has closed its side (waits for it up to the time-out)."""
        try:
            return self.file.read(1) == b""
        except ConnectionResetError:
            return True
