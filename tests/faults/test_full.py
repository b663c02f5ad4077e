"""Full disks of followers only (storage-faults row 7): a definite answer, reads go on, and it heals by itself."""

import subprocess
import tempfile
import unittest
from pathlib import Path

from cluster import Cluster, wait_for


class FollowersDisksAreFull(unittest.TestCase):
    SIZE = 48

    def setUp(self):
        self.mounts = []
        for size in (1024, self.SIZE, self.SIZE):
            directory = Path(tempfile.mkdtemp(prefix="full-disk-"))
            done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}m", "tmpfs", directory],
                                  stderr=subprocess.PIPE)
            if done.returncode != 0:
                directory.rmdir()
                self.skipTest(f"cannot mount a tmpfs: {done.stderr.decode()}")
            self.mounts.append(directory)
            self.addCleanup(self.unmount, directory)

    @staticmethod
    def unmount(directory):
        subprocess.run(["umount", "-l", directory])
        directory.rmdir()

    def test_writes_are_refused_and_come_back(self):
        options = ["--log-segment-size", "4mb", "--disk-reserve", "2mb"]
        with Cluster(options=options, directories=[mount / "data" for mount in self.mounts]) as cluster:
            cluster.hand_over(cluster.nodes[0])
            filler = [mount / "filler" for mount in self.mounts[1:]]
            with cluster.connect(timeout=30) as connection:
                self.assertEqual(connection.ask("SET", "before", "1"), b"OK")
                for path in filler:
                    subprocess.run(["sh", "-c", f"cat /dev/zero > {path} 2>/dev/null"])
                error = None
                for i in range(400):
                    reply = connection.call("SET", f"k{i}", "x" * 500_000)
                    if reply.is_error:
                        error = reply.value
                        break
                self.assertIsNotNone(error, "somebody is told")
                self.assertTrue(error.startswith((b"INDOUBT", b"MISCONF")), error)
                self.assertEqual(connection.ask("GET", "before"), b"1")
                for path in filler:
                    path.unlink()
            with cluster.connect(timeout=30) as connection:
                wait_for(lambda: connection.call("SET", "after", "1").value == b"OK", "writes again", 30)
            cluster.wait_equal()
