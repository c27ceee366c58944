"""M3: jobs as text, by Fluster and by the library, from the same data and with the same samples when read again."""

import time

from fluster.collectors.exposition import jobs_lines
from fluster.collectors.text import Format
from tests.benchmarks.metrics.jobs import make_jobs
from tests.benchmarks.result import Goal, Note, Result
from tests.unit.collectors.library import RENDER, Registry, library_families, read

NAMES = {Format.TEXT: "text", Format.OPENMETRICS: "OpenMetrics"}


def ours(jobs, form):
    return f"{''.join(jobs_lines(jobs, form))}{form.end}".encode()


def timed(work):
    """CPU milliseconds of this thread."""
    began = time.thread_time()
    work()
    return (time.thread_time() - began) * 1000


def samples_of(body):
    return sum(not line.startswith(b"#") for line in body.splitlines())


def measure(bench):
    for live in (True, False):
        jobs = make_jobs(bench.pick(1000, 20), live=live)
        for form in Format:
            yield from _compare(bench, jobs, form, "live" if live else "finished")
    yield Note(
        "M3: \"families ready\" leaves out of the library's time what Fluster's has in it: taking the values from the jobs. "
        "The samples of both were read by the library's parsers and are the same."
    )


def _compare(bench, jobs, form, kind):
    ready = Registry(library_families(jobs))
    mine, library = ours(jobs, form), RENDER[form](ready)
    if read(mine.decode(), form) != read(library.decode(), form):
        raise AssertionError(f"{NAMES[form]}: the samples are not the library's")
    found = bench.interleave(
        {
            "ours": lambda: timed(lambda: ours(jobs, form)),
            "ready": lambda: timed(lambda: RENDER[form](ready)),
            "made": lambda: timed(lambda: RENDER[form](Registry(library_families(jobs)))),
        }
    )
    count = samples_of(mine)
    what = f"render {len(jobs)} {kind} jobs, {NAMES[form]}, {count} samples"
    yield Result(
        "M3", what, "ms", found["ours"], "prometheus-client, families ready", found["ready"], Goal("times", 10)
    )
    yield Result("M3", what, "ms", found["ours"], "prometheus-client, families made of the jobs", found["made"])
    yield Result(
        "M3", f"bytes of a sample, {kind} jobs, {NAMES[form]}", "B", [len(mine) / count], "prometheus-client",
        [len(library) / count], Goal("share", 1.0),
    )  # fmt: skip
