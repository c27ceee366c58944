"""Log lines of all jobs: from Loki the lines, from Prometheus the exact counts."""

from __future__ import annotations

from typing import Final

from grafana.generator.query import grown, latest, logql, over_time, rows

_LINES: Final = '{@worker, source=~"$source"} | job_id=~"$job_id" |~ `${search:raw}`'

LINES: Final = logql(_LINES)
LINES_BY_SOURCE: Final = logql(f"sum by (source) (count_over_time({_LINES} [$__auto]))", "{{source}}")
LOUDEST: Final = logql(
    f"topk(10, sum by (job_name, job_id) (count_over_time({_LINES} [$__auto])))", "{{job_name}} {{job_id}}"
)

WRITTEN: Final = latest('sum(last_over_time(fluster_job_log_lines_total{@jobs, source=~"$source"}[$__range]))', "lines")
BYTES: Final = latest('sum(last_over_time(fluster_job_log_bytes_total{@jobs, source=~"$source"}[$__range]))', "bytes")
LOST: Final = latest(
    'sum(last_over_time(fluster_job_log_dropped_lines_total{@jobs, source=~"$source"}[$__range]))', "lost"
)
STORE: Final = latest("sum(fluster_log_store_bytes{@worker})", "log files")
LOST_BY_JOB: Final = rows(
    """max by (worker, instance, job_id, name) (last_over_time(fluster_job_info{@jobs}[$__range]))
    * on (worker, instance, job_id) group_right (name)
    sum by (worker, instance, job_id, source, reason) (last_over_time(fluster_job_log_dropped_lines_total{@jobs, source=~"$source"}[$__range]) > 0)""",
    "Lines lost",
)
RATE: Final = over_time(
    'sum by (source) (rate(fluster_job_log_bytes_total{@jobs, source=~"$source"}[$__rate_interval]))', "{{source}}"
)
LOST_OVER_TIME: Final = over_time(
    grown('fluster_job_log_dropped_lines_total{@jobs, source=~"$source"}', "reason", of_jobs="@jobs"),
    "{{reason}}",
)
