"""CPU time against what the programs' own clocks (CLOCK_PROCESS_CPUTIME_ID) say: never against the time on the wall."""

import os

import pytest

from fluster.job import Limits, Source

from .conftest import cpu

pytestmark = [pytest.mark.anyio, pytest.mark.cgroup]


@pytest.mark.parametrize("milliseconds", [5, 400])
async def test_cpu_time_is_what_the_job_used(truth, milliseconds):
    outcome = await truth.measure_cpu("burn", milliseconds, 0)
    assert outcome.cpu_seconds == pytest.approx(milliseconds / 1000, abs=0.015)
    assert outcome.figures.cpu_source is Source.KERNEL
    assert not outcome.figures.cpu_throttled_periods
    assert not outcome.figures.cpu_throttled_seconds
    assert outcome.counted_seconds == cpu(outcome.cpu_seconds)


async def test_what_the_kernel_did_for_the_job_is_system_time(truth):
    """Kernels tell the modes apart by what their ticks find, for the process and for its cgroup alike."""
    outcome = await truth.measure_cpu("burn", 300, 500)
    assert outcome.counted_seconds == cpu(outcome.cpu_seconds)
    assert outcome.figures.cpu_system_seconds - outcome.system_seconds <= outcome.start_seconds + 0.036
    assert outcome.figures.cpu_system_seconds >= 0.98 * outcome.system_seconds - 0.020


async def test_children_threads_orphans_and_daemons_all_count(truth):
    """Reaped, never reaped, left behind, and killed at the end of the job: where one process knows nothing of the other."""
    outcome = await truth.measure_cpu("family", 150)
    assert len(outcome.numbers("cpu")) == 6
    assert outcome.cpu_seconds >= 6 * 0.150
    assert outcome.counted_seconds == cpu(outcome.cpu_seconds)


async def test_throttling_is_counted_period_by_period(truth):
    """A tenth of a core for 150 ms of work: the quota of 10 ms is used up in each period in which the machine had that much to give."""
    outcome = await truth.measure_cpu("burn", 150, 0, limits=Limits(cpu_millicores=100))
    figures = outcome.figures
    assert outcome.cpu_seconds / (outcome.number("wall") / 1e9) <= 0.1 * 1.1 + 0.02
    assert outcome.counted_seconds == cpu(outcome.cpu_seconds)
    # No period is throttled that did not use up its quota, be it for the start; only a machine with little to give has fewer.
    assert 3 <= figures.cpu_throttled_periods <= figures.cpu_seconds / 0.010 + 2
    assert figures.cpu_throttled_periods <= figures.cpu_periods
    # A throttled period is none without a wait, and at most all of it, on each core.
    waited = figures.cpu_throttled_seconds / figures.cpu_throttled_periods
    assert 0.010 <= waited <= 0.1 * os.cpu_count()
