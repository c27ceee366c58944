"""One job. What is asked for a number looks at the whole time range: a job of last week is exported no more, but Prometheus remembers."""

from __future__ import annotations

from typing import Final

from grafana.generator.query import Query, grown, latest, logql, over_time, rows


def _last(metric: str) -> str:
    """The last word on it within the time range."""
    return f"last_over_time({metric}{{@job}}[$__range])"


def _span(since: str, *until: str) -> str:
    """Seconds from a moment to the first of the later ones that is known, or to the last scrape."""
    moments = [f"last_over_time(fluster_job_{each}_timestamp_seconds{{@job}}[$__range])" for each in until]
    end = " or ".join([*moments, f"timestamp(fluster_job_{since}_timestamp_seconds{{@job}})"])
    return f"({end}) - {_last(f'fluster_job_{since}_timestamp_seconds')}"


STATE: Final = latest(f"{_last('fluster_job_state')} == 1", "{{state}}")
REASON: Final = latest(_last("fluster_job_end_reason"), "{{reason}}")
EXIT_CODE: Final = latest(_last("fluster_job_exit_code"), "exit code")

QUEUED: Final = latest(_span("submitted", "build_started", "finished"), "queued")
BUILDING: Final = latest(_span("build_started", "started", "finished"), "building")
RUNNING: Final = latest(_span("started", "finished"), "running")
TIMEOUT: Final = latest(_last("fluster_job_timeout_seconds"), "timeout")

MEMORY_PEAK: Final = latest(f"max({_last('fluster_job_memory_peak_bytes')})", "peak")
MEMORY_LIMIT: Final = latest(f"max({_last('fluster_job_memory_limit_bytes')})", "limit")
MEMORY_SHARE: Final = latest(
    f"max({_last('fluster_job_memory_peak_bytes')}) / max({_last('fluster_job_memory_limit_bytes')})", "peak of limit"
)
CPU_MEAN: Final = latest(
    f"sum({_last('fluster_job_cpu_seconds_total')}) / clamp_min(max({_span('started', 'finished')}), 0.001)", "mean"
)
CPU_PEAK: Final = latest(f"max({_last('fluster_job_cpu_peak_cores')})", "peak")
CPU_LIMIT: Final = latest(f"max({_last('fluster_job_cpu_limit_cores')})", "limit")
THROTTLED: Final = latest(
    f"max({_last('fluster_job_cpu_throttled_periods_total')}) / (max({_last('fluster_job_cpu_periods_total')}) > 0)",
    "throttled",
)
DROPPED: Final = latest(f"sum({_last('fluster_job_log_dropped_lines_total')})", "lines lost")
LOGGED: Final = latest(f"sum({_last('fluster_job_log_lines_total')})", "lines")

MEMORY: Final = (
    over_time("fluster_job_memory_anon_bytes{@job}", "anonymous"),
    over_time("fluster_job_memory_working_set_bytes{@job}", "working set"),
    over_time("fluster_job_memory_usage_bytes{@job}", "with page cache"),
    over_time("max without (source) (fluster_job_memory_peak_bytes{@job})", "peak"),
    over_time("fluster_job_memory_limit_bytes{@job}", "limit"),
)
CPU: Final = (
    over_time("sum by (mode) (rate(fluster_job_cpu_seconds_total{@job}[$__rate_interval]))", "{{mode}}"),
    over_time("fluster_job_cpu_limit_cores{@job}", "limit"),
    over_time(
        """rate(fluster_job_cpu_throttled_periods_total{@job}[$__rate_interval])
        / (rate(fluster_job_cpu_periods_total{@job}[$__rate_interval]) > 0)""",
        "throttled",
    ),
)
LINES: Final = logql('{@worker, source=~"$source"} | job_id="$job_id" |~ `${search:raw}`')
LINES_BY_SOURCE: Final = logql(
    'sum by (source) (count_over_time({@worker, source=~"$source"} | job_id="$job_id" |~ `${search:raw}` [$__auto]))',
    "{{source}}",
)

PROCESSES: Final = (
    over_time("fluster_job_processes{@job}", "processes"),
    over_time("fluster_job_processes_peak{@job}", "peak"),
    over_time("fluster_job_processes_limit{@job}", "limit"),
)
DISK: Final = (
    over_time("fluster_job_disk_bytes{@job}", "disk"),
    over_time("fluster_job_disk_peak_bytes{@job}", "peak"),
    over_time("fluster_job_disk_limit_bytes{@job}", "limit"),
)
NETWORK: Final = (
    over_time("rate(fluster_job_network_receive_bytes_total{@job}[$__rate_interval])", "received"),
    over_time("rate(fluster_job_network_transmit_bytes_total{@job}[$__rate_interval])", "sent"),
)
BLOCK: Final = (
    over_time("rate(fluster_job_block_read_bytes_total{@job}[$__rate_interval])", "read"),
    over_time("rate(fluster_job_block_written_bytes_total{@job}[$__rate_interval])", "written"),
)
PRESSURE: Final = over_time("rate(fluster_job_pressure_seconds_total{@job}[$__rate_interval])", "{{resource}}")
SHORTAGE: Final = (
    over_time(grown("fluster_job_memory_limit_hits_total{@job}", "job_id", of_jobs="@job"), "memory limit hits"),
    over_time(grown("fluster_job_oom_kills_total{@job}", "job_id", of_jobs="@job"), "processes killed for memory"),
)
LOG_RATE: Final = over_time("rate(fluster_job_log_lines_total{@job}[$__rate_interval])", "{{source}}")
LOG_DROPPED: Final = over_time(
    grown("fluster_job_log_dropped_lines_total{@job}", "source, reason", of_jobs="@job"),
    "{{source}}, {{reason}}",
)

GPU_UTILIZATION: Final = over_time("fluster_job_gpu_utilization_ratio{@job}", "{{gpu}}")
GPU_MEMORY: Final = (
    over_time("fluster_job_gpu_memory_used_bytes{@job}", "{{gpu}}"),
    over_time("fluster_job_gpu_memory_peak_bytes{@job}", "peak of {{gpu}}"),
)


def _fact(metric: str, column: str, factor: str = "") -> Query:
    return rows(f"max by (worker, instance, job_id) ({_last(metric)}){factor}", column)


# Image and bundle are known when it is built: of several series of one job the latest counts.
NAME: Final = rows(
    "topk by (worker, instance, job_id) (1, max_over_time(timestamp(fluster_job_info{@job})[$__range:5s]))", "Info"
)
SUBMITTED: Final = _fact("fluster_job_submitted_timestamp_seconds", "Submitted", " * 1000")
BUILD_STARTED: Final = _fact("fluster_job_build_started_timestamp_seconds", "Build started", " * 1000")
STARTED: Final = _fact("fluster_job_started_timestamp_seconds", "Started", " * 1000")
FINISHED: Final = _fact("fluster_job_finished_timestamp_seconds", "Finished", " * 1000")
