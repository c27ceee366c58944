"""Processes without cgroups: wait4's figures and those of /proc, each said to be sampled; what is not known is absent."""

import os
import signal

import pytest

from fluster.errors import InfrastructureError
from fluster.job import Source
from fluster.runtime.process import ProcessRuntime
from tests.contract.conftest import WORKER, Bench, until

pytestmark = pytest.mark.anyio
MIB = 1024 * 1024
KERNEL_ONLY = (
    "memory_working_set_bytes", "memory_cache_bytes", "memory_limit_hits", "oom_kills", "cpu_periods", "cpu_throttled_periods",
    "cpu_throttled_seconds", "block_read_bytes", "block_written_bytes", "network_receive_bytes", "network_transmit_bytes",
    "pressure_cpu_seconds", "pressure_memory_seconds", "pressure_io_seconds",
)  # fmt: skip


@pytest.fixture
async def bench(tmp_path):
    bench = Bench("process", lambda: ProcessRuntime(WORKER, tmp_path / "work", use_cgroups=False), tmp_path)
    await bench.runtime.open()
    yield bench
    await bench.runtime.close()


async def test_the_runtime_says_what_it_cannot(bench):
    info = bench.runtime.info
    assert (info.figures, info.cgroup_version, info.enforced) == (Source.SAMPLED, None, ("disk",))
    (note,) = info.notes
    assert all(
        word in note for word in ("for each process of a job alone", "CPU or of processes are refused", "sampled")
    )


async def test_final_figures_are_wait4s_and_say_that_they_are_sampled(bench):
    program = "import os\nheld = b'x' * (50 << 20)\nwhile sum(os.times()[:2]) < 0.3: pass"
    figures = (await bench.run(["python3", "-c", program])).figures
    assert 0.3 <= figures.cpu_seconds < 1
    assert 50 * MIB <= figures.memory_peak_bytes < 90 * MIB
    assert figures.cpu_source is figures.memory_peak_source is Source.SAMPLED
    assert figures.processes == figures.memory_usage_bytes == 0
    assert (figures.processes_peak, figures.processes_peak_source) == (None, None)
    assert {getattr(figures, each) for each in KERNEL_ONLY} == {None}


async def test_live_figures_say_that_they_are_sampled(bench):
    async with bench.started(["python3", "-c", "held = b'x' * (50 << 20)\nimport time; time.sleep(60)"]) as execution:
        reader = bench.runtime.reader(execution)
        await until(lambda: reader.sample().memory_usage_bytes >= 50 * MIB)
        figures = reader.figures()
        assert figures.memory_peak_source is figures.cpu_source is figures.processes_peak_source is Source.SAMPLED
        assert {getattr(figures, each) for each in KERNEL_ONLY} == {None}


async def test_a_job_that_lost_its_supervisor_has_not_used_nothing(bench):
    execution = await bench.runtime.start(
        bench.spec(["python3", "-c", "held = b'x' * (50 << 20)\nimport time; time.sleep(60)"])
    )
    try:
        reader = bench.runtime.reader(execution)
        await until(lambda: reader.sample().memory_usage_bytes >= 50 * MIB)
        before = reader.figures()
        os.kill(int(execution.handle.split(":")[0]), signal.SIGKILL)
        await until(lambda: not reader.sample().at_ns)
        assert reader.figures().memory_usage_bytes >= 50 * MIB
        assert reader.figures().cpu_seconds >= before.cpu_seconds
    finally:
        with pytest.raises(InfrastructureError):
            await bench.runtime.wait(execution)
        await bench.runtime.remove(execution)
