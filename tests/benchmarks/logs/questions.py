"""Asking a log as the worker does, in this process: the part of a query that takes its time, files opened and closed again."""

import time
from statistics import median

from fluster.logs import LogFilter
from fluster.logs.query import LogQuery


def page(history, **wanted):
    with LogQuery.open(history.build_path, history.path) as query:
        return query.page(LogFilter(**wanted)).entries


def milliseconds(work, times=1):
    """The median of so many turns."""
    found = []
    for _ in range(times):
        began = time.perf_counter()
        work()
        found.append((time.perf_counter() - began) * 1000)
    return median(found)


def asking(histories, expected, times=1, **wanted):
    """Sides of a comparison: shape -> callable that gives milliseconds. `expected` is how many entries must come."""
    for shape, history in histories.items():
        got = len(page(history, **wanted))
        if got != expected:
            raise AssertionError(f"{shape}: {got} entries for {wanted}, not {expected}")
    return {
        shape: lambda history=history: milliseconds(lambda: page(history, **wanted), times)
        for shape, history in histories.items()
    }
