"""What an operator sees of scripts: MONITOR's lines, and redis.log in the log of the node that answers."""

import hashlib
import unittest

from cluster import Cluster, RedisServer, wait_for


class ScriptTraces(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster()
        cls.addClassCleanup(cls.cluster.__exit__, None)
        cls.cluster.__enter__()

    def setUp(self):
        self.leader = self.cluster.wait_leader()
        self.connection = self.leader.connect()
        self.addCleanup(self.connection.close)

    def monitored(self, node, *commands, connection=None):
        """What MONITOR on that node shows of the commands, without times and addresses."""
        connection = connection or self.connection
        with node.connect() as monitor:
            monitor.ask("MONITOR")
            for command in commands:
                connection.call(*command)
            connection.ask("SET", "last", "1")
            lines = []
            while not lines or '"last"' not in lines[-1]:
                line = monitor.read().value.decode().split(" ", 1)[1]
                where, words = line.split("] ", 1)
                lines.append("lua " + words if where.endswith(" lua") else words)
            return lines[:-1]

    def test_monitor_shows_a_script_and_then_what_it_calls(self):
        self.connection.ask("SET", "k", "0")
        writes = "redis.call('set',KEYS[1],'1') redis.pcall('get') return redis.call('get',KEYS[1])"
        # Its name for the write is not in its text, so it is tried as a read first.
        tried = "redis.call('s' .. 'et',KEYS[1],'1') return redis.call('get',KEYS[1])"
        reads = "return redis.call('get',KEYS[1])"
        commands = [("EVAL", body, "1", "k") for body in (writes, tried, tried, reads)]
        shown = [line for body in (writes, tried, tried, reads)
                 for line in ([f'"EVAL" "{body}" "1" "k"'] + (['lua "set" "k" "1"'] if body is not reads else []) +
                              ['lua "get" "k"'])]
        self.assertEqual(self.monitored(self.leader, *commands), shown)
        self.assertEqual(self.monitored(self.cluster.followers()[0], commands[0]), shown[:3])

    def test_the_lines_are_those_of_redis(self):
        body = "redis.call('set',KEYS[1],ARGV[1]) redis.pcall('incr','t') return redis.call('get',KEYS[1])"
        reads = "return {redis.call('get',KEYS[1]), redis.call('exists',KEYS[1])}"
        digest = hashlib.sha1(reads.encode()).hexdigest()
        library = ("#!lua name=traced\nredis.register_function('put', function(keys, args) "
                   "return redis.call('set',keys[1],args[1]) end)")
        commands = [("FUNCTION", "LOAD", "REPLACE", library), ("SCRIPT", "LOAD", reads), ("SET", "k", "0"),
                    ("EVAL", body, "1", "k", "v"), ("EVAL", reads, "1", "k"), ("EVALSHA", digest, "1", "k"),
                    ("EVAL_RO", reads, "1", "k"), ("FCALL", "put", "1", "k", "w"), ("EVAL", "return redis.call('nope')", "0"),
                    ("MULTI",), ("EVAL", body, "1", "k", "v"), ("EVAL", reads, "1", "k"), ("EXEC",)]
        with RedisServer() as oracle, oracle.connect() as there:
            expected = self.monitored(oracle, *commands, connection=there)
        self.assertEqual(self.monitored(self.leader, *commands), expected)

    def test_the_log_has_a_scripts_lines_once(self):
        body = ("redis.call('set','k','1') redis.log(redis.LOG_WARNING,'a line','of a script') "
                "redis.log(redis.LOG_DEBUG,'no')")
        self.connection.ask("EVAL", body, "0")
        self.cluster.wait_equal()
        wait_for(lambda: "a line of a script" in self.leader.log.read_text(), "the line")
        text = "".join(node.log.read_text() for node in self.cluster.nodes)
        self.assertEqual(text.count("# a line of a script"), 1)
        self.assertNotIn("* no", text)


if __name__ == "__main__":
    unittest.main()
