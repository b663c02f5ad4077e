"""What the Python applications of this directory share, as common.mjs does for those of Node.js."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import redis
from redis.sentinel import Sentinel

HERE = Path(__file__).resolve().parent
PORTS = [int(port) for port in os.environ["REDRAFT_PORTS"].split(",")]
JOBS = int(os.environ.get("JOBS", 100))
SERVICE = "mymaster"
_told = False


def sentinel(**options):
    return Sentinel([("127.0.0.1", port) for port in PORTS], sentinel_kwargs={"socket_timeout": 5}, socket_timeout=30,
                    **options)


def master(**options):
    """A client of the leader, which it asks the nodes for as its Sentinels."""
    return sentinel().master_for(SERVICE, **options)


def until(condition, what, limit=40, state=lambda: ""):
    """The first true value of condition(); an error counts as "not yet". `state` is for the message."""
    end, last = time.monotonic() + limit, None
    while time.monotonic() < end:
        try:
            if value := condition():
                return value
        except Exception as error:
            last = error
        time.sleep(0.02)
    raise TimeoutError(f"no {what} within {limit} s: {state()} {last!r}")


def insist(attempt, what):
    """Until it succeeds; the outcome of a try may be unknown, so `attempt` must bear being done twice."""
    return until(lambda: (attempt(),), what)[0]


def tell_half(done):
    """Once half of the work is done the driver may kill the leader."""
    global _told
    if not _told and done >= JOBS / 2:
        _told = True
        print("half", flush=True)


def record(number, client=None):
    """What a job does: it is recorded once, its runs are counted."""
    with (client or master()).pipeline(transaction=True) as pipe:
        pipe.hsetnx("done", number, number * 2).hincrby("runs", number, 1)
        pipe.execute()
    return number * 2


def recorded(client):
    return {int(key): int(value) for key, value in client.hgetall("done").items()}


def judge(done, missing_at_most):
    """Whoever pops a job and dies, or whose connection dies with the leader before the answer is read, loses it: that
    is Redis's promise too. It can be one for each worker, and no other."""
    missing = [number for number in range(JOBS) if number not in done]
    if len(missing) > missing_at_most:
        sys.exit(f"{len(missing)} jobs were never done, at most {missing_at_most} can be: {missing[:5]}")
    if wrong := {key: value for key, value in done.items() if value != key * 2}:
        sys.exit(f"wrong results: {wrong}")
    print(f"{len(done)} jobs done, {len(missing)} lost with a connection")


@contextmanager
def workers(count, *command):
    """So many processes of this command, ended with the block; they die with this process."""
    libc = ctypes.CDLL(None)
    running = [subprocess.Popen([str(word) for word in command], cwd=HERE, stdout=sys.stderr, stdin=subprocess.DEVNULL,
                                preexec_fn=lambda: libc.prctl(1, signal.SIGKILL)) for _ in range(count)]
    try:
        yield running
        if ended := [worker.returncode for worker in running if worker.poll() is not None]:
            sys.exit(f"workers ended with {ended}")
    finally:
        for worker in running:
            worker.kill()
            worker.wait()
