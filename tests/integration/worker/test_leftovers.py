"""What a crash leaves behind: found at the next start, its figures read, then removed. What cannot be watched leaves nothing."""

import errno
import os
import signal

import anyio
import docker
import pytest

from fluster.runtime import Point
from fluster.runtime.docker import DockerRuntime
from fluster.runtime.fake.runtime import _FakeReader
from fluster.runtime.process import ProcessRuntime
from tests.integration.worker.conftest import cgroups_of

pytestmark = pytest.mark.anyio
PROGRAM = "held = b'x' * (50 << 20)\nimport time\nprint('ready', flush=True)\ntime.sleep(600)"


def lose(job, runtime):
    """What runs the job goes away while no worker is there."""
    if runtime["runtime"] == "process":
        pid = int(job.handle.split(":")[0])
        os.kill(pid, signal.SIGKILL)
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    else:
        client = docker.APIClient(base_url=os.environ["DOCKER_HOST"])
        client.remove_container(job.handle, force=True)
        client.close()


async def test_a_job_that_vanished_while_the_worker_was_down_keeps_the_kernels_figures(worker, services, runtime):
    async with worker(**runtime, drain="leave") as w:
        job_id = await w.submit("python3", "-c", PROGRAM)
        await w.until(job_id, "running")
        with anyio.fail_after(20):
            while await w.lines(job_id, source="stdout") != ["ready"]:
                await anyio.sleep(0.02)
        worker_id = w.settings.worker_id
    async with services(**runtime, drain="leave") as parts:
        found = parts.manager.get(job_id)
    lose(found, runtime)
    async with worker(**runtime) as w:
        job = await w.wait(job_id)
        assert (job["status"], job["end_reason"]) == ("worker_failed", "infrastructure")
        assert job["resources"]["memory_peak_bytes"] >= 50 * 1024**2
        assert job["resources"]["memory_peak_source"] == job["resources"]["cpu_source"] == "kernel"
        assert job["resources"]["cpu_user_seconds"] + job["resources"]["cpu_system_seconds"] > 0
        assert await w.lines(job_id, source="stdout") == ["ready"]
        assert 'fluster_jobs_recovered_total{outcome="lost"} 1\n' in await w.metrics()
        assert cgroups_of(worker_id) == []


async def test_the_last_figures_of_a_lost_job_are_the_runtimes_own(worker, monkeypatch):
    """Even where no sample was taken."""
    monkeypatch.setattr(_FakeReader, "sample", lambda _self: Point(0))
    async with worker(runtime="fake") as w:
        variables = {"FAKE_FAIL": "vanish", "FAKE_CPU_SECONDS": "2", "FAKE_MEMORY_PEAK": "70m"}
        job = await w.wait(await w.submit("x", environment={"envVars": variables}))
        assert (job["status"], job["end_reason"]) == ("worker_failed", "infrastructure")
        assert job["resources"]["memory_peak_bytes"] == 70 * 1024**2
        assert job["resources"]["cpu_user_seconds"] + job["resources"]["cpu_system_seconds"] == 2


async def test_a_job_whose_figures_cannot_be_read_is_ended_and_nothing_of_it_is_left(worker, runtime, monkeypatch):
    def reader(_self, _execution):
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    async with worker(**runtime) as w:
        with monkeypatch.context() as patched:
            for kind in (ProcessRuntime, DockerRuntime):
                patched.setattr(kind, "reader", reader)
            job = await w.wait(await w.submit("sleep", "600"))
        assert (job["status"], job["end_reason"]) == ("worker_failed", "infrastructure")
        assert "Too many open files" in job["error"]
        assert job["resources"]["cpu_source"] == "kernel"
        assert cgroups_of(w.settings.worker_id) == []
        if runtime["runtime"] == "docker":
            client = docker.APIClient(base_url=os.environ["DOCKER_HOST"])
            assert client.containers(all=True, filters={"label": f"fluster.job_id={job['job_id']}"}) == []
            client.close()
        assert (await w.wait(await w.submit("true")))["status"] == "succeeded"
