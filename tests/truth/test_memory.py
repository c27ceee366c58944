"""Memory: the kernel's peak, and the sampled ones beside it, against programs that touch a known amount."""

import random

import anyio
import pytest

from fluster.job import Limits, Source

from .conftest import MIB, memory

pytestmark = [pytest.mark.anyio, pytest.mark.cgroup]


async def test_a_peak_of_five_milliseconds_is_the_peak(truth):
    outcome = await truth.measure("memory", 64, 5)
    assert outcome.figures.memory_peak_source is Source.KERNEL
    assert 64 * MIB <= outcome.figures.memory_peak_bytes == memory(64 * MIB)
    assert outcome.figures.memory_limit_hits == 0
    assert outcome.figures.oom_kills == 0


async def test_what_only_sampling_sees_is_seen_in_a_job_that_lives_a_while(truth, many):
    milliseconds = 10_000 if many >= 100 else 1500
    figures = (await truth.measure("memory", 100, milliseconds)).figures
    assert 100 * MIB <= figures.memory_peak_bytes == memory(100 * MIB)
    assert figures.memory_anon_peak_bytes == memory(100 * MIB)
    assert figures.memory_working_set_peak_bytes == memory(100 * MIB)


async def test_no_spike_of_many_short_jobs_is_missed(truth, many):
    """Each job holds its memory for five milliseconds, at a time and in an amount that nobody foresees."""
    chance = random.Random(20)
    count = many if truth.name == "process" else max(many // 2, 3)
    sizes = {f"spike{number}": chance.randrange(8, 129) for number in range(count)}
    peaks = {}
    at_once = anyio.CapacityLimiter(4)

    async def spike(job_id, mib):
        async with at_once:
            await anyio.sleep(chance.random() / 20)
            peaks[job_id] = (await truth.measure("memory", mib, 5, job_id=job_id)).figures.memory_peak_bytes

    async with anyio.create_task_group() as tasks:
        for job_id, mib in sizes.items():
            tasks.start_soon(spike, job_id, mib)
    wrong = {
        job_id: (mib, peaks[job_id] / MIB)
        for job_id, mib in sizes.items()
        if peaks[job_id] < mib * MIB or peaks[job_id] != memory(mib * MIB)
    }
    assert wrong == {}
    assert len(peaks) == count


async def test_files_written_through_the_cache_count_in_the_peak_and_not_as_anonymous(truth):
    outcome = await truth.measure("spill", 64, f"{truth.output()}/file")
    assert outcome.result.exit_code == 0
    assert outcome.figures.memory_peak_bytes >= 60 * MIB
    assert (outcome.figures.memory_anon_peak_bytes or 0) < 8 * MIB


async def test_a_limit_that_is_hit_without_a_kill_says_so(truth):
    """Page cache beyond the limit is given back, and the kernel counts how often that was needed."""
    limits = Limits(memory_bytes=24 * MIB)
    figures = (await truth.measure("spill", 96, f"{truth.output()}/file", limits=limits)).figures
    assert figures.memory_limit_hits > 0
    assert figures.oom_kills == 0
    assert figures.memory_peak_bytes == memory(24 * MIB)


async def test_every_child_killed_for_memory_is_counted_and_the_job_lives(truth):
    outcome = await truth.measure("eat", 3, 100, limits=Limits(memory_bytes=64 * MIB))
    assert outcome.number("killed") == 3
    assert outcome.figures.oom_kills == 3
    assert outcome.figures.memory_limit_hits > 0
    assert outcome.figures.memory_peak_bytes == memory(64 * MIB)
    assert outcome.result.exit_code == 0
    assert not outcome.result.oom_killed


async def test_children_killed_at_the_same_time_are_counted_each(truth):
    outcome = await truth.measure("eat-together", 6, 30, limits=Limits(memory_bytes=64 * MIB))
    assert outcome.number("killed") >= 2
    assert outcome.figures.oom_kills == outcome.number("killed")
    assert not outcome.result.oom_killed


async def test_a_main_process_killed_for_memory_is_one_kill_and_the_jobs_end(truth):
    outcome = await truth.measure("memory", 100, 100, limits=Limits(memory_bytes=64 * MIB))
    assert outcome.result.exit_code == 137
    assert outcome.result.oom_killed
    assert outcome.figures.oom_kills == 1
    assert outcome.figures.memory_limit_hits > 0
    assert outcome.figures.memory_peak_bytes == memory(64 * MIB)
