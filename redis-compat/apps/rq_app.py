"""RQ behind Sentinel: jobs with ids, a failed one's retry, results and the registries."""

import sys
from datetime import datetime, timedelta

import redis
from rq import Queue, SimpleWorker
from rq.job import Job, JobStatus
from rq.registry import FinishedJobRegistry, StartedJobRegistry

from common import HERE, JOBS, insist, judge, master, record, recorded, tell_half, until, workers

WORKERS = 2


def double(number):
    return record(number)


def fail():
    raise ValueError("this job fails")


def work():
    """A worker as a supervisor would run it: one that lost its connection is started again."""
    while True:
        try:
            SimpleWorker(["default"], connection=master(), default_worker_ttl=20).work(logging_level="WARNING")
        except redis.RedisError:
            continue


def enqueue(queue, number):
    queue.enqueue("rq_app.double", number, job_id=f"job-{number}", job_timeout=2, result_ttl=3600)


def again(queue):
    """Jobs whose worker lost its connection before RQ could note their end are enqueued again, as an operator would: RQ
    itself does so after a minute."""
    started = StartedJobRegistry(queue=queue)
    for identity in started.get_job_ids():
        job = Job.fetch(identity, connection=queue.connection)
        if datetime.utcnow() - job.started_at > timedelta(seconds=1):
            started.remove(job)
            queue.enqueue_job(job)


def main():
    client = master()
    queue = Queue(connection=client)
    started = StartedJobRegistry(queue=queue)
    with workers(WORKERS, sys.executable, __file__, "work"):
        for number in range(JOBS):
            insist(lambda: enqueue(queue, number), "job enqueued")

        def finished():
            done = client.hlen("done")
            tell_half(done)
            again(queue)
            return len(queue) + len(started) == 0 and done >= JOBS - WORKERS
        until(finished, "end of the jobs",
              state=lambda: f"{client.hlen('done')} done, {len(queue)} queued, {started.get_job_ids()} begun")
        registry = FinishedJobRegistry(queue=queue)
        # A job in the hands of a worker is in no list for a moment.
        until(lambda: set(registry.get_job_ids()) == {f"job-{number}" for number in recorded(client)},
              "agreement of RQ's finished jobs with those that are recorded", 10)
        done = recorded(client)
        judge(done, WORKERS)
        for number in done:
            job = Job.fetch(f"job-{number}", connection=client)
            if job.get_status() != JobStatus.FINISHED or job.result != number * 2:
                sys.exit(f"job {number} is {job.get_status()} with {job.result}")
        failing = queue.enqueue("rq_app.fail", job_id="failing")
        until(lambda: failing.get_status(refresh=True) == JobStatus.FAILED, "failure of a job")
        if "this job fails" not in Job.fetch("failing", connection=client).exc_info:
            sys.exit("the failed job lost its reason")


if __name__ == "__main__":
    sys.path.insert(0, str(HERE))
    work() if sys.argv[1:] == ["work"] else main()
