"""The counts beside a log file, as the job model has them."""

from __future__ import annotations

from pathlib import Path

from fluster.cri import read_counts
from fluster.job import LogCounts

__all__ = ["job_log_counts"]


def job_log_counts(path: str | Path) -> LogCounts:
    """What was written to the job.log at `path` so far; zeros where there is none."""
    counts = read_counts(path)
    if counts is None:
        return LogCounts()
    return LogCounts(
        lines={"stdout": counts.stdout_lines, "stderr": counts.stderr_lines},
        bytes={"stdout": counts.stdout_bytes, "stderr": counts.stderr_bytes},
        dropped_lines=counts.dropped_lines,
        last_timestamp_ns=counts.last_timestamp_ns,
    )
