"""An engine that is not there, or not any more."""

import os

import pytest
import requests

from fluster.errors import EngineUnavailableError
from fluster.runtime.docker import DockerRuntime
from tests.contract.conftest import WORKER
from tests.contract.test_runtime import directories_of

pytestmark = pytest.mark.anyio


async def test_no_engine_at_all_is_one_sentence(tmp_path):
    runtime = DockerRuntime("w", base_url=f"unix://{tmp_path}/none.sock")
    with pytest.raises(EngineUnavailableError, match="start it, or use --runtime process"):
        await runtime.open()


async def test_what_the_worker_holds_of_a_job_goes_though_the_engine_does_not_answer(bench, monkeypatch):
    def away(*_args, **_kwargs):
        raise requests.exceptions.ConnectionError("the test says so")

    def held():
        """Descriptors of the job's cgroup, and of its network."""
        targets = [os.path.realpath(f"/proc/self/fd/{each}") for each in os.listdir("/proc/self/fd")]
        return [each for each in targets if f"{WORKER}/job/" in each or each.endswith("/net/dev")]

    execution = await bench.runtime.start(bench.spec(["sleep", "600"]))
    assert len(held()) > 10
    with monkeypatch.context() as patched:
        patched.setattr(bench.runtime._client, "remove_container", away)
        with pytest.raises(EngineUnavailableError):
            await bench.runtime.remove(execution)
    assert held() == directories_of("job") == []
    await bench.runtime.remove(execution)
