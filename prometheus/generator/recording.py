"""The recording rules: what alerts and dashboards ask for more than once, or over longer times than a job is exported.

Names are `level:metric:operation`. The level says which labels are left beside those of the target (worker, instance, job).
"""

from __future__ import annotations

from typing import Final

from prometheus.generator.promql import CATALOGUE_SERIES, TARGET_LABELS, Series
from prometheus.generator.promql import promql as checked
from prometheus.generator.rule import Group, Recording
from prometheus.generator.thresholds import THRESHOLDS, Thresholds

__all__ = ["RECORDED", "SERIES", "promql", "recording_groups"]


def recording_groups(thresholds: Thresholds) -> tuple[Group, ...]:
    """In the order in which they build on each other."""
    return (
        Group("fluster-jobs-recording", _jobs(thresholds)),
        Group("fluster-workers-recording", _workers(thresholds)),
        Group("fluster-sizing-recording", _sizing()),
    )


def _jobs(thresholds: Thresholds) -> list[Recording]:
    """How much of what it may have each job uses."""
    rate = thresholds.rate
    return [
        Recording(
            "job_id:fluster_job_memory_peak_bytes:max", ("job_id",), "max without (source) (fluster_job_memory_peak_bytes)"
        ),
        Recording(
            "job_id:fluster_job_memory_peak:ratio", ("job_id",),
            "job_id:fluster_job_memory_peak_bytes:max / fluster_job_memory_limit_bytes",
        ),
        Recording(
            "job_id:fluster_job_memory_working_set:ratio", ("job_id",),
            "fluster_job_memory_working_set_bytes / fluster_job_memory_limit_bytes",
        ),
        Recording(
            "job_id:fluster_job_cpu_throttled_periods:ratio_rate5m", ("job_id",),
            f"rate(fluster_job_cpu_throttled_periods_total[{rate}]) / (rate(fluster_job_cpu_periods_total[{rate}]) > 0)",
        ),
        Recording("job_id:fluster_job_processes:ratio", ("job_id",), "fluster_job_processes / fluster_job_processes_limit"),
        Recording("job_id:fluster_job_disk:ratio", ("job_id",), "fluster_job_disk_bytes / fluster_job_disk_limit_bytes"),
        Recording(
            "job_id:fluster_job_timeout_used:ratio", ("job_id",),
            """(time() - fluster_job_started_timestamp_seconds) / fluster_job_timeout_seconds
            and on (worker, instance, job_id) fluster_job_state{state="running"} == 1""",
        ),
    ]  # fmt: skip


def _workers(thresholds: Thresholds) -> list[Recording]:
    window = thresholds.failure_window
    return [
        Recording("worker:fluster_slots_used:ratio", (), "fluster_slots_used / fluster_slots"),
        Recording("worker:fluster_queue_length:ratio", (), "fluster_queue_length / (fluster_queue_limit > 0)"),
        Recording(
            "worker_path:fluster_filesystem_free:ratio", ("path",),
            "fluster_filesystem_free_bytes / (fluster_filesystem_size_bytes > 0)",
        ),
        Recording(
            "worker:fluster_jobs_finished:increase30m", (),
            f"sum without (state, reason) (increase(fluster_jobs_finished_total[{window}]))",
        ),
        Recording(
            "worker:fluster_jobs_failed:increase30m", (),
            f"""sum without (state, reason) (increase(fluster_jobs_finished_total{{state=~"failed|worker_failed"}}[{window}]))""",
        ),
        Recording(
            "worker:fluster_jobs_failed:ratio_increase30m", (),
            "worker:fluster_jobs_failed:increase30m / (worker:fluster_jobs_finished:increase30m > 0)",
        ),
    ]  # fmt: skip


def _sizing() -> list[Recording]:
    """What finished jobs of one name needed and were given: kept when the jobs themselves are exported no more."""

    def by_name(operation: str, value: str) -> str:
        return f"""{operation} by (worker, instance, job, name) (
            ({value} and on (worker, instance, job_id) fluster_job_finished_timestamp_seconds)
            * on (worker, instance, job_id) group_left (name) fluster_job_info)"""

    level = ("name",)
    return [
        Recording(
            "name:fluster_job_memory_peak_bytes:max", level, by_name("max", "job_id:fluster_job_memory_peak_bytes:max")
        ),
        Recording("name:fluster_job_memory_limit_bytes:max", level, by_name("max", "fluster_job_memory_limit_bytes")),
        Recording("name:fluster_job_cpu_peak_cores:max", level, by_name("max", "fluster_job_cpu_peak_cores")),
        Recording("name:fluster_job_cpu_limit_cores:max", level, by_name("max", "fluster_job_cpu_limit_cores")),
        Recording(
            "name:fluster_job_run_duration_seconds:max", level,
            by_name("max", "(fluster_job_finished_timestamp_seconds - fluster_job_started_timestamp_seconds)"),
        ),
    ]  # fmt: skip


RECORDED: Final = {
    rule.name: frozenset(rule.labels) | TARGET_LABELS
    for group in recording_groups(THRESHOLDS)
    for rule in group.rules
    if isinstance(rule, Recording)
}
SERIES: Final[Series] = {**CATALOGUE_SERIES, **RECORDED}
"""All that a query may ask for."""


def promql(query: str) -> str:
    """The query in one line, once all it names is known to exist. Raises QueryError."""
    return checked(query, SERIES)
