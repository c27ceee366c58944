"""A disk limit holds for a job that was adopted, whatever else the new worker has to do at its start."""

import anyio
import pytest

from fluster.app import worker as app
from fluster.job import EndReason, JobRequest, Limits
from fluster.job.request import EnvironmentRequest
from fluster.runtime.fake import FakeRuntime

pytestmark = pytest.mark.anyio


async def test_a_still_tree_over_its_limit_is_found_after_a_restart(services, settings, monkeypatch):
    jobs = {}

    async def fake(_settings, _gpus=(), **_more):
        runtime = FakeRuntime(jobs=jobs)
        await runtime.open()
        return runtime

    monkeypatch.setattr(app, "open_runtime", fake)
    script = EnvironmentRequest(env_vars={"FAKE_SECONDS": "600"})
    lost = [f"lost{number}" for number in range(3)]
    async with services(runtime="fake", max_jobs=9, drain="leave") as first:
        limits = Limits(disk_bytes=1_000_000)
        await first.manager.submit(JobRequest(name="n", command=("x",), environment=script, limits=limits), "large")
        for job_id in lost:
            await first.manager.submit(JobRequest(name="n", command=("x",), environment=script), job_id)
        with anyio.fail_after(20):
            while not all(first.manager.get(job_id).handle for job_id in ("large", *lost)):
                await anyio.sleep(0.01)
    for job_id in lost:
        del jobs[job_id]
    (settings().state_dir / "work" / "large" / "output" / "file").write_bytes(b"x" * 5_000_000)
    async with services(runtime="fake", max_jobs=9) as second:
        with anyio.fail_after(30):
            assert (await second.manager.wait("large")).end_reason is EndReason.DISK_QUOTA
