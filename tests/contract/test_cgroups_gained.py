"""A worker that may make cgroups adopts the jobs of one that could not: they have none, and are sampled to their end."""

import os

import pytest

from fluster.job import Source
from fluster.runtime.process import ProcessRuntime

from .conftest import WORKER, Bench, until

pytestmark = pytest.mark.anyio
MIB = 1024 * 1024
PROGRAM = "held = b'x' * (50 << 20)\nimport os, time\nwhile not os.path.exists(os.environ['FLUSTER_OUTPUT_DIR'] + '/end'): time.sleep(0.01)"


@pytest.fixture(params=["process", pytest.param("docker", marks=pytest.mark.docker)])
def bench(request, tmp_path):
    """Its first runtime has no cgroups, the next ones have."""
    cgroups = iter([False, True])
    if request.param == "process":
        make = lambda: ProcessRuntime(WORKER, tmp_path / "work", use_cgroups=next(cgroups))  # noqa: E731
        return Bench("process", make, tmp_path)
    from fluster.runtime.docker import DockerRuntime

    engine, image = request.getfixturevalue("engine"), request.getfixturevalue("base_image")
    make = lambda: DockerRuntime(WORKER, base_url=engine, use_cgroups=next(cgroups))  # noqa: E731
    return Bench("docker", make, tmp_path, image)


async def test_a_job_without_a_cgroup_is_sampled_by_a_worker_that_has_cgroups(bench):
    await bench.runtime.open()
    spec = bench.spec(["python3", "-c", PROGRAM])
    handle = (await bench.runtime.start(spec)).handle
    await bench.runtime.close()
    bench.runtime = bench.make()
    await bench.runtime.open()
    assert bench.runtime.info.figures is Source.KERNEL
    execution = (await bench.runtime.recover({"job": spec}, {"job": handle}))["job"]
    reader = bench.runtime.reader(execution)
    await until(lambda: (reader.sample().memory_usage_bytes or 0) >= 50 * MIB)
    assert reader.figures().cpu_source is reader.figures().memory_peak_source is Source.SAMPLED
    (spec.workspace.output / "end").touch()
    result = await bench.runtime.wait(execution)
    assert result.exit_code == 0
    assert result.figures.cpu_seconds > 0
    assert result.figures.memory_peak_bytes >= 50 * MIB
    assert result.figures.cpu_source is Source.SAMPLED
    await bench.runtime.remove(execution)
    await bench.runtime.close()
    assert not os.path.exists(spec.workspace.control)
