"""Seeded random commands to redis-server and redraft: equal replies, and equal data afterwards.

REDRAFT_SEED=<n> repeats one seed; a failure prints it with the command that differed.
"""

import os
import random
import unittest

from cluster import Cluster, RedisServer
from normalise import RULES
from resp import Connection, command

LONG = bool(os.environ.get("REDRAFT_LONG"))
COMMANDS = 4000
PIPELINE = 50

KEYS = ["a", "b", "c", "d", "e"]
MEMBERS = ["1", "2", "3", "-7", "x", "y", "zebra", "", "10000000000", "word " * 15]
VALUES = ["", "0", "5", "-3", "9223372036854775807", "3.5", "text", "x" * 50, "\r\n", "  7"]
INTEGERS = ["0", "1", "-1", "2", "-2", "5", "100", "-100", "9223372036854775807", "abc", "1.5"]

# K key, V value, M member, I integer, S small count, F float, E TTL far away; [..] alternatives; a trailing + repeats.
TEMPLATES = """
GET K;SET K V;SET K V [NX,XX,GET,KEEPTTL];SET K V [EX,PX] E;SET K V [NX,XX] GET;SETNX K V;SETEX K E V;PSETEX K E V
GETSET K V;GETDEL K;GETEX K;GETEX K [EX,PX] E;GETEX K PERSIST;APPEND K V;STRLEN K;INCR K;DECR K;INCRBY K I;DECRBY K I
INCRBYFLOAT K F;MGET K+;MSET K V K V;MSETNX K V K V;GETRANGE K I I;SUBSTR K I I;SETRANGE K S V;LCS K K;LCS K K LEN
LCS K K IDX MINMATCHLEN S WITHMATCHLEN;DEL K+;UNLINK K;EXISTS K+;TYPE K;RENAME K K;RENAMENX K K;COPY K K
COPY K K REPLACE;TOUCH K+;DBSIZE;EXPIRE K E;PEXPIRE K E [NX,XX,GT,LT];PERSIST K;EXPIRE K -1;OBJECT REFCOUNT nokey
MOVE K 1;SELECT [0,0,0,1];SWAPDB 0 1;LPUSH K M+;RPUSH K M+;LPUSHX K M;RPUSHX K M+;LPOP K;RPOP K;LPOP K S;RPOP K S
LLEN K;LINDEX K I;LRANGE K I I;LSET K I M;LINSERT K [BEFORE,AFTER] M M;LREM K I M;LTRIM K I I;LPOS K M
LPOS K M RANK I COUNT S;LPOS K M MAXLEN S;RPOPLPUSH K K;LMOVE K K [LEFT,RIGHT] [LEFT,RIGHT]
LMPOP 2 K K [LEFT,RIGHT] COUNT S;BLPOP K K 0.001;BLMOVE K K LEFT RIGHT 0.001;SORT K ALPHA;SORT K
SORT K LIMIT S S ALPHA DESC;SORT K ALPHA STORE K;SADD K M+;SREM K M+;SCARD K;SISMEMBER K M;SMISMEMBER K M+;SMEMBERS K
SMOVE K K M;SINTER K+;SUNION K+;SDIFF K+;SINTERSTORE K K+;SUNIONSTORE K K+;SDIFFSTORE K K+;SINTERCARD 2 K K LIMIT S
SRANDMEMBER K 100;SSCAN K 0 COUNT 1000;SPOP K 100;MULTI;EXEC;EXEC;DISCARD;WATCH K;UNWATCH
""".replace("\n", ";").strip(";").split(";")
RULE = {"SMEMBERS": "unordered", "SINTER": "unordered", "SUNION": "unordered", "SDIFF": "unordered",
        "SRANDMEMBER": "unordered",
        "SPOP": "unordered", "SSCAN": "scan", "EXEC": "unordered"}


def generate(rng):
    """One command; most name few keys and small numbers, so that they meet."""
    words = []
    for part in rng.choice(TEMPLATES).split(" "):
        pool, repeat = part.rstrip("+"), part.endswith("+")
        for _ in range(rng.randrange(1, 5) if repeat else 1):
            if pool == "K":
                words.append(rng.choice(KEYS))
            elif pool == "V":
                words.append(rng.choice(VALUES))
            elif pool == "M":
                words.append(rng.choice(MEMBERS))
            elif pool == "I":
                words.append(rng.choice(INTEGERS))
            elif pool == "S":
                words.append(str(rng.randrange(0, 6)))
            elif pool == "F":
                words.append(rng.choice(["0.5", "-1", "1e3", "abc", "3"]))
            elif pool == "E":
                words.append(str(rng.randrange(1_000_000, 9_000_000)))
            elif pool[0] == "[":
                words.append(rng.choice(pool[1:-1].split(",")))
            else:
                words.append(pool)
    return words


def state(connection):
    """All data of databases 0 and 1 in a canonical form."""
    connection.call("DISCARD")
    connection.call("UNWATCH")
    found = []
    for db in ("0", "1"):
        connection.ask("SELECT", db)
        for key in sorted(connection.ask("KEYS", "*")):
            kind = connection.ask("TYPE", key)
            read = {b"string": ("GET", key), b"list": ("LRANGE", key, 0, -1), b"set": ("SMEMBERS", key)}[kind]
            value = connection.ask(*read)
            found.append((db, key, kind, sorted(value) if kind == b"set" else value, connection.ask("PTTL", key) > 0))
    return found


class Random(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.oracle, cls.cluster = RedisServer(), Cluster()
        cls.oracle.__enter__()
        cls.cluster.__enter__()

    @classmethod
    def tearDownClass(cls):
        cls.cluster.__exit__(None)
        cls.oracle.__exit__(None)

    def play(self, seed, protocol):
        rng = random.Random(seed)
        pair = [Connection(port, protocol=protocol) for port in (self.oracle.port, self.cluster.wait_leader().port)]
        for connection in pair:
            connection.ask("FLUSHALL")
        history = []
        for _ in range(COMMANDS // PIPELINE):
            batch = [generate(rng) for _ in range(PIPELINE)]
            for connection in pair:
                connection.send_raw(b"".join(command(*words) for words in batch))
            for words in batch:
                history.append(words)
                expected, actual = (RULES[RULE.get(words[0], "same")](connection.read()) for connection in pair)
                self.assertEqual(actual.raw, expected.raw,
                                 f"seed {seed}, RESP{protocol}: {words} after {history[-15:-1]}")
        self.assertEqual(state(pair[1]), state(pair[0]), f"seed {seed}, RESP{protocol}: the data differ")
        for connection in pair:
            connection.close()

    def test_seeds(self):
        seeds = [int(os.environ["REDRAFT_SEED"])] if os.environ.get("REDRAFT_SEED") else range(1, 201 if LONG else 11)
        for seed in seeds:
            self.play(seed, 2 + seed % 2)
        self.cluster.wait_equal()
