"""CPU time against what the programs' own clocks (CLOCK_PROCESS_CPUTIME_ID) say: never against the time on the wall."""

import os

import pytest

from fluster.job import Limits, Source

from .conftest import cpu

pytestmark = [pytest.mark.anyio, pytest.mark.cgroup]


@pytest.mark.parametrize("milliseconds", [5, 400])
async def test_cpu_time_is_what_the_job_used(truth, milliseconds):
    outcome = await truth.measure("burn", milliseconds, 0)
    assert outcome.cpu_seconds == pytest.approx(milliseconds / 1000, abs=0.015)
    assert outcome.figures.cpu_source is Source.KERNEL
    assert not outcome.figures.cpu_throttled_periods
    assert not outcome.figures.cpu_throttled_seconds
    assert outcome.figures.cpu_seconds - outcome.start_seconds == cpu(outcome.cpu_seconds)


async def test_what_the_kernel_did_for_the_job_is_system_time(truth):
    """Kernels tell the modes apart by what their ticks find, for the process and for its cgroup alike."""
    outcome = await truth.measure("burn", 300, 500)
    assert outcome.figures.cpu_seconds - outcome.start_seconds == cpu(outcome.cpu_seconds)
    assert outcome.figures.cpu_system_seconds - outcome.system_seconds <= outcome.start_seconds + 0.036
    assert outcome.figures.cpu_system_seconds >= 0.98 * outcome.system_seconds - 0.020


async def test_children_threads_orphans_and_daemons_all_count(truth):
    """Reaped, never reaped, left behind, and killed at the end of the job: where one process knows nothing of the other."""
    outcome = await truth.measure("family", 150)
    assert len(outcome.numbers("cpu")) == 6
    assert outcome.cpu_seconds >= 6 * 0.150
    assert outcome.figures.cpu_seconds - outcome.start_seconds == cpu(outcome.cpu_seconds)


async def test_throttling_is_counted_period_by_period(truth):
    """A fifth of a core for 300 ms of work: the quota of 14 periods is used up before the work is done, but for a busy machine."""
    outcome = await truth.measure("burn", 300, 0, limits=Limits(cpu_millicores=200))
    figures = outcome.figures
    wall, used = outcome.number("wall") / 1e9, outcome.cpu_seconds
    assert used / wall <= 0.2 * 1.1 + 0.02
    assert figures.cpu_seconds - outcome.start_seconds == cpu(used)
    assert 7 <= figures.cpu_throttled_periods <= figures.cpu_periods
    # It waited for its quota while it did not run, and on a busy machine for a core as well; so did the start before it, which has
    # threads on all cores and had to come by with the same quota.
    start = outcome.start_seconds / 0.2 * os.cpu_count()
    assert 0.2 * (wall - used) <= figures.cpu_throttled_seconds <= wall - used + 0.1 + start
