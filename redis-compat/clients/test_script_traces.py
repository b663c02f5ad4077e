"""What an operator sees of scripts: MONITOR's lines, and redis.log in the log of the node that answers."""

import unittest

from cluster import Cluster, wait_for


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

    def monitored(self, node, *commands):
        """What MONITOR on that node shows of the commands, without times and addresses."""
        with node.connect() as monitor:
            monitor.ask("MONITOR")
            for command in commands:
                self.connection.call(*command)
            self.connection.ask("SET", "last", "1")
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
