"""L6: from a job's write to 50 followers over HTTP, at 2,000 lines a second; and the same with one more that reads nothing."""

import json
import subprocess
import sys

from tests.benchmarks import worker as workers
from tests.benchmarks.cpu import Window
from tests.benchmarks.result import Goal, Note, Result

FOLLOWERS, RATE, MARKED = 50, 2000, 20
JOB = """
import os, sys, time
rate, marked, history = map(int, sys.argv[1:])
for number in range(history):
    os.write(1, b"%d what was there before anybody followed, a line as long as most of them are\\n" % number)
began, number = time.monotonic(), 0
while True:
    number += 1
    mark = b"@%d@" % time.time_ns() if number % marked == 0 else b"@"
    os.write(1, b"%d %b a line as long as most lines of most logs are, more or less\\n" % (number, mark))
    time.sleep(max(began + number / rate - time.monotonic(), 0))
"""


def measure(bench):
    count, seconds = bench.pick(FOLLOWERS, 5), bench.pick(3, 1)
    with workers.started(bench.folder(), runtime="process", worker_id="bench-followers") as worker:
        history = bench.pick(100_000, 2_000)
        job_id = worker.submit("python3", "-c", JOB, str(RATE), str(MARKED), str(history))
        worker.until([job_id], "running")
        alone, disturbed = (_rounds(bench, worker, job_id, count, deaf, seconds) for deaf in (0, 1))
    what = f"write to {count} followers, {RATE} lines/s"
    for name, goal in (("p50", None), ("p99", Goal("most", 100)), ("max", None)):
        late = [each[name] for each in alone]
        yield Result("L6", f"{what}, {name}", "ms", late, goal=goal)
    yield Result("L6", f"{what}, the worker's CPU", "%", [each["cpu"] for each in alone], goal=Goal("most", 25))
    late = [each["p99"] for each in disturbed]
    yield Result(
        "L6",
        f"{what}, p99, and one that reads nothing",
        "ms",
        late,
        "without that one",
        [each["p99"] for each in alone],
        Goal("most", 100),
    )
    yield Note(
        f"L6: every {MARKED}th line was timed; of {RATE / MARKED:.0f} a second each follower got "
        f"{min(each['marks'] for each in alone):.0f} or more. The job's own supervisor process is not in the worker's CPU."
    )


def _rounds(bench, worker, job_id, count, deaf, seconds):
    port = worker.url.rpartition(":")[2]
    command = [
        sys.executable,
        "-m",
        "tests.benchmarks.logs.follower_clients",
        port,
        job_id,
        *map(str, (count, deaf, seconds)),
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as clients:
        try:
            clients.stdout.readline()  # the first stretch is not whole
            found = []
            for _ in range(bench.rounds):
                window = Window(worker=worker.pids)
                found.append(json.loads(clients.stdout.readline()) | {"cpu": window.shares()["worker"]})
            return found
        finally:
            clients.kill()
