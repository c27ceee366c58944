"""The families of single jobs: live ones, and finished ones for the retention time with their final figures."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator

from fluster.catalogue import METRICS
from fluster.collectors.families import Families
from fluster.config import Settings
from fluster.job import EndReason, Job, JobState

__all__ = ["NAMES", "collect_jobs", "exported"]

NAMES = tuple(metric.name for metric in METRICS if metric.labels[:1] == ("job_id",))
_STATES = tuple((state, state.label) for state in JobState if state)


def exported(jobs: Iterable[Job], settings: Settings, now_ns: int) -> Iterator[Job]:
    """All live jobs, and of the finished ones the latest within retention and cap."""
    oldest_ns = now_ns - int(settings.metrics_retention * 1e9)
    finished: list[tuple[int, str, Job]] = []
    for job in jobs:
        if not job.state.terminal:
            yield job
        elif (job.finished_ns or 0) >= oldest_ns:
            finished.append((job.finished_ns or 0, job.id, job))
    for _, _, job in heapq.nlargest(settings.metrics_max_finished, finished):
        yield job


def collect_jobs(jobs: Iterable[Job]) -> Families:
    """All families of these jobs; empty ones stay, so that help and type are there from the start."""
    families = Families(NAMES)
    add = families.add
    for job in sorted(jobs, key=lambda each: each.sequence):
        _facts(job, add)
        _figures(job, add)
        _logs(job, add)
    return families


def _facts(job: Job, add: Callable[..., None]) -> None:
    build, limits = job.build, job.request.limits
    image = (build.image_tag if build else "") or job.request.environment.base_image or ""
    from_cache = "" if build is None else str(build.from_cache).lower()
    add("fluster_job_info", 1, job.id, job.name, image, build.bundle_sha256[:12] if build else "", from_cache)
    for state, label in _STATES:
        add("fluster_job_state", float(job.state is state), job.id, label)
    for name, value in (
        ("submitted", job.submitted_ns),
        ("build_started", job.build_started_ns),
        ("started", job.run_started_ns),
        ("finished", job.finished_ns),
    ):
        add(f"fluster_job_{name}_timestamp_seconds", None if value is None else value / 1e9, job.id)
    add("fluster_job_exit_code", job.exit_code, job.id)
    add("fluster_job_oom_killed", float(job.end_reason is EndReason.OOM) if job.state.terminal else None, job.id)
    add("fluster_job_timeout_seconds", job.request.timeout_seconds, job.id)
    add("fluster_job_memory_limit_bytes", limits.memory_bytes, job.id)
    add("fluster_job_cpu_limit_cores", limits.cpu_millicores and limits.cpu_millicores / 1000, job.id)
    add("fluster_job_processes_limit", limits.max_processes, job.id)
    add("fluster_job_disk_limit_bytes", limits.disk_bytes, job.id)


def _figures(job: Job, add: Callable[..., None]) -> None:
    figures = job.figures
    over = job.state.terminal
    add("fluster_job_memory_usage_bytes", None if over else figures.memory_usage_bytes, job.id)
    add("fluster_job_memory_working_set_bytes", None if over else figures.memory_working_set_bytes, job.id)
    add("fluster_job_memory_anon_bytes", None if over else figures.memory_anon_bytes, job.id)
    add("fluster_job_memory_cache_bytes", None if over else figures.memory_cache_bytes, job.id)
    add("fluster_job_memory_peak_bytes", figures.memory_peak_bytes, job.id, figures.memory_peak_source or "sampled")
    add("fluster_job_memory_working_set_peak_bytes", figures.memory_working_set_peak_bytes, job.id, "sampled")
    add("fluster_job_memory_anon_peak_bytes", figures.memory_anon_peak_bytes, job.id, "sampled")
    add("fluster_job_memory_limit_hits_total", figures.memory_limit_hits, job.id)
    add("fluster_job_oom_kills_total", figures.oom_kills, job.id)
    add("fluster_job_cpu_seconds_total", figures.cpu_user_seconds, job.id, "user")
    add("fluster_job_cpu_seconds_total", figures.cpu_system_seconds, job.id, "system")
    add("fluster_job_cpu_cores", None if over else figures.cpu_cores, job.id)
    add("fluster_job_cpu_peak_cores", figures.cpu_peak_cores, job.id)
    add("fluster_job_cpu_periods_total", figures.cpu_periods, job.id)
    add("fluster_job_cpu_throttled_periods_total", figures.cpu_throttled_periods, job.id)
    add("fluster_job_cpu_throttled_seconds_total", figures.cpu_throttled_seconds, job.id)
    add("fluster_job_pressure_seconds_total", figures.pressure_cpu_seconds, job.id, "cpu")
    add("fluster_job_pressure_seconds_total", figures.pressure_memory_seconds, job.id, "memory")
    add("fluster_job_pressure_seconds_total", figures.pressure_io_seconds, job.id, "io")
    add("fluster_job_processes", None if over else figures.processes, job.id)
    add("fluster_job_processes_peak", figures.processes_peak, job.id)
    add("fluster_job_disk_bytes", figures.disk_bytes, job.id)
    add("fluster_job_disk_peak_bytes", figures.disk_peak_bytes, job.id)
    add("fluster_job_network_receive_bytes_total", figures.network_receive_bytes, job.id)
    add("fluster_job_network_transmit_bytes_total", figures.network_transmit_bytes, job.id)
    add("fluster_job_block_read_bytes_total", figures.block_read_bytes, job.id)
    add("fluster_job_block_written_bytes_total", figures.block_written_bytes, job.id)
    add(
        "fluster_job_last_sample_timestamp_seconds",
        figures.sampled_at_ns / 1e9 if figures.sampled_at_ns else None,
        job.id,
    )


def _logs(job: Job, add: Callable[..., None]) -> None:
    if job.state is JobState.PENDING:
        return
    for source in ("build", "stdout", "stderr"):
        add("fluster_job_log_lines_total", job.logs.lines.get(source, 0), job.id, source)
        add("fluster_job_log_bytes_total", job.logs.bytes.get(source, 0), job.id, source)
    add("fluster_job_log_dropped_lines_total", job.logs.dropped_lines, job.id, "write_error")
    add(
        "fluster_job_last_log_timestamp_seconds",
        job.logs.last_timestamp_ns / 1e9 if job.logs.last_timestamp_ns else None,
        job.id,
    )
