"""Asked for against needed, by finished job and by name. Figures by name are recorded, so that they reach back further than the jobs."""

from __future__ import annotations

from typing import Final

from grafana.generator.query import Query, buckets, latest, rows

HEADROOM: Final = 1.25
"""What a suggestion adds to the highest peak."""


def _last(metric: str, *, fold: str = "max") -> str:
    """Of each finished job within the time range."""
    return f"{fold} by (worker, instance, job_id) (last_over_time({metric}{{@worker}}[$__range])) and on (worker, instance, job_id) {_NAMED}"


_NAMED: Final = """(max by (worker, instance, job_id) (last_over_time(fluster_job_finished_timestamp_seconds{@worker}[$__range]))
    and on (worker, instance, job_id) last_over_time(fluster_job_info{@worker, name=~"$name"}[$__range]))"""
_RAN: Final = (
    f"({_last('fluster_job_finished_timestamp_seconds')}) - ({_last('fluster_job_started_timestamp_seconds')})"
)

FINISHED: Final = latest(f"count({_NAMED}) or vector(0)", "finished jobs")
WITHOUT_LIMIT: Final = latest(
    f"count({_NAMED} unless on (worker, instance, job_id) last_over_time(fluster_job_memory_limit_bytes{{@worker}}[$__range])) or vector(0)",
    "without limit",
)
NEAR_LIMIT: Final = latest(
    f"""count(({_last("fluster_job_memory_peak_bytes")}) / ({_last("fluster_job_memory_limit_bytes")}) > 0.9) or vector(0)""",
    "near their limit",
)
MEMORY_UNUSED: Final = latest(
    f"""sum((({_last("fluster_job_memory_limit_bytes")}) - ({_last("fluster_job_memory_peak_bytes")})) * ({_RAN})) / 2 ^ 30 / 3600""",
    "memory",
)
CPU_UNUSED: Final = latest(
    f"""sum(({_last("fluster_job_cpu_limit_cores")}) * ({_RAN}) - ({_last("fluster_job_cpu_seconds_total", fold="sum")})) / 3600""",
    "CPU",
)


def _by_name(metric: str, column: str, factor: str = "") -> Query:
    return rows(f'max by (worker, name) (max_over_time({metric}{{@worker, name=~"$name"}}[$__range])){factor}', column)


RUNS: Final = rows(
    f"""count by (worker, name) (max by (worker, instance, job_id, name) (last_over_time(fluster_job_info{{@worker, name=~"$name"}}[$__range]))
    and on (worker, instance, job_id) {_NAMED})""",
    "Jobs",
)
NAME_MEMORY_LIMIT: Final = _by_name("name:fluster_job_memory_limit_bytes:max", "Memory asked for")
NAME_MEMORY_PEAK: Final = _by_name("name:fluster_job_memory_peak_bytes:max", "Memory needed")
NAME_MEMORY_SHARE: Final = rows(
    """max by (worker, name) (max_over_time(name:fluster_job_memory_peak_bytes:max{@worker, name=~"$name"}[$__range]))
    / max by (worker, name) (max_over_time(name:fluster_job_memory_limit_bytes:max{@worker, name=~"$name"}[$__range]))""",
    "Memory used",
)
NAME_MEMORY_SUGGESTED: Final = _by_name("name:fluster_job_memory_peak_bytes:max", "Memory suggested", f" * {HEADROOM}")
NAME_CPU_LIMIT: Final = _by_name("name:fluster_job_cpu_limit_cores:max", "CPU asked for")
NAME_CPU_PEAK: Final = _by_name("name:fluster_job_cpu_peak_cores:max", "CPU needed")
NAME_RUN: Final = _by_name("name:fluster_job_run_duration_seconds:max", "Longest run")

NAME: Final = rows(
    f"""max by (worker, instance, job_id, name) (last_over_time(fluster_job_info{{@worker, name=~"$name"}}[$__range]))
    and on (worker, instance, job_id) {_NAMED}""",
    "Info",
)
FINISHED_AT: Final = rows(f"({_last('fluster_job_finished_timestamp_seconds')}) * 1000", "Finished")
MEMORY_LIMIT: Final = rows(_last("fluster_job_memory_limit_bytes"), "Memory asked for")
MEMORY_PEAK: Final = rows(_last("fluster_job_memory_peak_bytes"), "Memory needed")
MEMORY_SHARE: Final = rows(
    f"({_last('fluster_job_memory_peak_bytes')}) / ({_last('fluster_job_memory_limit_bytes')})", "Memory used"
)
ANON_PEAK: Final = rows(_last("fluster_job_memory_anon_peak_bytes"), "Of it anonymous")
CPU_LIMIT: Final = rows(_last("fluster_job_cpu_limit_cores"), "CPU asked for")
CPU_MEAN: Final = rows(f"({_last('fluster_job_cpu_seconds_total', fold='sum')}) / (({_RAN}) > 0)", "CPU on average")
CPU_PEAK: Final = rows(_last("fluster_job_cpu_peak_cores"), "CPU at most")
RAN_FOR: Final = rows(_RAN, "Ran for")

PEAK_RATIO_SPREAD: Final = buckets("fluster_finished_job_memory_peak_ratio")
PEAK_SPREAD: Final = buckets("fluster_finished_job_memory_peak_bytes")
CPU_SPREAD: Final = buckets("fluster_finished_job_cpu_seconds")
