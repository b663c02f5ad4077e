"""One script of commands of all types leaves equal digests on three nodes with different configuration files, of which
one is restored from a snapshot and one restarted from its log in between (architecture, section 6; pitfall G1).

REDRAFT_SEED=<n> repeats one seed.
"""

import os
import random
import sys
import unittest
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent.parent / "differential")]

from cluster import Cluster, wait_for
from fuzz import offered, payloads
from fuzz_grammar import FAMILIES, Generator
from resp import command

LONG = bool(os.environ.get("REDRAFT_LONG"))
PIPELINE = 50
COMMON = "snapshot-tail-entries 300\n"
FILES = [
    COMMON + "snapshot-log-entries 60\nhash-max-listpack-entries 4\nloglevel verbose\nmaxmemory-samples 3\n",
    COMMON + "snapshot-log-entries 60\nset-max-intset-entries 3\nlfu-decay-time 3\nslowlog-log-slower-than 0\n"
             "latency-monitor-threshold 1\nmaxclients 200\n",
    "list-max-listpack-size 2\nstream-node-max-entries 7\nappendfsync everysec\nactive-expire-effort 10\nhz 100\n",
]
ENVIRONMENTS = [{"TZ": "Asia/Kathmandu"}, {"LC_ALL": "tr_TR.UTF-8"}, {"MALLOC_PERTURB_": "85"}]
FUNCTIONS = """#!lua name=all
redis.register_function('draw', function(keys, args)
  local drawn = redis.call('SPOP', keys[1], 2)
  for _, member in ipairs(drawn) do redis.call('RPUSH', keys[2], member) end
  return #drawn
end)
redis.register_function{function_name='seen', callback=function(keys) return redis.call('TYPE', keys[1]) end,
                        flags={'no-writes'}}"""
DRAWS = ("redis.call('SADD',KEYS[1],math.random(1000),ARGV[1]) local m = redis.call('SRANDMEMBER',KEYS[1]) "
         "redis.call('ZADD',KEYS[2],math.random(),m) redis.call('XADD',KEYS[3],'*','m',m) "
         "redis.call('SET',KEYS[4],redis.call('TIME')[1],'PX',math.random(50)) return redis.call('SPOP',KEYS[1])")
ITERATES = ("local t = {} for i, v in ipairs(redis.call('KEYS','*')) do t[v] = i end "
            "for k, v in pairs(t) do redis.call('APPEND',KEYS[1],k .. v) end redis.call('SETRANGE',KEYS[1],400,'') "
            "redis.call('PFADD',KEYS[2],tostring(math.random()))")


def chance(rng):
    """What the differential fuzzer must not send, as no two servers answer it alike: chance, time and other types."""
    key = rng.randrange(3)
    return rng.choice([
        ["SPOP", f"set:{key}"], ["SPOP", f"set:{key}", "3"], ["EXPIRE", f"list:{key}", "1"],
        ["PEXPIRE", f"hash:{key}", str(rng.randrange(1, 40))], ["SET", f"string:{key}", "brief", "PX", "15"],
        ["XADD", f"stream:{key}", "*", "f", "v"], ["XADD", f"stream:{key}", "MAXLEN", "~", "5", "*", "f", "v"],
        ["XREADGROUP", "GROUP", "g", "alice", "STREAMS", f"stream:{key}", ">"],
        ["GEORADIUS", "geo:1", "15", "37", "900", "km", "STORE", "geo:2"],
        ["EVAL", DRAWS, "4", f"set:{key}", f"sorted_set:{key}", f"stream:{key}", f"string:{key}", rng.randrange(9)],
        ["EVAL", ITERATES, "2", f"string:{key}", f"hyperloglog:{key}"],
        ["FCALL", "draw", "2", f"set:{key}", f"list:{key}"], ["FCALL_RO", "seen", "1", f"set:{key}"],
        ["FUNCTION", "LOAD", "REPLACE", FUNCTIONS], ["SCRIPT", "LOAD", f"return {key}"],
        ["ACL", "SETUSER", f"user{key}", "on", f">word{rng.randrange(5)}", f"~{rng.randrange(9)}*", "+@read"],
        ["ACL", "DELUSER", f"user{key}"], ["SWAPDB", "0", "1"], ["BITFIELD", f"bitmap:{key}", "INCRBY", "u8", "#3", "77"],
        ["CONFIG", "SET", "hash-max-listpack-entries", str(rng.randrange(2, 200))],
        ["COPY", f"zset:{key}", f"set:{key}", "DB", "1"], ["SORT", f"set:{key}", "BY", "nosort", "STORE", f"list:{key}"],
    ])


class SameEverywhere(unittest.TestCase):
    def play(self, rng, commands):
        with self.cluster.connect(timeout=60) as connection, self.cluster.connect(timeout=60) as observer:
            self.generator = self.generator or Generator(rng, FAMILIES, payloads(connection))
            self.assertEqual(set(offered(connection)), set(FAMILIES))
            connection.ask("FUNCTION", "LOAD", "REPLACE", FUNCTIONS)
            for _ in range(commands // PIPELINE):
                batch = [chance(rng) if rng.random() < 0.3 else self.generator.command() for _ in range(PIPELINE)]
                waiting = self.blocked(rng)
                connection.send_raw(b"".join(command(*words) for words in batch))
                for _ in batch:
                    connection.read()
                for one in waiting:
                    one.close()
                # A FLUSHALL among them may leave little at the end; what expires between the two commands is "none".
                self.kinds.update(observer.ask("TYPE", key) for key in observer.ask("KEYS", "*"))
            connection.call("DISCARD")

    def blocked(self, rng):
        """Clients that wait while the batch is played; some are served, others leave."""
        found = []
        for words in (["BLPOP", f"list:{rng.randrange(3)}", "waits", "0"], ["BZPOPMIN", f"sorted_set:{rng.randrange(3)}", "0"],
                      ["BLMOVE", "waits", "list:0", "LEFT", "RIGHT", "0.05"], ["BZMPOP", "0", "1", "sorted_set:1", "MAX"]):
            one = self.cluster.wait_leader().connect(timeout=60)
            one.send(*words)
            found.append(one)
        return found

    def raft(self, node, field):
        with node.connect() as connection:
            return int(connection.info("raft")[field])

    def run_seed(self, seed, commands):
        rng, self.generator, self.kinds = random.Random(seed), None, set()
        self.cluster = Cluster(environments=ENVIRONMENTS)
        for node, text in zip(self.cluster.nodes, FILES):
            path = node.directory.with_suffix(".conf")
            path.write_text(text)
            node.command.insert(1, str(path))
        with self.cluster:
            first, second, third = self.cluster.nodes
            self.cluster.hand_over(first)
            self.play(rng, commands)
            second.kill()
            last = self.raft(first, "raft_last_index")
            self.play(rng, commands)
            wait_for(lambda: self.raft(first, "raft_snapshot_index") > last + 20, "a snapshot that cuts the log")
            second.start()
            self.play(rng, commands)
            third.kill()
            third.start()
            third.wait_ready()
            self.play(rng, commands)
            self.cluster.wait_equal()
            self.assertGreater(self.raft(second, "raft_snapshot_index"), last, "it was restored from a snapshot")
            self.assertEqual(self.raft(third, "raft_snapshot_index"), 0, "all it has is from its log")
            self.cluster.hand_over(third)
            self.play(rng, commands)
            self.cluster.wait_equal()
            self.assertLessEqual({b"string", b"list", b"set", b"hash", b"zset", b"stream"}, self.kinds)
            for node in self.cluster.nodes:
                node.kill()
            self.cluster.start()
            self.cluster.wait_equal()

    def test_seeds(self):
        seed = os.environ.get("REDRAFT_SEED")
        for one in [int(seed)] if seed else range(1, 21 if LONG else 3):
            with self.subTest(seed=one):
                self.run_seed(one, 1500)


if __name__ == "__main__":
    unittest.main()
