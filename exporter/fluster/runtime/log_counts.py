"""The counts that the writers of logs keep, as the job model has them."""

from __future__ import annotations

from pathlib import Path

from fluster.cri import Counts, read_counts
from fluster.job import LogCounts

__all__ = ["job_log_counts", "log_counts"]


def job_log_counts(path: Path) -> LogCounts:
    """What was written to the job.log at `path` so far; empty where there is none."""
    return log_counts(read_counts(path), None)


def log_counts(job: Counts | None, build: Counts | None) -> LogCounts:
    """Those of job.log and build.log together; None is a log that is not there."""
    lines: dict[str, int] = {}
    size: dict[str, int] = {}
    if build is not None:
        lines["build"] = build.stdout_lines + build.stderr_lines
        size["build"] = build.stdout_bytes + build.stderr_bytes
    if job is not None:
        lines |= {"stdout": job.stdout_lines, "stderr": job.stderr_lines}
        size |= {"stdout": job.stdout_bytes, "stderr": job.stderr_bytes}
    known = [each for each in (job, build) if each is not None]
    return LogCounts(
        lines=lines,
        bytes=size,
        dropped_lines=sum(each.dropped_lines for each in known),
        last_timestamp_ns=max((each.last_timestamp_ns for each in known), default=0),
    )
