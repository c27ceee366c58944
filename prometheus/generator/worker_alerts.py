"""Alerts about workers: what keeps jobs from running, or their figures from being true."""

from __future__ import annotations

from typing import Any

from prometheus.generator.annotations import runbook, worker_links
from prometheus.generator.recording import promql
from prometheus.generator.rule import Alert, Group
from prometheus.generator.thresholds import Thresholds

__all__ = ["worker_alerts"]

# The scrape configuration gives a worker's series the label `worker`; Prometheus' own up and process_* have none.


def worker_alerts(thresholds: Thresholds) -> Group:
    return Group(
        "fluster-workers",
        [*_reachable(thresholds), *_engine(thresholds), *_disks(thresholds), *_jobs_of_a_worker(thresholds)],
    )


def _alert(name: str, query: str, **more: Any) -> Alert:
    return Alert(name=name, query=promql(query), annotations={**runbook(name), **worker_links()}, **more)


def _reachable(t: Thresholds) -> list[Alert]:
    return [
        _alert(
            # A target that service discovery dropped has no `up` at all: it is missed for as long as it is remembered.
            "FlusterWorkerDown",
            f"""up{{worker!=""}} == 0
            or group by (worker, instance, job) (last_over_time(up{{worker!=""}}[{t.remembered}])) unless on (worker) up""",
            after=t.worker_down, severity="critical",
            summary="Worker {{ $labels.worker }} is down.",
            description="{{ if eq $value 0.0 }}Prometheus has not reached {{ $labels.instance }}{{ else }}{{ $labels.instance }} has been "
            f"no target of Prometheus any more{{{{ end }}}} for {t.worker_down.in_words}. Jobs may go on running there; nothing is known of them.",
        ),
        _alert(
            # A restart is told from the start time: an earlier one is known, and the present one is recent.
            "FlusterWorkerRestarted",
            f"""changes(process_start_time_seconds{{worker!=""}}[{t.remembered}]) > 0
            and (time() - process_start_time_seconds{{worker!=""}}) < {t.event.seconds}""",
            severity="warning",
            summary="Worker {{ $labels.worker }} was restarted.",
            description=f"Restarts within {t.remembered.in_words}: {{{{ $value }}}}. Jobs that ran are adopted where its runtime "
            "let them live; others ended with the reason shutdown or infrastructure.",
        ),
    ]  # fmt: skip


def _engine(t: Thresholds) -> list[Alert]:
    return [
        _alert(
            "FlusterEngineDown", "fluster_engine_up == 0", after=t.engine_down, severity="critical",
            summary="The engine of worker {{ $labels.worker }} does not answer.",
            description=f"For {t.engine_down.in_words} no job of this worker could start, and none that runs could be asked.",
        ),
        _alert(
            # Counts that grow say what a gauge cannot: readings fail between scrapes. One failed reading is no failing collector.
            "FlusterCollectorFailing",
            f"fluster_collector_success == 0 or rate(fluster_stats_errors_total[{t.rate}]) > 0",
            after=t.collector_failing, severity="warning",
            summary="Collector {{ $labels.collector }} of worker {{ $labels.worker }} fails.",
            description=f"For {t.collector_failing.in_words} figures have been missing: what dashboards and other alerts say of this worker and its "
            "jobs is not whole.",
        ),
        _alert(
            # Counted while the worker starts: the first sample holds them already, so there is nothing to increase from.
            "FlusterOrphansRemoved",
            f"""fluster_orphans_removed_total > 0
            and on (worker, instance) (time() - process_start_time_seconds) < {t.event.seconds}""",
            severity="info",
            summary="Worker {{ $labels.worker }} removed leftovers that belonged to no job: {{ $value }}.",
            description="It found them when it started: processes, containers, control groups or folders that an earlier worker did not take away.",
        ),
    ]  # fmt: skip


def _disks(t: Thresholds) -> list[Alert]:
    free, short = "worker_path:fluster_filesystem_free:ratio", t.filesystem_short
    return [
        _alert(
            "FlusterDiskFull", f"{free} < {short}", after=t.filesystem_full, severity="critical",
            summary="The {{ $labels.path }} directory of worker {{ $labels.worker }} has only {{ $value | humanizePercentage }} of its disk free.",
            description=f"Below {short:.0%} jobs fail, lines of logs are lost, and the worker may be unable to note what happens.",
        ),
        _alert(
            "FlusterDiskFilling",
            f"""{free} < {t.filesystem_free} or {free} < {t.filesystem_ample}
            and predict_linear(fluster_filesystem_free_bytes[{t.filesystem_trend}], {t.filesystem_ahead.seconds}) < 0""",
            after=t.filesystem_filling, severity="warning",
            summary="The disk below the {{ $labels.path }} directory of worker {{ $labels.worker }} is filling.",
            description=f"{{{{ $value | humanizePercentage }}}} are free: less than {t.filesystem_free:.0%}, or at the rate of the last "
            f"{t.filesystem_trend.in_words} nothing in {t.filesystem_ahead.in_words}.",
        ),
    ]  # fmt: skip


def _jobs_of_a_worker(t: Thresholds) -> list[Alert]:
    window = t.failure_window
    return [
        _alert(
            "FlusterQueueSaturated", f"worker:fluster_queue_length:ratio > {t.queue}", after=t.queue_saturated, severity="warning",
            summary="The queue of worker {{ $labels.worker }} is nearly full.",
            description=f"For {t.queue_saturated.in_words} more than {t.queue:.0%} of it have been taken, now {{{{ $value | humanizePercentage }}}}. "
            "Submissions to a full queue are refused.",
        ),
        _alert(
            "FlusterJobFailureRatioHigh",
            f"""worker:fluster_jobs_failed:ratio_increase30m > {t.failed_jobs}
            and worker:fluster_jobs_finished:increase30m >= {t.failure_minimum}""",
            severity="warning",
            summary="{{ $value | humanizePercentage }} of the jobs on worker {{ $labels.worker }} failed.",
            description=f"Of the jobs that ended within {window.in_words} more than {t.failed_jobs:.0%} failed, by their own fault or the worker's.",
        ),
        _alert(
            "FlusterBuildsFailing",
            f"""sum without (result) (increase(fluster_builds_total{{result="failed"}}[{window}])) >= {t.builds_failed}""",
            severity="warning",
            summary="Builds fail on worker {{ $labels.worker }}.",
            description=f"""{{{{ $value | printf "%.0f" }}}} builds failed within {window.in_words}: more than one job's own mistake; an index, a base """
            "image or the network may be out of reach.",
        ),
    ]  # fmt: skip
