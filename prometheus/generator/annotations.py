"""What alerts say beside their query: links, and figures that a template asks Prometheus for when the alert fires."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

from prometheus.generator.recording import promql
from prometheus.generator.thresholds import Thresholds

__all__ = ["asked", "figure", "in_words", "job_links", "runbook", "worker_links"]

_GRAFANA: Final = "{{ $externalLabels.grafana_url }}/d"
_WORKER: Final = "var-worker={{ $labels.worker | urlquery }}"


def runbook(alert: str) -> dict[str, str]:
    return {"runbook_url": f"{{{{ $externalLabels.runbooks_url }}}}/{alert}.md"}


def worker_links() -> dict[str, str]:
    return {
        "worker_page": "http://{{ $labels.instance }}/",
        "dashboard": f"{_GRAFANA}/fluster-workers?{_WORKER}",
    }


def job_links() -> dict[str, str]:
    return {
        "job_page": "http://{{ $labels.instance }}/job/{{ $labels.job_id }}",
        "dashboard": f"{_GRAFANA}/fluster-job?{_WORKER}&var-job_id={{{{ $labels.job_id | urlquery }}}}",
    }


def figure(thresholds: Thresholds, metric: str, form: Literal["bytes", "seconds", "number"], *, without: str) -> str:
    """A template that gives the metric of the alert's own job in words, or `without` where there is none."""
    worded = {"bytes": "humanize1024 }}B", "seconds": "humanizeDuration }}", "number": "humanize }}"}[form]
    return asked(thresholds, metric, f"{{{{ . | first | value | {worded}", without=without)


def asked(thresholds: Thresholds, metric: str, text: str, *, above: float | None = None, without: str = "") -> str:
    """A template that gives `text`, whose dot is the metric of the alert's own job, where there is such a metric `above` a value.

    It looks back as far as the alert about an end does: the job may have been exported once only.
    """
    promql(metric)
    own = f"max(last_over_time({metric}{{worker=%q,instance=%q,job_id=%q}}[{thresholds.event}]))"
    query = own if above is None else f"{own} > {above:g}"
    otherwise = f"{{{{ else }}}}{without}" if without else ""
    of_the_job = "$labels.worker $labels.instance $labels.job_id"
    return f"{{{{ with printf `{query}` {of_the_job} | query }}}}{text}{otherwise}{{{{ end }}}}"


def in_words(label: str, words: Mapping[str, str]) -> str:
    """A template that says a label's value in words."""
    cases = " else if ".join(f"eq $labels.{label} {value!r} }}}}{text}{{{{" for value, text in words.items())
    return "{{ if " + cases.replace("'", '"') + " end }}"
