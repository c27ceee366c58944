"""Counts are exact: processes at once, bytes of block devices, lines of the log."""

import pytest

from fluster.job import Source

from .conftest import MIB

pytestmark = [pytest.mark.anyio, pytest.mark.cgroup]


async def test_the_most_processes_at_once_are_counted(truth):
    """Where the kernel keeps no such peak it is sampled, and says so."""
    figures = (await truth.measure("fork", 20)).figures
    kernel_keeps_it = "pids.peak" in truth.kernel_files()
    assert figures.processes_peak == 20 + 1 + truth.init
    assert figures.processes_peak_source is (Source.KERNEL if kernel_keeps_it else Source.SAMPLED)


async def test_a_job_that_does_nothing_is_its_start_and_has_no_sampled_peak_of_nothing(truth):
    """Where only sampling could tell: absent, or what was seen, and never 0."""
    outcome = await truth.measure("nothing")
    figures = outcome.figures
    assert outcome.start_seconds <= figures.cpu_seconds <= outcome.start_seconds + 0.020
    assert figures.processes_peak is None or figures.processes_peak >= 1
    assert figures.memory_anon_peak_bytes is None or figures.memory_anon_peak_bytes > 0
    assert figures.memory_peak_bytes > 0


async def test_bytes_written_to_a_device_are_counted_to_the_byte(truth):
    outcome = await truth.measure("write", 8 * MIB, f"{truth.output()}/file")
    assert outcome.result.exit_code == 0
    assert "unsupported" not in outcome.lines, "the tests' directory is on no block device: set TMPDIR"
    # The file's own metadata is journalled by the file system's thread, not by the job.
    assert outcome.figures.block_written_bytes == 8 * MIB


async def test_every_line_is_counted(truth):
    logs = (await truth.measure("lines", 5000)).result.logs
    assert logs.lines == {"stdout": 5001, "stderr": 5000}
