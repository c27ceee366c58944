"""Totals and histograms of jobs, counted at their transitions: they stay when the jobs are forgotten."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from fluster.collectors.families import Counter, Family, Histogram
from fluster.job import EndReason, Job, JobState

__all__ = ["OUTCOMES", "Outcomes"]

OUTCOMES: Final = (
    (JobState.SUCCEEDED, EndReason.COMPLETED),
    *(
        (JobState.FAILED, reason)
        for reason in (
            EndReason.EXIT_CODE, EndReason.OOM, EndReason.TIMEOUT, EndReason.BUNDLE, EndReason.BUILD, EndReason.START,
            EndReason.DISK_QUOTA,
        )
    ),
    (JobState.KILLED, EndReason.USER),
    (JobState.KILLED, EndReason.SHUTDOWN),
    (JobState.WORKER_FAILED, EndReason.INFRASTRUCTURE),
    (JobState.UNSCHEDULABLE, EndReason.INFRASTRUCTURE),
)  # fmt: skip
"""Every (state, reason) that a job can end with: there from the start at 0."""

_SECONDS: Final = (0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 600, 1800, 3600, 4 * 3600, 12 * 3600, 24 * 3600)
_BYTES: Final = tuple(float(4**power * 1024**2) for power in range(10))
_RATIOS: Final = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0)


class Outcomes:
    """`on_transition` is a listener of the manager."""

    def __init__(self) -> None:
        self._submitted = Counter("fluster_jobs_submitted_total")
        self._finished = Counter("fluster_jobs_finished_total")
        for state, reason in OUTCOMES:
            self._finished.expect(state.label, reason.value)
        self._queue = Histogram("fluster_job_queue_duration_seconds", _SECONDS)
        self._build = Histogram("fluster_job_build_duration_seconds", _SECONDS)
        for cache in ("hit", "miss"):
            self._build.expect(cache)
        self._run = Histogram("fluster_job_run_duration_seconds", _SECONDS)
        for label in ("succeeded", "failed", "killed", "worker_failed"):
            self._run.expect(label)
        self._peak = Histogram("fluster_finished_job_memory_peak_bytes", _BYTES)
        self._ratio = Histogram("fluster_finished_job_memory_peak_ratio", _RATIOS)
        self._cpu = Histogram("fluster_finished_job_cpu_seconds", _SECONDS)
        self._kills = Counter("fluster_finished_job_oom_kills_total")

    def collect(self) -> Iterable[Family]:
        return (
            self._submitted, self._finished, self._queue, self._build, self._run, self._peak, self._ratio, self._cpu, self._kills,
        )  # fmt: skip

    def on_transition(self, before: Job | None, after: Job) -> None:
        if before is None:
            self._submitted.inc()
            return
        if before.state is after.state:
            return
        if before.state is JobState.PENDING:
            self._queue.observe(after.queue_seconds(after.submitted_ns))
        if after.state is JobState.RUNNING and after.build is not None:
            self._build.observe(after.build_seconds(0) or 0, "hit" if after.build.from_cache else "miss")
        if after.state.terminal and after.end_reason is not None:
            self._on_end(after)

    def _on_end(self, job: Job) -> None:
        self._finished.inc(job.state.label, (job.end_reason or EndReason.INFRASTRUCTURE).value)
        seconds = job.run_seconds(0)
        if seconds is not None:
            self._run.observe(seconds, job.state.label)
        figures, limit = job.figures, job.request.limits.memory_bytes
        if figures.memory_peak_bytes is not None:
            self._peak.observe(figures.memory_peak_bytes)
            if limit:
                self._ratio.observe(figures.memory_peak_bytes / limit)
        if figures.cpu_seconds is not None:
            self._cpu.observe(figures.cpu_seconds)
        self._kills.inc(by=figures.oom_kills or 0)
