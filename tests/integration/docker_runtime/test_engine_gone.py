"""An engine that goes away under a running job: the clear reason, and a worker that goes on."""

import anyio
import pytest

from fluster.errors import EngineUnavailableError
from fluster.runtime.docker import DockerRuntime
from tests.contract.conftest import WORKER, Bench
from tests.engine import base_image as image
from tests.engine.daemon import private_engine

pytestmark = [pytest.mark.anyio, pytest.mark.docker]


async def test_the_engine_goes_away_while_a_job_runs(engine, tmp_path, monkeypatch):
    monkeypatch.setattr("fluster.runtime.docker.capture._AWAY_SECONDS", 1.0)
    with private_engine() as url:
        await anyio.to_thread.run_sync(lambda: image.ensure(environment={"DOCKER_HOST": url}))
        worker = f"{WORKER}-gone"
        bench = Bench("docker", lambda: DockerRuntime(worker, base_url=url), tmp_path, image.NAME)
        await bench.runtime.open()
        execution = await bench.runtime.start(bench.spec("sleep 600"))
        await bench.runtime.ping()
    try:
        with anyio.fail_after(60), pytest.raises(EngineUnavailableError, match="did not answer|does not answer"):
            await bench.runtime.wait(execution)
        with pytest.raises(EngineUnavailableError, match="does not answer"):
            await bench.runtime.ping()
        with pytest.raises(EngineUnavailableError):
            await bench.runtime.start(bench.spec("true", job_id="next"))
    finally:
        await bench.runtime.close()


async def test_no_engine_at_all_is_one_sentence(tmp_path):
    runtime = DockerRuntime(WORKER, base_url=f"unix://{tmp_path}/none.sock")
    with pytest.raises(EngineUnavailableError, match="start it, or use --runtime process"):
        await runtime.open()
