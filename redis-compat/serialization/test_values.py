"""Values leave one server and enter the other: DUMP and RESTORE both ways, and a whole RDB file by --import."""

import subprocess
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent.parent / "differential")]

from beside_redis import BesideRedis
from cluster import SERVER
from fuzz import offered, read_key
from resp import Connection

SIZES = (1, 3, 130, 600)


def fill(connection, families):
    """Values of every type and size, with elements of all lengths and integer widths."""
    def element(i):
        return [str(i), str(-(i ** 5)), f"word{i}", "a" * (20 + i % 60) + str(i), f"{i}" + "b" * (100 + i),
                b"\x00\xff\r\n%d" % i, str(i * 40_000_000_000)][i % 7]

    for i, text in enumerate(["", "0", "127", "-129", "70000", "-3000000000", "text", "x" * 44, "x" * 45, "lzf " * 400,
                              "y" * 9000, b"\x00\x01\xff", "9223372036854775807", "12.5"]):
        connection.ask("SET", f"string:{i}", text)
    connection.ask("APPEND", "string:2", "8")
    connection.ask("SETBIT", "bits", "40000", "1")
    connection.ask("PFADD", "hll", *range(500))
    connection.ask("PFCOUNT", "hll")
    for size in SIZES:
        items = [element(i) for i in range(size)]
        connection.ask("RPUSH", f"list:{size}", *items)
        connection.ask("SADD", f"set:{size}", *items)
        connection.ask("SADD", f"integers:{size}", *(i ** 4 - 50 for i in range(size)))
        if "hash" in families:
            connection.ask("HSET", f"hash:{size}", *(word for i in range(size) for word in (element(i), element(3 * i))))
        if "sorted_set" in families:
            connection.ask("ZADD", f"sorted:{size}", *(word for i in range(size) for word in (i * i / 7 - 5, element(i))))
        if "stream" in families:
            for i in range(size):
                fields = ("field", element(i), "other", "x") if i % 5 else ("strange", element(i))
                connection.ask("XADD", f"stream:{size}", f"{1000 + i // 3}-{i % 3 + 1}", *fields)
    connection.ask("RPUSH", "large elements", "z" * 10000, "small", "z" * 9000)
    if "sorted_set" in families:
        connection.ask("ZADD", "scores", "inf", "a", "-inf", "b", "0.1", "c", "1e300", "d", "-0.0", "e", "3", "f")
    if "stream" in families:
        for name in ("group", "second"):
            connection.ask("XGROUP", "CREATE", "stream:130", name, "0")
        connection.ask("XREADGROUP", "GROUP", "group", "alice", "COUNT", "70", "STREAMS", "stream:130", ">")
        connection.ask("XREADGROUP", "GROUP", "group", "bob", "COUNT", "10", "STREAMS", "stream:130", ">")
        connection.ask("XACK", "stream:130", "group", "1000-1", "1001-2")
        connection.ask("XDEL", "stream:130", "1000-2", "1002-1")
        connection.ask("XTRIM", "stream:600", "MAXLEN", "450")
        connection.ask("XGROUP", "CREATE", "stream:3", "only", "$")
        connection.ask("XADD", "emptied", "5-5", "f", "v")
        connection.ask("XDEL", "emptied", "5-5")


# 7.2's listpack of sets is unknown to the oracle, and chunks of lists differ; both keep their content.
def described(connection, key):
    return read_key(connection, key)


class Values(BesideRedis):
    def pair(self):
        pair = [Connection(self.oracle.port), Connection(self.port)]
        for connection in pair:
            connection.ask("FLUSHALL")
        return *pair, [family for family in offered(pair[0]) if family in offered(pair[1])]

    def carry(self, source, target, keys):
        for key in keys:
            payload = source.ask("DUMP", key)
            self.assertEqual(target.ask("RESTORE", key, "0", payload), b"OK", key)
            self.assertEqual(described(target, key), described(source, key), key)
            self.assertEqual(target.call("RESTORE", key, "0", payload).raw, b"-BUSYKEY Target key name already exists.\r\n")

    def test_redis_takes_what_redraft_dumps(self):
        oracle, redraft, families = self.pair()
        fill(redraft, families)
        self.carry(redraft, oracle, redraft.ask("KEYS", "*"))

    def test_redraft_takes_what_redis_dumps(self):
        oracle, redraft, families = self.pair()
        fill(oracle, families)
        self.carry(oracle, redraft, oracle.ask("KEYS", "*"))

    def test_a_value_comes_home_through_both(self):
        oracle, redraft, families = self.pair()
        fill(oracle, families)
        for key in oracle.ask("KEYS", "*"):
            redraft.ask("RESTORE", key, "0", oracle.ask("DUMP", key))
            oracle.ask("RESTORE", b"back:" + key, "0", redraft.ask("DUMP", key))
            self.assertEqual(described(oracle, b"back:" + key), described(oracle, key), key)

    def import_file(self, oracle, *arguments):
        """The oracle's data as an RDB file, into the cluster through a follower: MOVED is followed."""
        oracle.ask("SAVE")
        directory, name = oracle.ask("CONFIG", "GET", "dir"), oracle.ask("CONFIG", "GET", "dbfilename")
        path = Path(directory[1].decode()) / name[1].decode()
        follower = next(node for node in self.cluster.nodes if node.port != self.port)
        return subprocess.run([SERVER, "--import", path, f"127.0.0.1:{follower.port}", *arguments], capture_output=True,
                              text=True, timeout=60, check=False)

    def test_an_rdb_file_is_imported(self):
        oracle, redraft, families = self.pair()
        fill(oracle, families)
        oracle.ask("PEXPIREAT", "string:1", "4102444800123")
        oracle.ask("SELECT", "3")
        oracle.ask("SET", "in another database", "v", "EX", "100000")
        oracle.ask("SELECT", "0")
        keys = oracle.ask("KEYS", "*")
        done = self.import_file(oracle)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(f"100%: {len(keys) + 1} keys", done.stdout)
        for key in keys:
            self.assertEqual(described(redraft, key), described(oracle, key), key)
        self.assertEqual(redraft.ask("PEXPIRETIME", "string:1"), 4102444800123)
        redraft.ask("SELECT", "3")
        self.assertEqual(redraft.ask("GET", "in another database"), b"v")
        self.assertGreater(redraft.ask("TTL", "in another database"), 90000)
        self.cluster.wait_equal()

    def test_a_damaged_file_is_refused_before_anything_is_sent(self):
        oracle, redraft, _ = self.pair()
        oracle.ask("SET", "k", "v" * 100)
        oracle.ask("SAVE")
        path = Path(oracle.ask("CONFIG", "GET", "dir")[1].decode()) / "dump.rdb"
        whole = bytearray(path.read_bytes())
        whole[len(whole) // 2] ^= 1
        path.write_bytes(whole)
        done = subprocess.run([SERVER, "--import", path, f"127.0.0.1:{self.port}"], capture_output=True, text=True,
                              timeout=60, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("checksum is wrong", done.stderr)
        self.assertEqual(redraft.ask("DBSIZE"), 0)

    def test_what_is_no_rdb_file(self):
        for arguments, text in ((["/nonexistent", "127.0.0.1:1"], "cannot read"), ([__file__, "127.0.0.1:1"], "no RDB file"),
                                ([__file__], "Usage"), ([__file__, "nowhere"], "Usage")):
            done = subprocess.run([SERVER, "--import", *arguments], capture_output=True, text=True, timeout=60, check=False)
            self.assertEqual(done.returncode, 1)
            self.assertIn(text, done.stderr)
