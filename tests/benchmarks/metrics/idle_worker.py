"""A worker with docker jobs that wait; a signal makes them busy."""

from contextlib import contextmanager

from tests.benchmarks import worker as workers

WORKER_ID = "bench-rest"
JOB = """
import os, signal, time
busy = []
signal.signal(signal.SIGUSR1, lambda *_: busy.append(1))
signal.pause()
kept, turn = [], 0
while True:
    began = time.process_time()
    turn += 1
    kept = [b"x" * (turn % 16 * 65536)]
    while time.process_time() - began < 0.001:
        pass
    time.sleep(0.099)
"""
"""Busy is 1 % of a core, and other memory ten times a second."""


class IdleWorker:
    def __init__(self, bench, worker):
        self.engine = bench.engine
        self.worker = worker
        self.jobs = []

    def fill(self, count):
        """Until there are `count` containers, all of them running."""
        fresh = [self.worker.submit("python3", "-c", JOB) for _ in range(count - len(self.jobs))]
        self.jobs += list(self.worker.until(fresh, "running"))

    def wake(self):
        """From now on all of them are busy."""
        self.engine.docker("kill", "--signal", "USR1", *self.engine.docker("ps", "-q").split())


@contextmanager
def idle_worker(bench, *, slots):
    environment = {**bench.engine.environment, "FLUSTER_BASE_IMAGE": bench.engine.image}
    with workers.started(
        bench.folder(), runtime="docker", worker_id=WORKER_ID, environment=environment, max_jobs=slots
    ) as worker:
        yield IdleWorker(bench, worker)
