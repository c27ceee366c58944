"""The life of a job in the worker's log: one sentence each as it is accepted, built, started and ended."""

from __future__ import annotations

from collections.abc import Iterator

from fluster.job import EndReason, Job, JobState
from fluster.sizes import format_bytes, format_duration

__all__ = ["built_sentence", "sentence"]

_MOST = 300
"""Characters of a job's error; job page and API have all of it."""


def sentence(before: Job | None, job: Job) -> str | None:
    """What became of the job; None where that is not worth a line."""
    if before is None:
        name = "" if job.name in {"", job.id} else f" ({job.name})"
        return f"job {job.id} accepted{name}"
    if job.state is before.state:
        return None
    if job.state is JobState.RUNNING:
        return f"job {job.id} started"
    return f"job {job.id} ended: {', '.join(_end(job))}" if job.state.terminal else None


def built_sentence(job: Job, finished_ns: int) -> str:
    """`job` has its build, and has just been built."""
    build = job.build
    if build is None or not build.image_tag:
        cache = "nothing to build"
    else:
        cache = "cache hit" if build.from_cache else "cache miss"
    return f"job {job.id} built in {format_duration(max(job.build_seconds(finished_ns) or 0.0, 0.0))}, {cache}"


def _end(job: Job) -> Iterator[str]:
    yield job.state.label
    if job.end_reason is not None:
        yield f"reason {job.end_reason}"
    if job.end_reason is EndReason.INFRASTRUCTURE:
        # Only these sentences are Fluster's own to the end: of a failed build or start they quote what a program printed.
        yield job.error[:_MOST]
    if job.exit_code is not None:
        yield f"exit code {job.exit_code}"
    now = job.finished_ns or job.submitted_ns
    for word, seconds in (
        ("waited", job.queue_seconds(now)),
        ("built", job.build_seconds(now)),
        ("ran", job.run_seconds(now)),
    ):
        if seconds is not None:
            yield f"{word} {format_duration(max(seconds, 0.0))}"
    if job.figures.memory_peak_bytes is not None:
        yield f"memory peak {format_bytes(job.figures.memory_peak_bytes)}"
