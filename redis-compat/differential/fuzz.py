#!/usr/bin/python3
"""Seeded random commands, valid and half valid, to redis-server and to redraft: equal replies, and equal data at the end.

    fuzz.py [--seconds N] [--seed N] [--commands N] [--nodes N]

A difference prints its seed and the commands before it; --seed repeats one seed.
"""

import argparse
import random
import re
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

from cluster import Cluster, RedisServer  # noqa: E402
from fuzz_grammar import FAMILIES, Generator  # noqa: E402
from normalise import RULES, leaves, make  # noqa: E402
from resp import Connection, command  # noqa: E402

PIPELINE = 40
RULE = {"SMEMBERS": "unordered", "SINTER": "unordered", "SUNION": "unordered", "SDIFF": "unordered", "KEYS": "unordered",
        "SRANDMEMBER": "unordered", "SPOP": "unordered", "SSCAN": "scan", "HSCAN": "scan", "ZSCAN": "scan",
        "HGETALL": "unordered", "HKEYS": "unordered", "HVALS": "unordered", "HRANDFIELD": "unordered",
        "ZRANDMEMBER": "unordered", "EXEC": "inside"}


@leaves
def scores(reply):
    """7.0 prints doubles with 17 digits, 7.2 with as many as it takes."""
    text = reply.value
    return repr(float(text)).encode() if re.fullmatch(rb"-?\d+\.\d{9,}", text) else text


def inside(reply):
    """Of a transaction: its replies stay in their order, what is in them has none."""
    return make(reply.kind, [RULES["unordered"](item) for item in reply.value]) if isinstance(reply.value, list) else reply


def normal(name, reply):
    rule = RULE.get(name, "same")
    reply = scores(reply)
    return inside(reply) if rule == "inside" else RULES[rule](reply)


def offered(connection):
    """The families of which every command is there."""
    found = []
    for family, templates in FAMILIES.items():
        names = sorted({template.split(" ")[0].lower() for template in templates.replace("\n", ";").split(";")})
        if all(item is not None for item in connection.ask("COMMAND", "INFO", *names)):
            found.append(family)
    return found


def payloads(connection):
    """A DUMP of every type, small and large."""
    connection.ask("FLUSHALL")
    connection.ask("SET", "s", "text " * 20)
    connection.ask("SET", "i", "12")
    for size, tail in ((3, "1"), (300, "2")):
        for i in range(size):
            connection.ask("RPUSH", "l" + tail, f"element {i}")
            connection.ask("SADD", "t" + tail, f"member {i}")
            connection.ask("SADD", "n" + tail, i * 1000)
            connection.ask("HSET", "h" + tail, f"field {i}", i)
            connection.ask("ZADD", "z" + tail, i / 4, f"member {i}")
            connection.ask("XADD", "x" + tail, f"{i + 1}-1", "f", i)
    connection.ask("XGROUP", "CREATE", "x1", "group", "0")
    connection.ask("XREADGROUP", "GROUP", "group", "alice", "COUNT", "2", "STREAMS", "x1", ">")
    found = [connection.ask("DUMP", key) for key in sorted(connection.ask("KEYS", "*"))]
    connection.ask("FLUSHALL")
    return found + [found[0][:-1] + b"x", b"", b"short"]


READ = {b"string": ("GET",), b"list": ("LRANGE", 0, -1), b"set": ("SMEMBERS",), b"hash": ("HGETALL",),
        b"zset": ("ZRANGE", 0, -1, "WITHSCORES"), b"stream": ("XRANGE", "-", "+")}


def read_key(connection, key):
    kind = connection.ask("TYPE", key)
    name, *rest = READ[kind]
    value = connection.ask(name, key, *rest)
    if kind == b"set":
        value = sorted(value)
    if kind == b"zset":
        value = [(member, float(score)) for member, score in zip(value[::2], value[1::2])]
    if kind == b"hash" and isinstance(value, list):
        value = sorted(zip(value[::2], value[1::2]))
    groups = []
    if kind == b"stream":
        for group in connection.ask("XINFO", "GROUPS", key):
            fields = dict(zip(group[::2], group[1::2])) if isinstance(group, list) else group
            name = fields[b"name"]
            pending = connection.ask("XPENDING", key, name, "-", "+", "1000")
            groups.append((name, fields[b"last-delivered-id"], [(one[0], one[1], one[3]) for one in pending]))
    return kind, value, groups, connection.ask("PTTL", key) > 0


def state(connection):
    """All data of databases 0 and 1 in a canonical form."""
    connection.call("DISCARD")
    connection.call("UNWATCH")
    found = {}
    for db in ("0", "1"):
        connection.ask("SELECT", db)
        for key in sorted(connection.ask("KEYS", "*")):
            found[db, key] = read_key(connection, key)
    return found


class Difference(AssertionError):
    pass


def play(ports, seed, commands):
    """One seed on both servers. Raises Difference."""
    rng = random.Random(seed)
    pair = [Connection(port, protocol=2) for port in ports]
    families = [family for family in offered(pair[0]) if family in offered(pair[1])]
    generator = Generator(rng, families, payloads(pair[0]))
    pair[1].ask("FLUSHALL")
    history = []
    for _ in range(commands // PIPELINE):
        batch = [generator.command() for _ in range(PIPELINE)]
        for connection in pair:
            connection.send_raw(b"".join(command(*words) for words in batch))
        for words in batch:
            history.append(words)
            expected, actual = (normal(words[0], connection.read()) for connection in pair)
            if actual.raw != expected.raw:
                raise Difference(f"seed {seed}: {words}\n  redis-server {expected.raw[:60000]!r}\n"
                                 f"  redraft      {actual.raw[:60000]!r}\n  after {history[-12:-1]}")
    expected, actual = (state(connection) for connection in pair)
    for key in sorted(expected.keys() | actual.keys()):
        if expected.get(key) != actual.get(key):
            about = [words for words in history if key[1].decode() in words][-12:]
            raise Difference(f"seed {seed}: {key} differs at the end\n  redis-server {str(expected.get(key))[:60000]}\n"
                             f"  redraft      {str(actual.get(key))[:60000]}\n  after {about}")
    for connection in pair:
        connection.close()
    return families


def run(seconds, seed, commands, nodes):
    """Plays seeds until the time is over; returns (seeds played, families). Raises Difference."""
    with RedisServer() as oracle, Cluster(nodes) as cluster:
        ports = [oracle.port, cluster.wait_leader().port]
        end, played, families = time.monotonic() + seconds, 0, []
        while played == 0 or (seed is None and time.monotonic() < end):
            families = play(ports, played + 1 if seed is None else seed, commands)
            played += 1
        cluster.wait_equal()
        return played, families


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--commands", type=int, default=3000)
    parser.add_argument("--nodes", type=int, default=3)
    options = parser.parse_args()
    try:
        count, names = run(options.seconds, options.seed, options.commands, options.nodes)
    except Difference as difference:
        print(difference)
        sys.exit(1)
    print(f"{count} seeds of {options.commands} commands without a difference; families: {', '.join(names)}")
