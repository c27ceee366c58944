"""The docker runtime on a real engine, and the engine's own client beside it."""

import docker
import pytest

from fluster.runtime.docker import DockerRuntime
from tests.contract.conftest import WORKER, Bench


def make_bench(engine, base_image, root, **options):
    return Bench("docker", lambda: DockerRuntime(WORKER, base_url=engine, **options), root, base_image)


@pytest.fixture
async def bench(engine, base_image, tmp_path):
    bench = make_bench(engine, base_image, tmp_path)
    await bench.runtime.open()
    yield bench
    await bench.runtime.close()


@pytest.fixture
def sdk(engine):
    client = docker.APIClient(base_url=engine)
    yield client
    client.close()
