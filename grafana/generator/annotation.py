"""Marks on the time axis: when jobs began, ended, and were killed for memory."""

from __future__ import annotations

from typing import Any, Final

from grafana_foundation_sdk.models.dashboard import AnnotationQuery

from grafana.generator.query import prom
from grafana.generator.source import PROMETHEUS

__all__ = ["JOBS_MARKS", "JOB_MARKS", "WORKER_MARKS"]


class PrometheusAnnotation(AnnotationQuery):
    """With what the datasource's plugin reads and the SDK's model does not know: the value of a series as the time of the mark, in ms."""

    def __init__(self, name: str, expr: str, colour: str, title: str, text: str, *, value_is_time: bool) -> None:
        super().__init__(name=name, datasource=PROMETHEUS, enable=True, hide=False, icon_color=colour, expr=prom(expr))
        self._of_plugin: dict[str, Any] = {
            "titleFormat": title, "textFormat": text, "tagKeys": "", "step": "", "useValueForTime": value_is_time,
        }  # fmt: skip

    def to_json(self) -> dict[str, object]:
        return super().to_json() | self._of_plugin


def _job_marks(job: str) -> tuple[AnnotationQuery, ...]:
    """`job` is the short form of the matchers that choose the jobs."""
    text = "{{job_id}} on {{worker}}"
    finished = f"fluster_job_finished_timestamp_seconds{{{job}}} * 1000"
    return (
        PrometheusAnnotation(
            "Job started", f"fluster_job_started_timestamp_seconds{{{job}}} * 1000", "blue", "started", text, value_is_time=True
        ),
        PrometheusAnnotation(
            "Job ended", f"{finished} * on (worker, instance, job_id) group_left (reason) fluster_job_end_reason{{{job}}}", "green",
            "ended: {{reason}}", text, value_is_time=True,
        ),
        PrometheusAnnotation(
            "Out of memory", f"{finished} and on (worker, instance, job_id) fluster_job_oom_killed{{{job}}} == 1", "red", "out of memory", text,
            value_is_time=True,
        ),
        PrometheusAnnotation(
            "Process killed for memory", f"increase(fluster_job_oom_kills_total{{{job}}}[$__rate_interval]) > 0", "orange",
            "a process was killed for memory", text, value_is_time=False,
        ),
    )  # fmt: skip


JOB_MARKS: Final = _job_marks("@job")
"""Of the one job that is looked at."""
JOBS_MARKS: Final = _job_marks("@jobs")
"""Of all jobs that are chosen."""
WORKER_MARKS: Final = (
    PrometheusAnnotation(
        "Worker started",
        "process_start_time_seconds{@worker} * 1000",
        "blue",
        "worker started",
        "{{worker}}",
        value_is_time=True,
    ),
)
