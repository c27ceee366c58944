"""M8: how rendering grows with the number of jobs, and what a finished job takes of memory."""

import subprocess
import sys
import time
from pathlib import Path

from fluster.collectors.text import Format
from tests.benchmarks import worker as workers
from tests.benchmarks.metrics.jobs import make_jobs, remember
from tests.benchmarks.metrics.rendering import ours, timed
from tests.benchmarks.result import Goal, Note, Result
from tests.unit.collectors.library import RENDER, Registry, library_families


def measure(bench):
    yield from _rendering(bench)
    yield from _memory(bench)


def _rendering(bench):
    form, sides = Format.TEXT, {}
    counts = (10, 100, 1000, 5000) if not bench.quick else (5, 10, 20, 50)
    for count in counts:
        jobs, turns = make_jobs(count), max(counts[2] // count, 1)
        ready = Registry(library_families(jobs))
        sides["fluster", count] = lambda jobs=jobs, turns=turns: _each(lambda: ours(jobs, form), turns) / len(jobs)
        sides["library", count] = lambda ready=ready, turns=turns, count=count: (
            _each(lambda: RENDER[form](ready), turns) / count
        )
    found = bench.interleave(sides)
    for count in counts:
        yield Result(
            "M8",
            f"rendering, for each of {count} jobs",
            "µs",
            found["fluster", count],
            "prometheus-client",
            found["library", count],
        )
    last, base = counts[3], counts[2]
    yield Result(
        "M8", f"growth: for each of {last} jobs against each of {base}", "µs", found["fluster", last],
        f"Fluster with {base} jobs", found["fluster", base], Goal("share", 1.25),
    )  # fmt: skip
    yield Note("M8: linear is taken as: with five times the jobs each costs at most 1.25 x.")


def _each(work, turns):
    """CPU microseconds of one turn."""
    return timed(lambda: [work() for _ in range(turns)]) * 1000 / turns


def _memory(bench):
    count, rounds = bench.pick(10_000, 200), bench.rounds
    folder = bench.folder()
    remember(folder / "many", make_jobs(count))
    command = [sys.executable, "-m", "tests.benchmarks.metrics.kept_jobs", str(folder / "many")]
    objects = float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    yield Result(
        "M8",
        f"memory of a finished job, {count} of them loaded, objects",
        "B",
        [objects / count],
        goal=Goal("most", 4096),
    )
    growth, scraped = [], []
    for number in range(rounds):
        remember(folder / f"state-{number}" / "many" / "state", make_jobs(count))
        none, many = (_resident(folder / f"state-{number}" / name) for name in ("none", "many"))
        growth.append((many[0] - none[0]) / count)
        scraped.append((many[1] - none[1]) / count)
    yield Result("M8", f"the same, growth of a worker's memory, {count} jobs", "B", growth, goal=Goal("most", 4096))
    yield Result("M8", "the same after a scrape, which holds its text for a moment", "B", scraped)


def _resident(folder):
    """Bytes of a worker that knows the jobs of this state: at rest, and once it has answered a scrape."""
    folder.mkdir(parents=True, exist_ok=True)
    with workers.started(folder, runtime="fake", worker_id="bench-growth") as worker:
        time.sleep(0.5)
        at_rest = _bytes(worker)
        worker.ask("/metrics")
        return at_rest, _bytes(worker)


def _bytes(worker):
    status = Path(f"/proc/{worker.pid}/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS"))) * 1024
