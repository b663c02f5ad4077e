"""The test's side of durability/sync_gate.c: counts a server's fdatasyncs, and holds them."""

import mmap
import os
import struct
import tempfile

from cluster import BUILD

LIBRARY = BUILD / "libsync_gate.so"


class SyncGate:
    def __init__(self):
        # In memory where possible: on a disk, the page that every sync changes would be written by those very syncs.
        memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
        file, self.path = tempfile.mkstemp(prefix="sync-gate-", dir=memory)
        os.ftruncate(file, 16)
        self.map = mmap.mmap(file, 16)
        os.close(file)

    @property
    def environment(self):
        return {"LD_PRELOAD": str(LIBRARY), "SYNC_GATE": self.path}

    def hold(self):
        self.map[0:4] = struct.pack("=I", 1)

    def release(self):
        self.map[0:4] = struct.pack("=I", 0)

    @property
    def waiting(self):
        return struct.unpack("=I", self.map[4:8])[0]

    @property
    def count(self):
        return struct.unpack("=Q", self.map[8:16])[0]

    def close(self):
        self.release()
        self.map.close()
        os.unlink(self.path)
