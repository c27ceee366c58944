"""The end of a job is on the disk before what tells of it is removed, and seen only after that."""

import anyio
import pytest

from fluster.app import worker as app
from fluster.job import JobRequest, JobState
from fluster.runtime.fake import FakeRuntime
from fluster.store import Store

pytestmark = pytest.mark.anyio


class Observed(FakeRuntime):
    """Holds its removals up until it is let go."""

    def __init__(self):
        super().__init__()
        self.removing, self.go = anyio.Event(), anyio.Event()

    async def remove(self, execution):
        self.removing.set()
        await self.go.wait()
        await super().remove(execution)


async def test_a_worker_that_dies_while_it_removes_a_job_has_told_its_end(services, settings, monkeypatch, tmp_path):
    runtime = Observed()

    async def observed(_settings, _gpus=(), **_more):
        await runtime.open()
        return runtime

    monkeypatch.setattr(app, "open_runtime", observed)
    async with services(runtime="fake") as opened:
        await opened.manager.submit(JobRequest(name="n", command=("x",)), "job")
        with anyio.fail_after(20):
            await runtime.removing.wait()
        assert opened.manager.get("job").state is JobState.RUNNING
        copy = tmp_path / "copy"
        copy.mkdir()
        for file in settings().state_dir.glob("jobs.db*"):
            (copy / file.name).write_bytes(file.read_bytes())
        runtime.go.set()
        with anyio.fail_after(20):
            assert (await opened.manager.wait("job")).state is JobState.SUCCEEDED
    # What a worker would find that was killed at that moment.
    store = Store(copy / "jobs.db")
    (job,) = store.open()
    store.close()
    assert job.state is JobState.SUCCEEDED
    assert job.exit_code == 0
    assert job.finished_ns


async def test_what_is_left_of_an_ended_job_is_cleared_away_at_the_next_start(services, settings):
    async with services(runtime="fake") as opened:
        await opened.manager.submit(JobRequest(name="n", command=("x",)), "job")
        await opened.manager.wait("job")
    left = settings().state_dir / "work" / "job" / "source"
    left.mkdir()
    (left / "file").write_text("x")
    async with services(runtime="fake"):
        assert not left.exists()
        assert (left.parent / "output").is_dir()
