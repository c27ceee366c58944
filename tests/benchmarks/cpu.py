"""CPU time of processes to the nanosecond, threads that ended included: the kernel's clock of each process."""

import time
from pathlib import Path


def cpu_seconds(pids):
    """What these processes used up to now; one that is gone counts nothing."""
    total = 0
    for pid in pids:
        try:
            total += time.clock_gettime_ns(
                (~pid << 3) | 2
            )  # CPUCLOCK_SCHED of another process, see clock_getcpuclockid(3)
        except OSError:
            continue
    return total / 1e9


def with_children(pid):
    """The process and all that live below it now."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
    found, todo = set(), [pid]
    while todo:
        each = todo.pop()
        found.add(each)
        todo += [child for child, parent in parents.items() if parent == each]
    return found


class Window:
    """CPU shares of several groups of processes over the same stretch of time, in percent of a core."""

    def __init__(self, **groups):
        """`groups`: name -> callable that gives pids; asked at both ends, so that a late child is seen."""
        self._groups = groups
        self._began = time.monotonic()
        self._before = {name: cpu_seconds(pids()) for name, pids in groups.items()}

    def shares(self):
        seconds = time.monotonic() - self._began
        return {
            name: max(cpu_seconds(pids()) - self._before[name], 0.0) / seconds * 100
            for name, pids in self._groups.items()
        }


def shares_over(seconds, **groups):
    window = Window(**groups)
    time.sleep(seconds)
    return window.shares()
