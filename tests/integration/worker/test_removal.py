"""What a job leaves behind may be hard to remove: its end does not wait for that longer than it should."""

import threading

import anyio
import pytest
from loguru import logger

from fluster.job import JobRequest, JobState
from fluster.runtime.process import ProcessRuntime

pytestmark = pytest.mark.anyio


async def test_a_removal_that_hangs_keeps_no_job_from_ending_and_goes_on(services, monkeypatch):
    monkeypatch.setattr("fluster.supervisor.supervisor._CLEANUP_SECONDS", 0.1)
    go_on, removed = threading.Event(), threading.Event()
    remove = ProcessRuntime._remove

    def hanging(self, *args):
        go_on.wait(60)
        remove(self, *args)
        removed.set()

    monkeypatch.setattr(ProcessRuntime, "_remove", hanging)
    said = []
    sink = logger.add(said.append, format="{message}")
    try:
        async with services() as opened:
            job = await opened.manager.submit(JobRequest(name="x", command=("true",)))
            with anyio.fail_after(20):
                ended = await opened.manager.wait(job.id)
            assert ended.state is JobState.SUCCEEDED
            assert not removed.is_set()
            outcomes = opened.manager._parts.runtime.operations.snapshot()
            assert (outcomes["remove", "ok"], outcomes["remove", "error"]) == (0, 1)
            go_on.set()
            assert await anyio.to_thread.run_sync(removed.wait, 20)
    finally:
        go_on.set()
        logger.remove(sink)
    assert [line for line in said if f"job {job.id} takes longer than" in line]
