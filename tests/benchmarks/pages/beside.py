"""Two figures of a page side by side: as a ratio, or as two lines where the baseline is 0 in some round and a ratio says nothing."""

from tests.benchmarks.result import Result


def beside(row, what, unit, ours, baseline, theirs):
    if all(theirs):
        yield Result(row, what, unit, ours, baseline, theirs, good="more")
    else:
        yield Result(row, what, unit, ours)
        yield Result(row, f"{what}; {baseline}", unit, theirs)
