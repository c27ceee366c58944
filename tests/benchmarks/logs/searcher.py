"""A process that searches a log and says how much its memory grew: python -m tests.benchmarks.logs.searcher ROOT JOB REGEX."""

import re
import sys
from pathlib import Path

import anyio

from fluster.logs import LogFilter, LogStore


def _kib(name):
    return int(re.search(rf"{name}:\s+(\d+) kB", Path("/proc/self/status").read_text())[1])


async def search(root, job_id, regex):
    store = LogStore(Path(root))
    await store.query(job_id, LogFilter(tail=1))  # what is loaded at the first question is no search's
    Path("/proc/self/clear_refs").write_text("5")
    before = _kib("VmRSS")
    await store.query(job_id, LogFilter(regex=regex))
    print((_kib("VmHWM") - before) / 1024)


if __name__ == "__main__":
    anyio.run(search, *sys.argv[1:])
