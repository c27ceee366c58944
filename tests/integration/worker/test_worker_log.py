"""What the worker's log tells about its jobs."""

import functools
import re

import anyio
import pytest
from loguru import logger

from fluster.runtime.fake import FakeRuntime
from fluster.runtime.process import ProcessRuntime

pytestmark = pytest.mark.anyio


@pytest.fixture
def said():
    """(job, phase, message) of each line."""
    lines = []

    def take(message):
        record = message.record
        lines.append((record["extra"].get("job_id"), record["extra"].get("phase"), record["message"]))

    sink = logger.add(take, level="INFO", format="{message}")
    yield lines
    logger.remove(sink)


async def test_the_life_of_a_job_can_be_read(worker, said):
    async with worker() as w:
        job = await w.submit("sh", "-c", "echo said by the job; exit 7", name="short", envVars={"A": "a-long-secret"})
        await w.wait(job)
    mine = [(phase, message) for job_id, phase, message in said if job_id == job]
    assert [phase for phase, _ in mine] == ["pending", "building", "running", "ended"]
    for (_, message), pattern in zip(
        mine,
        (
            rf"job {job} accepted \(short\)",
            rf"job {job} built in [\d.]+ m?s, cache miss",
            rf"job {job} started",
            rf"job {job} ended: failed, reason exit_code, exit code 7, waited [\d.]+ m?s, built [\d.]+ m?s, ran [\d.]+ m?s, memory peak .*",
        ),
        strict=True,
    ):
        assert re.fullmatch(pattern, message)
    assert not any("said by the job" in message or "a-long-secret" in message for _, _, message in said)


async def test_a_line_of_any_part_on_a_job_s_way_is_bound(worker, said, monkeypatch):
    """In its tasks and their threads: whoever adds one cannot forget it."""
    for name in ("start", "wait", "stop", "remove"):
        method = getattr(ProcessRuntime, name)

        def talking(name, method):
            @functools.wraps(method)
            async def wrapped(self, *arguments):
                logger.info("task {}", name)
                await anyio.to_thread.run_sync(logger.info, f"thread {name}")
                return await method(self, *arguments)

            return wrapped

        monkeypatch.setattr(ProcessRuntime, name, talking(name, method))
    async with worker(max_jobs=1) as w:
        # The second one is started from within the end of the first.
        first, second = [await w.submit("sleep", "60", gracePeriodSeconds=1) for _ in range(2)]
        for job in (first, second):
            await w.until(job, "running")
            await w.http.post(f"/api/jobs/{job}/kill")
            await w.wait(job)
    for job in (first, second):
        told = {message: phase for job_id, phase, message in said if job_id == job}
        for name, phase in (("start", "building"), ("wait", "running"), ("stop", "running"), ("remove", "ended")):
            assert (told[f"task {name}"], told[f"thread {name}"]) == (phase, phase)
    assert all(job_id in {first, second} for job_id, _, message in said if message.startswith(("task ", "thread ")))


async def test_a_fault_of_the_worker_is_told_in_the_phase_where_it_was(worker, said, monkeypatch):
    async def broken(self, *arguments):
        raise LookupError("a fault")

    monkeypatch.setattr(FakeRuntime, "wait", broken)
    async with worker(runtime="fake") as w:
        job = await w.submit("x")
        assert (await w.wait(job))["status"] == "worker_failed"
    mine = [(phase, message) for job_id, phase, message in said if job_id == job]
    assert ("running", f"the supervisor of job {job} failed") in mine
    phase, end = mine[-1]
    assert phase == "ended"
    assert (
        "worker_failed, reason infrastructure, the worker failed with LookupError; its own log has the details" in end
    )


async def test_a_job_that_outlived_its_worker_is_told_of(worker, said):
    async with worker(drain="leave") as w:
        job = await w.submit("sleep", "60")
        await w.until(job, "running")
    async with worker() as w:
        await w.until(job, "running")
    assert (job, "running", f"job {job} adopted: it ran on while no worker did") in said
    assert said[-1][:2] == (job, "ended")
