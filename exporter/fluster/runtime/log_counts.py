"""The counts that the writers of logs keep, as the job model has them."""

from __future__ import annotations

from pathlib import Path

from fluster.cri import Counts, Floor, read_counts, read_floor
from fluster.job import LogCounts

__all__ = ["job_log_counts", "log_counts"]


def job_log_counts(path: Path) -> LogCounts:
    """What was written to the job.log at `path` so far; empty where there is none."""
    return log_counts(read_counts(path), None, read_floor(path))


def log_counts(
    job: Counts | None, build: Counts | None, job_floor: Floor | None = None, build_floor: Floor | None = None
) -> LogCounts:
    """Those of job.log and build.log together; None is a log that is not there, or of which nothing was dropped."""
    lines: dict[str, int] = {}
    size: dict[str, int] = {}
    lost: dict[str, int] = {}
    retired: dict[str, int] = {}
    if build is not None:
        lines["build"] = build.lines
        size["build"] = build.stdout_bytes + build.stderr_bytes
        lost["build"] = build.lost
        retired["build"] = build_floor.lines if build_floor else 0
    if job is not None:
        lines |= {"stdout": job.stdout_lines, "stderr": job.stderr_lines}
        size |= {"stdout": job.stdout_bytes, "stderr": job.stderr_bytes}
        lost |= {"stdout": job.stdout_lost, "stderr": job.stderr_lost}
        floor = job_floor or Floor()
        retired |= {"stdout": floor.stdout_lines, "stderr": floor.stderr_lines}
    last = max((each.last_timestamp_ns for each in (job, build) if each is not None), default=0)
    return LogCounts(lines=lines, bytes=size, lost=lost, retired=retired, last_timestamp_ns=last)
