"""M7: jobs that take 200 MiB for a moment at a random time: how many of them show it in their final peak, and how many polls would."""

import random

from tests.benchmarks import worker as workers
from tests.benchmarks.result import Goal, Missing, Note, Result

MIB = 1024 * 1024
SPIKE = 200 * MIB
JOB = f"""
import mmap, sys, time
time.sleep(float(sys.argv[1]))
area = mmap.mmap(-1, {SPIKE}, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | mmap.MAP_POPULATE)
full = time.time_ns()
time.sleep(float(sys.argv[2]))
area.close()
print(full, time.time_ns(), flush=True)
time.sleep(float(sys.argv[3]))
"""


def measure(bench):
    for runtime in ("process", "docker"):
        try:
            yield from _runtime(bench, runtime)
        except Missing as missing:
            yield Note(f"M7 with {runtime}: {missing}")
    yield Note(
        "M7: a spike lasts from the moment when all of it is there until it is given back. The shares of polling are those of the "
        "same jobs, over all moments at which polls could have begun."
    )


def _runtime(bench, runtime):
    environment, options = {}, {"max_jobs": 4}
    if runtime == "docker":
        environment = {**bench.engine.environment, "FLUSTER_BASE_IMAGE": bench.engine.image}
    with workers.started(
        bench.folder(), runtime=runtime, worker_id="bench-spikes", environment=environment, **options
    ) as worker:
        for milliseconds in (50, 5):
            yield from _spikes(bench, worker, runtime, milliseconds)


def _spikes(bench, worker, runtime, milliseconds):
    count = max(100 // bench.rounds, 1) if not bench.quick else 3
    shares = {"kernel": [], "anon": [], 1.0: [], 5.0: []}
    chance = random.Random(milliseconds)
    for _ in range(bench.rounds):
        job_ids = [
            worker.submit("python3", "-c", JOB, *_times(chance, milliseconds, bench.quick)) for _ in range(count)
        ]
        jobs = worker.until(job_ids, "succeeded").values()
        spikes = [_window(worker, job_id) for job_id in job_ids]
        shares["kernel"].append(sum(_peak(job, "memory_peak_bytes") >= SPIKE for job in jobs) / count * 100)
        shares["anon"].append(sum(_peak(job, "memory_anon_peak_bytes") >= SPIKE for job in jobs) / count * 100)
        for interval in (1.0, 5.0):
            shares[interval].append(sum(_seen(began, ended, interval) for began, ended in spikes) / count * 100)
    what = f"{runtime}: {count * bench.rounds} jobs, 200 MiB for {milliseconds} ms, seen in the"
    yield Result(
        "M7",
        f"{what} final peak",
        "%",
        shares["kernel"],
        "polling every second",
        shares[1.0],
        Goal("least", 100),
        good="more",
    )
    yield Result("M7", f"{what} final peak", "%", shares["kernel"], "polling every 5 s", shares[5.0], good="more")
    yield Result(
        "M7", f"{what} anonymous peak (sampled)", "%", shares["anon"], "polling every second", shares[1.0], good="more"
    )


def _times(chance, milliseconds, quick):
    before = chance.uniform(0, 0.2 if quick else 1.0)
    return f"{before:.4f}", f"{milliseconds / 1000}", f"{(0.2 if quick else 1.0) - before:.4f}"


def _window(worker, job_id):
    began, ended = worker.ask(f"/api/jobs/{job_id}/logs/download?source=stdout").split()[-2:]
    return int(began) / 1e9, int(ended) / 1e9


def _seen(began, ended, interval):
    """The share of moments at which polling could have begun that puts a poll into the window."""
    return min((ended - began) / interval, 1.0)


def _peak(job, name):
    return job["resources"].get(name) or 0
