"""Many jobs: what they are, how they ended, how long they took."""

from __future__ import annotations

from typing import Final

from grafana.generator.query import Query, buckets, grown, latest, over_time, rows

_CHOSEN: Final = """(max by (worker, instance, job_id) (last_over_time(fluster_job_state{@worker, state=~"$state"}[$__range])) == 1)
    and on (worker, instance, job_id) last_over_time(fluster_job_info{@worker, name=~"$name"}[$__range])"""
"""1 for each job that is in one of the chosen states at the end of the time range, and has one of the chosen names."""


def _of_chosen(value: str) -> str:
    return f"{value} and on (worker, instance, job_id) ({_CHOSEN})"


def _column(metric: str, column: str, factor: str = "", *, fold: str = "max") -> Query:
    """Its last word on each job within the time range."""
    return rows(
        _of_chosen(f"{fold} by (worker, instance, job_id) (last_over_time({metric}{{@worker}}[$__range])){factor}"),
        column,
    )


BY_STATE: Final = latest("sum by (state) (fluster_jobs{@worker})", "{{state}}")
ENDED: Final = latest(
    'round(sum by (reason) (increase(fluster_jobs_finished_total{@worker, state=~"$state"}[$__range]))) > 0',
    "{{reason}}",
)
FAILED_SHARE: Final = latest(
    """sum(increase(fluster_jobs_finished_total{@worker, state=~"failed|worker_failed"}[$__range]))
    / (sum(increase(fluster_jobs_finished_total{@worker}[$__range])) > 0)""",
    "failed",
)

STATE: Final = rows(
    f"""max by (worker, instance, job_id, state) (last_over_time(fluster_job_state{{@worker, state=~"$state"}}[$__range]) == 1)
    and on (worker, instance, job_id) ({_CHOSEN})""",
    "In this state",
)
NAME: Final = rows(
    _of_chosen("max by (worker, instance, job_id, name) (last_over_time(fluster_job_info{@worker}[$__range]))"), "Info"
)
REASON: Final = rows(
    _of_chosen("max by (worker, instance, job_id, reason) (last_over_time(fluster_job_end_reason{@worker}[$__range]))"),
    "Ended",
)
EXIT_CODE: Final = _column("fluster_job_exit_code", "Exit code")
SUBMITTED: Final = _column("fluster_job_submitted_timestamp_seconds", "Submitted", " * 1000")
RAN_FOR: Final = rows(
    _of_chosen(
        """max by (worker, instance, job_id) (
            (last_over_time(fluster_job_finished_timestamp_seconds{@worker}[$__range])
                or timestamp(fluster_job_started_timestamp_seconds{@worker}))
            - last_over_time(fluster_job_started_timestamp_seconds{@worker}[$__range]))"""
    ),
    "Ran for",
)
MEMORY_PEAK: Final = _column("fluster_job_memory_peak_bytes", "Memory peak")
MEMORY_SHARE: Final = _column("job_id:fluster_job_memory_peak:ratio", "Of its limit")
CPU_SECONDS: Final = _column("fluster_job_cpu_seconds_total", "CPU time", fold="sum")
LOG_LINES: Final = _column("fluster_job_log_lines_total", "Log lines", fold="sum")

ENDED_OVER_TIME: Final = over_time(
    grown('fluster_jobs_finished_total{@worker, state=~"$state"}', "state, reason") + " > 0",
    "{{state}}: {{reason}}",
)
FAILED_OVER_TIME: Final = over_time("worker:fluster_jobs_failed:ratio_increase30m{@worker}", "{{worker}}")
JOBS_OVER_TIME: Final = over_time(
    'sum by (state) (fluster_jobs{@worker, state=~"pending|building|running"})', "{{state}}"
)


def _quantile(share: float, histogram: str, window: str = "$__rate_interval") -> str:
    return f"histogram_quantile({share}, sum by (le) (rate({histogram}_bucket{{@worker}}[{window}])))"


DURATIONS: Final = tuple(
    over_time(_quantile(share, f"fluster_job_{phase}_duration_seconds"), f"{word}, {name}")
    for phase, word in (("queue", "queued"), ("build", "built"), ("run", "ran"))
    for share, name in ((0.5, "half"), (0.95, "95 %"))
)
RUN_SPREAD: Final = buckets("fluster_job_run_duration_seconds")
MEMORY_BY_JOB: Final = over_time(
    """topk(10, fluster_job_memory_working_set_bytes{@worker}
        * on (worker, instance, job_id) group_left (name) fluster_job_info{@worker, name=~"$name"})""",
    "{{name}} {{job_id}}",
)
CPU_BY_JOB: Final = over_time(
    """topk(10, sum by (worker, instance, job_id) (rate(fluster_job_cpu_seconds_total{@worker}[$__rate_interval]))
        * on (worker, instance, job_id) group_left (name) fluster_job_info{@worker, name=~"$name"})""",
    "{{name}} {{job_id}}",
)
