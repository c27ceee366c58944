"""The engine's systemd cgroup driver on a machine that a real systemd runs: a job has a slice of its own."""

import os
import subprocess

import pytest

from fluster.job import Limits, Source
from fluster.runtime.docker import DockerRuntime
from tests.contract.conftest import WORKER
from tests.truth.conftest import MIB, Truth, cpu, empty_image, memory, program

__all__ = ["empty_image", "program"]

pytestmark = pytest.mark.anyio
ROOT = "/sys/fs/cgroup/fluster.slice"
JOB = "a-b.c_d--e-"


def slices():
    """Directories of jobs' slices."""
    return [each for root, names, _ in os.walk(ROOT) for each in names if each.count("-") == 2]


def units():
    done = subprocess.run(
        ["systemctl", "list-units", "--all", "--plain", "--no-legend", "fluster-*-*.slice"],
        capture_output=True,
        text=True,
        check=True,
    )
    return [line.split()[0] for line in done.stdout.splitlines()]


@pytest.fixture
async def truth(engine, empty_image, program, tmp_path):
    bench = Truth("docker", lambda: DockerRuntime(WORKER, base_url=engine), tmp_path, empty_image, program)
    await bench.runtime.open()
    bench.sampler.start()
    yield bench
    bench.sampler.stop()
    await bench.runtime.close()


async def test_the_figures_are_the_kernels_and_all_limits_hold(truth):
    info = truth.runtime.info
    assert truth.runtime._engine["CgroupDriver"] == "systemd"
    assert info.figures is Source.KERNEL
    assert set(info.enforced) >= {"cpu", "memory", "processes"}
    assert info.notes == ()


async def test_a_short_job_is_accounted_after_its_end_and_its_slice_is_gone(truth):
    outcome = await truth.measure("memory", 64, 5, job_id=JOB)
    assert outcome.figures.memory_peak_source is Source.KERNEL
    assert 64 * MIB <= outcome.figures.memory_peak_bytes == memory(64 * MIB)
    assert slices() == []
    assert units() == []


async def test_cpu_time_is_exact_and_throttled_at_the_slice(truth):
    limits = Limits(cpu_millicores=250, memory_bytes=128 * MIB, max_processes=20)
    outcome = await truth.measure_cpu("burn", 300, 0, limits=limits)
    figures = outcome.figures
    assert outcome.counted_seconds == cpu(outcome.cpu_seconds)
    assert outcome.cpu_seconds / (outcome.number("wall") / 1e9) <= 0.25 * 1.1 + 0.02
    assert 5 <= figures.cpu_throttled_periods <= figures.cpu_periods
    assert figures.memory_limit_hits == 0


async def test_a_kill_for_memory_is_found_at_the_slice(truth):
    outcome = await truth.measure("memory", 100, 100, job_id=JOB, limits=Limits(memory_bytes=64 * MIB))
    assert outcome.result.exit_code == 137
    assert outcome.result.oom_killed
    assert outcome.figures.oom_kills == 1
    assert outcome.figures.memory_peak_bytes == memory(64 * MIB)


async def test_systemd_reads_its_units_again_and_the_limits_stay(truth):
    """Limits that are no whole pages, too: the kernel rounds them down."""
    spec = truth.spec(["memory", 8, 600_000], job_id=JOB, limits=Limits(memory_bytes=64 * MIB + 1000))
    execution = await truth.runtime.start(spec)
    try:
        (slice_,) = slices()
        subprocess.run(["systemctl", "daemon-reload"], check=True)
        found = [root for root, _, _ in os.walk(ROOT) if os.path.basename(root) == slice_]
        with open(f"{found[0]}/memory.max") as file:
            assert int(file.read()) == 64 * MIB
    finally:
        await truth.runtime.stop(execution, 0)
        await truth.runtime.wait(execution)
        await truth.runtime.remove(execution)


async def test_what_a_crash_left_is_found_and_removed(truth):
    spec = truth.spec(["memory", 8, 600_000], job_id=JOB)
    await truth.runtime.start(spec)
    assert len(slices()) == 1
    successor = truth.make()
    await successor.open()
    try:
        assert successor._accounts.job_ids() == {JOB}
        assert await successor.recover({}, {}) == {}
        assert successor.orphans_removed == 1
        assert slices() == []
        assert units() == []
    finally:
        await successor.close()
