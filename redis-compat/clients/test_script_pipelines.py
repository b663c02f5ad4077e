"""Scripts called in the same pipeline that brings them: by EVAL, SCRIPT LOAD or FUNCTION LOAD, which are still on
their way when the call is parsed."""

import hashlib
import unittest

from cluster import Cluster

SCRIPT = "return redis.call('INCR', KEYS[1])"
LIBRARY = "#!lua name=lib\nredis.register_function('{name}', function(keys) return redis.call('INCR', keys[1]) end)"
DIGEST = hashlib.sha1(SCRIPT.encode()).hexdigest()


class ScriptPipelines(unittest.TestCase):
    def check(self, *bring, call):
        """The pipeline, twice: each call counts, writes behind it keep their place, and the connection goes on."""
        for size in (1, 3):
            with self.subTest(nodes=size), Cluster(size) as cluster, cluster.connect(timeout=5) as connection:
                for round in range(2):
                    pipeline = [bring] if round == 0 else []
                    for _ in range(3):
                        pipeline += [(*call, "1", "counter"), ("APPEND", "counter", "0"), ("GET", "counter")]
                    for words in pipeline:
                        connection.send(*words)
                    replies = [connection.read() for _ in pipeline]
                    self.assertEqual([reply.raw for reply in replies if reply.is_error], [])
                    value = 0
                    for counted, appended, got in zip(*[iter(replies[-9:])] * 3):
                        value = (value + 1) * 10
                        self.assertEqual((int(counted.value) * 10, int(got.value)), (value, value))
                        self.assertEqual(int(appended.value), len(str(value)))
                    connection.ask("DEL", "counter")

    def test_eval(self):
        self.check("EVAL", SCRIPT, "1", "other", call=("EVALSHA", DIGEST))

    def test_script_load(self):
        self.check("SCRIPT", "LOAD", SCRIPT, call=("EVALSHA", DIGEST))

    def test_function_load(self):
        self.check("FUNCTION", "LOAD", LIBRARY.format(name="count"), call=("FCALL", "count"))

    def test_in_a_transaction(self):
        with Cluster(1) as cluster, cluster.connect(timeout=5) as connection:
            pipeline = [("SCRIPT", "LOAD", SCRIPT), ("MULTI",), ("EVALSHA", DIGEST, "1", "counter"),
                        ("INCR", "counter"), ("EXEC",), ("EVALSHA", DIGEST, "1", "counter")]
            for words in pipeline:
                connection.send(*words)
            replies = [connection.read() for _ in pipeline]
            self.assertEqual([int(item.value) for item in replies[4].value], [1, 2])
            self.assertEqual(int(replies[5].value), 3)

