"""L3: the last 1000 lines of a log of 1 GiB."""

import subprocess

from tests.benchmarks.logs.history import histories
from tests.benchmarks.logs.questions import asking, milliseconds
from tests.benchmarks.program import find
from tests.benchmarks.result import Goal, Result


def measure(bench):
    logs = histories(bench)
    plain = logs["one file"].path
    tail = [find("tail"), "-n", "1000", plain]
    found = bench.interleave(
        {
            **asking(logs, 1000, bench.pick(50, 2), tail=1000),
            "tail": lambda: milliseconds(lambda: subprocess.run(tail, capture_output=True, check=True), 5),
            "all": lambda: milliseconds(lambda: read_all(plain)),
        }
    )
    for shape in logs:
        what = f"last 1000 lines as entries, {shape}"
        yield Result("L3", what, "ms", found[shape], "reading all, split and parsed", found["all"], Goal("times", 5000))
        yield Result("L3", what, "ms", found[shape], "tail -n 1000, lines", found["tail"])
        yield Result("L3", what, "ms", found[shape], goal=Goal("most", 1))


def read_all(path):
    """What is simple, and enough for a small log."""
    with open(path, encoding="utf-8") as file:
        return [line.split(" ", 3) for line in file.read().splitlines()][-1000:]
