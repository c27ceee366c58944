"""The last minute of a job is there while it runs, after its end, and after a restart of the worker."""

import sqlite3

import anyio
import pytest

from fluster.errors import InfrastructureError
from fluster.job import JobRequest, JobState
from fluster.store import Store

pytestmark = pytest.mark.anyio
PROGRAM = "open('file', 'wb').write(bytes(3 << 20)); kept = bytearray(30 << 20); import time; time.sleep(1)"


async def test_samples_outlive_the_job_and_the_worker(worker, runtime):
    async with worker(**runtime) as w:
        job = await w.wait(await w.submit("python", "-c", PROGRAM))
        samples = job["samples"]
        assert len(samples) >= 2
        assert [each["timestamp"] for each in samples] == sorted({each["timestamp"] for each in samples})
        assert samples[-1]["timestamp"] <= job["finished_at"] + 1000
        assert max(each["memory_bytes"] or 0 for each in samples) > 20 << 20
        assert samples[-1].keys() == {"timestamp", "memory_bytes", "cpu_cores", "processes", "disk_bytes"}
        assert max(each["disk_bytes"] or 0 for each in samples) >= job["resources"]["disk_bytes"] > 0
    async with worker(**runtime) as w:
        assert (await w.job(job["job_id"]))["samples"] == samples


async def test_a_job_that_never_ran_has_none_and_nothing_is_written_for_it(worker):
    async with worker() as w:
        job = await w.wait(await w.submit("no-such-program"))
        assert job["samples"] == []
        with sqlite3.connect(f"file:{w.settings.state_dir}/jobs.db?mode=ro", uri=True) as connection:
            assert connection.execute("SELECT count(*) FROM samples").fetchone() == (0,)
        connection.close()


async def test_a_forgotten_job_drops_its_samples(services, monkeypatch):
    monkeypatch.setattr("fluster.manager.upkeep._FORGET_SECONDS", 0.05)
    async with services(keep_jobs=1) as opened:
        manager = opened.manager
        first = await manager.submit(JobRequest(name="x", command=("sleep", "0.6")))
        assert (await manager.wait(first.id)).state is JobState.SUCCEEDED
        assert len(await manager.samples(first.id)) >= 2
        assert (await manager.wait((await manager.submit(JobRequest(name="x", command=("true",)))).id)).state.terminal
        with anyio.fail_after(20):
            while len(manager.list().jobs) > 1:
                await anyio.sleep(0.02)
        assert await manager.samples(first.id) == []
        assert await manager._parts.store.samples(first.id) == []


async def test_samples_that_cannot_be_kept_neither_delay_nor_lose_the_end_of_a_job(services, monkeypatch):
    save = Store.save
    tried = []

    async def failing(self, job, samples=()):
        if samples:
            tried.append(job.id)
            raise InfrastructureError("the store is full")
        await save(self, job)

    async def unreadable(self, job_id):
        raise InfrastructureError("the store cannot be read")

    monkeypatch.setattr(Store, "save", failing)
    monkeypatch.setattr(Store, "samples", unreadable)
    monkeypatch.setattr("fluster.manager.manager._RETRY_SECONDS", 600)
    async with services() as opened:
        job = await opened.manager.submit(JobRequest(name="x", command=("sleep", "0.6")))
        with anyio.fail_after(30):
            assert (await opened.manager.wait(job.id)).state is JobState.SUCCEEDED
        assert tried == [job.id]
        assert await opened.manager.samples(job.id) == []
        assert await opened.manager.samples("nobody") == []
