"""All workers: are they there, have they room, are they well?"""

from __future__ import annotations

from typing import Final

from grafana.generator.query import Query, grown, latest, over_time, rows

UP: Final = latest('sum(up{@worker, job="fluster"}) or vector(0)', "up")
DOWN: Final = latest('count(up{@worker, job="fluster"} == 0) or vector(0)', "down")
RUNNING: Final = latest('sum(fluster_jobs{@worker, state="running"})', "running")
WAITING: Final = latest('sum(fluster_jobs{@worker, state=~"pending|building"})', "waiting")
SLOTS_SHARE: Final = latest("sum(fluster_slots_used{@worker}) / sum(fluster_slots{@worker})", "slots used")
ENDED: Final = latest("round(sum(increase(fluster_jobs_finished_total{@worker}[$__range])))", "ended")
FAILED: Final = latest(
    'round(sum(increase(fluster_jobs_finished_total{@worker, state=~"failed|worker_failed"}[$__range])))', "failed"
)
OUT_OF_MEMORY: Final = latest(
    'round(sum(increase(fluster_jobs_finished_total{@worker, reason="oom"}[$__range])))', "out of memory"
)
ALERTS: Final = rows(
    'max by (severity, alertname, worker, name, job_id) (ALERTS{@worker, alertstate="firing"})', "Firing"
)


def _column(value: str, column: str) -> Query:
    return rows(f"max by (worker, instance) ({value})", column)


WORKER_UP: Final = _column('up{@worker, job="fluster"}', "Up")
VERSION: Final = rows("max by (worker, instance, version) (fluster_build_info{@worker})", "Build")
RUNTIME: Final = rows(
    "max by (worker, instance, runtime, engine_version, cgroup_version) (fluster_worker_info{@worker})", "Kind"
)
SLOTS_USED: Final = _column("worker:fluster_slots_used:ratio{@worker}", "Slots used")
QUEUED: Final = _column("fluster_queue_length{@worker}", "Waiting")
FREE: Final = rows("min by (worker, instance) (worker_path:fluster_filesystem_free:ratio{@worker})", "Disk free")
FAILED_LATELY: Final = _column("worker:fluster_jobs_failed:increase30m{@worker}", "Failed in 30 min")
UPTIME: Final = _column("time() - process_start_time_seconds{@worker}", "Up for")

SLOTS: Final = (
    over_time("sum(fluster_slots_used{@worker})", "used"),
    over_time("sum(fluster_slots{@worker})", "limit"),
)
QUEUE: Final = (
    over_time("sum(fluster_queue_length{@worker})", "waiting"),
    over_time("sum(fluster_queue_limit{@worker})", "limit"),
)
QUEUE_TIME: Final = tuple(
    over_time(
        f"histogram_quantile({share}, sum by (le) (rate(fluster_job_queue_duration_seconds_bucket{{@worker}}[$__rate_interval])))",
        name,
    )
    for share, name in ((0.5, "half of the jobs"), (0.95, "95 % of the jobs"))
)
ENDED_OVER_TIME: Final = over_time(grown("fluster_jobs_finished_total{@worker}", "state") + " > 0", "{{state}}")
CPU_OF_JOBS: Final = over_time("sum by (worker) (fluster_job_cpu_cores{@worker})", "{{worker}}")
MEMORY_OF_JOBS: Final = over_time("sum by (worker) (fluster_job_memory_working_set_bytes{@worker})", "{{worker}}")

DISK_FREE: Final = over_time("worker_path:fluster_filesystem_free:ratio{@worker}", "{{worker}} {{path}}")
STORED: Final = (
    over_time("sum by (worker) (fluster_log_store_bytes{@worker})", "{{worker}} logs"),
    over_time("sum by (worker, cache) (fluster_cache_bytes{@worker})", "{{worker}} {{cache}}"),
)
ENGINE_UP: Final = over_time("fluster_engine_up{@worker}", "{{worker}}")
ENGINE_TIME: Final = over_time(
    "histogram_quantile(0.95, sum by (le, operation) (rate(fluster_engine_request_duration_seconds_bucket{@worker}[$__rate_interval])))",
    "{{operation}}",
)
ENGINE_ERRORS: Final = over_time(
    grown('fluster_engine_requests_total{@worker, outcome!="ok"}', "worker, outcome"), "{{worker}} {{outcome}}"
)
COLLECTORS: Final = (
    over_time("min by (worker, collector) (fluster_collector_success{@worker})", "{{worker}} {{collector}}"),
)
READ_ERRORS: Final = over_time(
    grown("fluster_stats_errors_total{@worker}", "worker, collector"),
    "{{worker}} {{collector}}",
)
BUILDS: Final = over_time(grown("fluster_builds_total{@worker}", "result"), "{{result}}")
CACHE_HITS: Final = (
    over_time(
        """sum(increase(fluster_image_cache_requests_total{@worker, result="hit"}[1h]))
        / (sum(increase(fluster_image_cache_requests_total{@worker}[1h])) > 0)""",
        "environments and images",
    ),
    over_time(
        """sum(increase(fluster_bundle_cache_requests_total{@worker, result="hit"}[1h]))
        / (sum(increase(fluster_bundle_cache_requests_total{@worker}[1h])) > 0)""",
        "bundles",
    ),
)
LEFTOVERS: Final = (
    over_time("sum by (worker, outcome) (fluster_jobs_recovered_total{@worker})", "{{worker}} {{outcome}}"),
    over_time("fluster_orphans_removed_total{@worker}", "{{worker}} orphans removed"),
)

WORKER_CPU: Final = over_time("rate(process_cpu_seconds_total{@worker}[$__rate_interval])", "{{worker}}")
WORKER_MEMORY: Final = over_time("process_resident_memory_bytes{@worker}", "{{worker}}")
WORKER_FILES: Final = (
    over_time("process_open_fds{@worker}", "{{worker}}"),
    over_time("min(process_max_fds{@worker})", "limit"),
)
REQUESTS: Final = over_time("sum by (code) (rate(fluster_http_requests_total{@worker}[$__rate_interval]))", "{{code}}")
CALLS: Final = over_time(
    "sum by (method, code) (rate(fluster_rpc_requests_total{@worker}[$__rate_interval]))", "{{method}} {{code}}"
)
REQUEST_TIME: Final = over_time(
    "histogram_quantile(0.95, sum by (le, route) (rate(fluster_http_request_duration_seconds_bucket{@worker}[$__rate_interval])))",
    "{{route}}",
)
SCRAPE_TIME: Final = over_time(
    "sum by (worker, collector) (fluster_collector_duration_seconds{@worker})", "{{worker}} {{collector}}"
)
