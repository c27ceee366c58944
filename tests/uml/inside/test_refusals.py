"""A machine that enforces nothing: whoever asks for a limit is told so, before anything runs."""

import pytest

from fluster.errors import UnschedulableError
from fluster.job import Limits, Source
from fluster.runtime.docker import DockerRuntime
from fluster.runtime.process import ProcessRuntime
from tests.contract.conftest import WORKER, Bench

pytestmark = pytest.mark.anyio
MIB = 1024 * 1024


@pytest.fixture
async def process(tmp_path):
    bench = Bench("process", lambda: ProcessRuntime(WORKER, tmp_path / "work"), tmp_path)
    await bench.runtime.open()
    yield bench
    await bench.runtime.close()


def test_there_are_no_controllers_here():
    with open("/sys/fs/cgroup/cgroup.controllers") as file:
        assert file.read().split() == []


@pytest.mark.parametrize(
    ("limits", "field"),
    [
        (Limits(memory_bytes=64 * MIB), "memory"),
        (Limits(max_processes=10), "processes"),
        (Limits(cpu_millicores=500), "cpus"),
    ],
)
async def test_the_docker_runtime_refuses_what_its_engine_would_ignore(engine, limits, field):
    runtime = DockerRuntime(WORKER, base_url=engine)
    await runtime.open()
    try:
        assert runtime.info.figures is Source.SAMPLED
        assert not {"cpu", "memory", "processes"} & set(runtime.info.enforced)
        assert any("not limit" in note for note in runtime.info.notes)
        runtime.check(Limits())
        with pytest.raises(UnschedulableError, match=f"^{field}: .* ignore this limit"):
            runtime.check(limits)
    finally:
        await runtime.close()


async def test_the_process_runtime_refuses_what_only_a_cgroup_could_hold(process):
    runtime = process.runtime
    assert runtime.info.figures is Source.SAMPLED
    assert runtime.info.enforced == ("disk",)
    assert any("cgroup controllers" in note for note in runtime.info.notes)
    assert any("RLIMIT_AS" in note for note in runtime.info.notes)
    runtime.check(Limits())
    with pytest.raises(UnschedulableError, match="^cpus: "):
        runtime.check(Limits(cpu_millicores=500))
    with pytest.raises(UnschedulableError, match="^processes: "):
        runtime.check(Limits(max_processes=10))


async def test_memory_is_limited_for_each_process_and_the_figures_are_sampled(process):
    program = "import sys\ntry: held = bytearray(400 << 20)\nexcept MemoryError: sys.exit(9)"
    limits = Limits(memory_bytes=200 * MIB)
    process.runtime.check(limits)
    result = await process.run(["/usr/bin/env", "python3", "-c", program], limits=limits)
    assert result.exit_code == 9
    assert result.figures.memory_peak_source is Source.SAMPLED
