"""One runtime after the other, all held to the same contract. A scenario is a shell command for the real ones, a script for the fake."""

import os
from contextlib import asynccontextmanager

import anyio
import pytest

from fluster.errors import JobError
from fluster.job import Limits
from fluster.runtime import ExecutionSpec, Workspace
from fluster.runtime.fake import FakeRuntime
from fluster.runtime.process import ProcessRuntime

WORKER = f"contract-{os.getpid()}"


async def until(condition, seconds=20):
    with anyio.fail_after(seconds):
        while not condition():
            await anyio.sleep(0.01)


class Bench:
    """A runtime and a way to make specs for it."""

    def __init__(self, name, make, root, image=""):
        self.name = name
        self.make = make
        self.root = root
        self.image = image
        self.runtime = make()

    @property
    def fake(self):
        return self.name == "fake"

    def spec(self, command, *, job_id="job", script=None, limits=None, env=None):
        workspace = Workspace(root=self.root / "work" / job_id)
        for directory in (workspace.source, workspace.output):
            directory.mkdir(parents=True, exist_ok=True)
        workspace.output.chmod(0o777)
        logs = self.root / "logs" / job_id
        logs.mkdir(parents=True, exist_ok=True)
        output = self.runtime.output_path or str(workspace.output)
        fake = {f"FAKE_{key}": value for key, value in (script or {}).items()} if self.fake else {}
        return ExecutionSpec(
            job_id=job_id,
            worker_id=WORKER,
            command=("sh", "-c", command) if isinstance(command, str) else tuple(command),
            env={
                "PYTHONUNBUFFERED": "1",
                "FLUSTER_JOB_ID": job_id,
                "FLUSTER_WORKER_ID": WORKER,
                "FLUSTER_OUTPUT_DIR": output,
                **fake,
                **(env or {}),
            },
            workspace=workspace,
            log_path=logs / "job.log",
            image=self.image,
            limits=limits or Limits(),
        )

    @asynccontextmanager
    async def started(self, *args, **kwargs):
        execution = await self.runtime.start(self.spec(*args, **kwargs))
        try:
            yield execution
        finally:
            await self.runtime.stop(execution, 0)
            try:
                await self.runtime.wait(execution)
            except JobError:
                assert execution  # the test has seen it, or looks for it
            finally:
                await self.runtime.remove(execution)

    async def run(self, *args, **kwargs):
        async with self.started(*args, **kwargs) as execution:
            return await self.runtime.wait(execution)


@pytest.fixture(
    params=[
        "fake",
        "process",
        "process without cgroups",
        pytest.param("docker", marks=pytest.mark.docker),
    ]
)
async def bench(request, tmp_path):
    if request.param == "fake":
        jobs = {}
        bench = Bench("fake", lambda: FakeRuntime(jobs=jobs), tmp_path)
    elif request.param == "docker":
        from fluster.runtime.docker import DockerRuntime

        engine, image = request.getfixturevalue("engine"), request.getfixturevalue("base_image")
        bench = Bench("docker", lambda: DockerRuntime(WORKER, base_url=engine), tmp_path, image)
    else:
        cgroups = request.param == "process"
        bench = Bench(request.param, lambda: ProcessRuntime(WORKER, tmp_path / "work", use_cgroups=cgroups), tmp_path)
    await bench.runtime.open()
    yield bench
    await bench.runtime.close()
