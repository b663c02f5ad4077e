"""Celery with broker and result store behind Sentinel: tasks with ids, acknowledged late, and a chord."""

import sys

from celery import Celery, chord

from common import HERE, JOBS, PORTS, SERVICE, insist, judge, master, record, recorded, tell_half, until, workers

URL = ";".join(f"sentinel://127.0.0.1:{port}" for port in PORTS)
WORKERS = 2
app = Celery("celery_app", broker=URL, backend=URL)
app.conf.update(
    broker_transport_options={"master_name": SERVICE, "visibility_timeout": 3},
    result_backend_transport_options={"master_name": SERVICE},
    task_acks_late=True, worker_prefetch_multiplier=1, broker_connection_max_retries=None)


@app.task
def double(number):
    """Tries again by itself: Celery's own retry is published before the state RETRY is written, which can then take the
    place of the retry's SUCCESS."""
    return insist(lambda: record(number), "job recorded")


@app.task
def total(numbers):
    return sum(numbers)


def send(number):
    double.apply_async((number,), task_id=f"job-{number}", retry=False)


def restore():
    """Tasks of connections that went with the leader return to the queue after the visibility time-out. The workers
    look for those every 100 s, this does at once."""
    with app.connection_for_write() as connection:
        connection.default_channel.qos.restore_visible(interval=1)


def main():
    client = master()
    command = [sys.executable, "-m", "celery", "-A", "celery_app", "worker", "--pool", "solo", "--loglevel", "warning",
               "--without-gossip", "--without-mingle", "--without-heartbeat"]
    with workers(WORKERS, *command):
        for number in range(JOBS):
            insist(lambda: send(number), "task sent")

        def finished():
            done, queued, begun = client.hlen("done"), client.llen("celery"), client.hlen("unacked")
            tell_half(done)
            if begun and not queued:
                restore()
            return done >= JOBS - WORKERS and queued + begun == 0
        until(finished, "end of the tasks",
              state=lambda: f"{client.hlen('done')} done, {client.llen('celery')} queued, {client.hgetall('unacked')}")
        done = recorded(client)
        judge(done, WORKERS)
        for number in done:
            result = app.AsyncResult(f"job-{number}")
            if until(lambda: result.ready(), f"result of {number}") and result.get() != number * 2:
                sys.exit(f"task {number} gave {result.get()}")
        first = JOBS
        answer = insist(lambda: chord(double.s(first + i) for i in range(5))(total.s()).get(timeout=10), "chord")
        if answer != sum(2 * (first + i) for i in range(5)):
            sys.exit(f"the chord gave {answer}")


if __name__ == "__main__":
    sys.path.insert(0, str(HERE))
    main()
