"""python -m tests.benchmarks.metrics.kept_jobs STATE_DIR: prints the bytes of Python objects that its remembered jobs take."""

import gc
import sys
import tracemalloc
from pathlib import Path

import anyio

from fluster.manager.table import JobTable
from fluster.store import Store


async def main(state_dir):
    tracemalloc.start()
    store = Store(state_dir / "jobs.db")
    table = JobTable()
    before = tracemalloc.get_traced_memory()[0]
    for job in store.open():
        table.put(job)
    del job
    gc.collect()
    print(tracemalloc.get_traced_memory()[0] - before)
    store.close()


if __name__ == "__main__":
    anyio.run(main, Path(sys.argv[1]))
