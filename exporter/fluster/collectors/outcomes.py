"""Totals and histograms of jobs, counted at their transitions: they stay when the jobs are forgotten."""

from __future__ import annotations

from typing import Final

from prometheus_client.registry import CollectorRegistry

from fluster.collectors.families import counter, histogram
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

    def __init__(self, registry: CollectorRegistry) -> None:
        self._submitted = counter("fluster_jobs_submitted_total", registry)
        self._finished = counter("fluster_jobs_finished_total", registry)
        for state, reason in OUTCOMES:
            self._finished.labels(state.label, reason.value)
        self._queue = histogram("fluster_job_queue_duration_seconds", _SECONDS, registry)
        self._build = histogram("fluster_job_build_duration_seconds", _SECONDS, registry)
        for cache in ("hit", "miss"):
            self._build.labels(cache)
        self._run = histogram("fluster_job_run_duration_seconds", _SECONDS, registry)
        for label in ("succeeded", "failed", "killed", "worker_failed"):
            self._run.labels(label)
        self._peak = histogram("fluster_finished_job_memory_peak_bytes", _BYTES, registry)
        self._ratio = histogram("fluster_finished_job_memory_peak_ratio", _RATIOS, registry)
        self._cpu = histogram("fluster_finished_job_cpu_seconds", _SECONDS, registry)

    def on_transition(self, before: Job | None, after: Job) -> None:
        if before is None:
            self._submitted.inc()
            return
        if before.state is after.state:
            return
        if before.state is JobState.PENDING:
            self._queue.observe(after.queue_seconds(after.submitted_ns))
        if after.state is JobState.RUNNING and after.build is not None:
            self._build.labels("hit" if after.build.from_cache else "miss").observe(after.build_seconds(0) or 0)
        if after.state.terminal and after.end_reason is not None:
            self._on_end(after)

    def _on_end(self, job: Job) -> None:
        self._finished.labels(job.state.label, (job.end_reason or EndReason.INFRASTRUCTURE).value).inc()
        seconds = job.run_seconds(0)
        if seconds is not None:
            self._run.labels(job.state.label).observe(seconds)
        figures, limit = job.figures, job.request.limits.memory_bytes
        if figures.memory_peak_bytes is not None:
            self._peak.observe(figures.memory_peak_bytes)
            if limit:
                self._ratio.observe(figures.memory_peak_bytes / limit)
        if figures.cpu_seconds is not None:
            self._cpu.observe(figures.cpu_seconds)
