"""Where the worker owns no cgroup: all that the engine's statistics tell, said to be sampled, and nothing that they do not."""

import pytest

from fluster.job import Figures, Limits, Source
from tests.contract.conftest import until
from tests.integration.docker_runtime.conftest import make_bench

pytestmark = [pytest.mark.anyio, pytest.mark.docker]
MIB = 1024 * 1024


@pytest.fixture
async def bench(engine, base_image, tmp_path):
    bench = make_bench(engine, base_image, tmp_path, use_cgroups=False)
    await bench.runtime.open()
    yield bench
    await bench.runtime.close()


async def test_the_last_full_document_stands_once_the_container_is_gone(bench):
    program = (
        "import os, socket, time\n"
        "held = b'x' * (50 << 20)\n"
        "with open('/written', 'wb') as file: file.write(held[:10 << 20]); file.flush(); os.fsync(file.fileno())\n"
        "with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:\n"
        "    for _ in range(1000): s.sendto(b'x' * 1000, ('192.0.2.1', 9)); time.sleep(0.0002)\n"
        "while sum(os.times()[:2]) < 0.3: pass\n"
        "time.sleep(60)\n"
    )
    limits = Limits(cpu_millicores=500)
    async with bench.started(["python3", "-c", program], limits=limits) as execution:
        reader = bench.runtime.reader(execution)
        await until(lambda: (reader.figures().network_transmit_bytes or 0) > 900_000)
        await until(lambda: (reader.figures().cpu_seconds or 0) > 0.3)
        live = reader.figures()
        await bench.runtime.stop(execution, 0)
        result = await bench.runtime.wait(execution)
    last = result.figures
    assert last.sampled_at_ns == result.finished_ns
    assert last.memory_peak_bytes >= live.memory_usage_bytes >= 50 * MIB
    assert last.memory_anon_bytes >= 50 * MIB
    assert last.cpu_seconds >= live.cpu_seconds
    assert last.processes_peak >= live.processes >= 2
    assert last.network_transmit_bytes == pytest.approx(1_042_000, rel=0.05)
    assert last.network_receive_bytes is not None
    assert last.block_written_bytes >= 10 * MIB
    assert last.cpu_periods > 0
    assert last.cpu_throttled_seconds is not None
    assert last.memory_peak_source is last.cpu_source is last.processes_peak_source is Source.SAMPLED
    assert last.oom_kills is None
    assert last.pressure_cpu_seconds is None


async def test_a_job_that_ends_before_the_first_document_has_no_figures_instead_of_zeros(bench):
    result = await bench.run(["true"])
    assert (result.exit_code, result.oom_killed) == (0, False)
    if result.figures.memory_usage_bytes is None:
        assert result.figures == Figures()  # nothing was read: no time of a reading either
    else:
        assert result.figures.memory_peak_bytes > 0
        assert result.figures.cpu_seconds > 0


async def test_figures_go_on_after_the_engines_stream_broke_off(bench, monkeypatch):
    """An engine that is restarted ends its streams; with live-restore the container goes on."""
    runtime = bench.runtime
    stats, opened = runtime._client.stats, []

    def broken(*args, **kwargs):
        opened.append(1)
        documents = stats(*args, **kwargs)
        if len(opened) == 1:
            yield next(documents)
        else:
            yield from documents

    monkeypatch.setattr(runtime._client, "stats", broken)
    async with bench.started(["sleep", "60"]) as execution:
        reader = runtime.reader(execution)
        await until(lambda: len(opened) > 1)
        before = reader.figures().sampled_at_ns
        await until(lambda: reader.figures().sampled_at_ns > before)
