"""Thousands of finished jobs: what a scrape holds is bounded by retention, and what a worker remembers costs little."""

import ctypes
import gc
from collections import Counter

import anyio
import psutil
import pytest
from loguru import logger

from fluster.collectors import Format
from fluster.job import JobRequest

pytestmark = pytest.mark.anyio

JOBS = 4_000
EXPORTED = 500


def series_of_jobs(exposition):
    text = exposition.render(Format.TEXT).decode()
    return Counter(line.split("{")[0] for line in text.splitlines() if 'job_id="' in line)


def resident_bytes():
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    return psutil.Process().memory_info().rss


@pytest.mark.timeout(400)
async def test_thousands_of_finished_jobs_leave_series_and_memory_bounded(services):
    logger.disable("fluster")  # what pytest captures is not the worker's memory
    async with services(
        runtime="fake", max_jobs=64, queue_limit=JOBS, metrics_max_finished=EXPORTED, stats_interval=5
    ) as opened:
        manager = opened.manager

        async def run(first, last):
            for start in range(first, last, 500):
                ids = [f"job-{number}" for number in range(start, start + 500)]
                async with anyio.create_task_group() as tasks:
                    for job_id in ids:
                        tasks.start_soon(manager.submit, JobRequest(name="short", command=("x",)), job_id)
                for job_id in ids:
                    await manager.wait(job_id)

        await run(0, 1000)
        early, before = series_of_jobs(opened.exposition), resident_bytes()
        await run(1000, JOBS)
        late, after = series_of_jobs(opened.exposition), resident_bytes()
    logger.enable("fluster")
    each = (after - before) / (JOBS - 1000)
    print(
        f"resident {before / 2**20:.0f} MiB with 1,000 finished jobs, {after / 2**20:.0f} with {JOBS:,}: {each:.0f} bytes a job"
    )
    assert early == late
    assert late["fluster_job_info"] == EXPORTED
    assert late["fluster_job_state"] == EXPORTED * 8
    assert each < 8 * 1024
