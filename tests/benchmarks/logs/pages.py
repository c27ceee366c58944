"""L4: a page of 100 lines at three quarters of a log of 1 GiB, found by the number of its first line or by its time."""

from itertools import islice

from fluster.cri import read_counts
from fluster.cri.marks import marks_path
from tests.benchmarks.logs.history import BEGIN_NS, LINE_NS, histories
from tests.benchmarks.logs.questions import asking, milliseconds
from tests.benchmarks.result import Goal, Result


def measure(bench):
    logs = histories(bench)
    plain = logs["one file"]
    line, times = plain.lines * 3 // 4 + 777, bench.pick(50, 2)
    found = {
        "number": asking(logs, 100, times, start_line=line, max_lines=100),
        "time": asking(logs, 100, times, since_ns=BEGIN_NS + line * LINE_NS, max_lines=100),
    }
    by = {
        key: bench.interleave({**sides, "islice": lambda: milliseconds(lambda: _islice(plain.path, line))})
        for key, sides in found.items()
    }
    for key, rounds in by.items():
        for shape in logs:
            what = f"100 lines at 75 % by {key}, {shape}"
            yield Result("L4", what, "ms", rounds[shape], "islice of the open file", rounds["islice"])
            yield Result("L4", what, "ms", rounds[shape], goal=Goal("most", 1))
    for shape, history in logs.items():
        what = f"index, made while writing, {shape}"
        yield Result("L4", what, "% of the log", [_index_share(history)], goal=Goal("most", 0.01))


def _islice(path, line):
    with open(path, "rb") as file:
        return list(islice(file, line, line + 100))


def _index_share(history):
    with open(marks_path(history.path), "rb") as index:
        return index.seek(0, 2) / read_counts(history.path).end * 100
