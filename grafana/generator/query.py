"""One query of a panel. PromQL is held against the catalogue where it is written, and every query asks for the chosen workers only.

Short forms inside of braces: `@worker` is the matcher of the variable worker, `@job` those of worker and the one job_id, `@jobs` the same
where several jobs may be chosen.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

from grafana_foundation_sdk.builders.loki import Dataquery as LokiQuery
from grafana_foundation_sdk.builders.prometheus import Dataquery as PrometheusQuery
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from grafana.generator.source import LOKI, PROMETHEUS
from prometheus.generator.promql import QueryError, selectors
from prometheus.generator.recording import promql

__all__ = ["Query", "buckets", "grown", "latest", "logql", "over_time", "prom", "rows"]

_SHORT_FORMS: Final = {
    "@worker": 'worker=~"$worker"',
    "@jobs": 'worker=~"$worker", job_id=~"$job_id"',
    "@job": 'worker=~"$worker", job_id="$job_id"',
}


_YOUNG: Final = 300
"""Seconds after its submission within which a job is seen for the first time, unless nobody looked."""


@dataclass(frozen=True, slots=True)
class Query:
    """`legend` names the series, or the column of a table. `kind`: series over time, the latest value of each, or rows of a table."""

    expr: str
    legend: str
    kind: Literal["series", "latest", "rows", "buckets"] = "series"
    language: Literal["promql", "logql"] = "promql"

    def target(self, ref_id: str) -> PrometheusQuery | LokiQuery:
        """As the panel of the SDK wants it."""
        if self.language == "logql":
            target = LokiQuery().datasource(LOKI).ref_id(ref_id).expr(self.expr).legend_format(self.legend)
            return target.query_type("instant" if self.kind == "latest" else "range")
        query = PrometheusQuery().datasource(PROMETHEUS).ref_id(ref_id).expr(self.expr).legend_format(self.legend)
        query = query.range() if self.kind in {"series", "buckets"} else query.instant()
        return query.format(
            {"rows": PromQueryFormat.TABLE, "buckets": PromQueryFormat.HEATMAP}.get(
                self.kind, PromQueryFormat.TIME_SERIES
            )
        )


def prom(text: str) -> str:
    """PromQL with its short forms written out. Raises QueryError where it names what does not exist, or asks beyond the chosen workers."""
    query = promql(_written_out(text))
    for selector in selectors(query):
        if not any(matcher.name == "worker" and matcher.value == "$worker" for matcher in selector.matchers.matchers):
            raise QueryError(f"{selector.name} is asked of all workers; put @worker or @job into its braces: {query}")
    return query


def over_time(text: str, legend: str) -> Query:
    """A line for each series."""
    return Query(prom(text), legend)


def latest(text: str, legend: str) -> Query:
    """One value for each series, at the end of the time range."""
    return Query(prom(text), legend, "latest")


def rows(text: str, column: str) -> Query:
    """Rows of a table; the value stands below `column`, labels in columns of their own."""
    return Query(prom(text), column, "rows")


def buckets(histogram: str) -> Query:
    """How many fell into each bucket of this histogram of the catalogue."""
    return Query(prom(grown(f"{histogram}_bucket{{@worker}}", "le")), "{{le}}", "buckets")


def grown(counter: str, by: str, *, of_jobs: str = "") -> str:
    """How much a counter grew between two points of a graph, summed by these labels: over all points that is what it grew in all.

    Windows of increase() overlap there, and would count each event several times. A counter of a worker is there at 0 from its start; one of a job is
    often past 0 when it is seen first: with `of_jobs`, the matchers that choose them, what a young job's first sample says counts too.
    """
    before = f"{counter} offset $__interval"
    if of_jobs:
        young = f"(time() - fluster_job_submitted_timestamp_seconds{{{of_jobs}}}) < {_YOUNG}"
        before = f"({before} or {counter} * 0 and on (worker, instance, job_id) {young})"
    return f"sum by ({by}) (clamp_min({counter} - {before}, 0))"


def logql(text: str, legend: str = "", kind: Literal["series", "latest"] = "series") -> Query:
    query = " ".join(_written_out(text).split())
    # Braces inside of strings select nothing; what the worker's matcher says is looked at.
    for selector in re.findall(r"\{[^}]*\}", re.sub(r'"(?!\$worker")(?:[^"\\]|\\.)*"|`[^`]*`', '""', query)):
        if 'worker=~"$worker"' not in selector:
            raise QueryError(f"{selector} asks all workers; put @worker into it: {query}")
    return Query(query, legend, kind, "logql")


def _written_out(text: str) -> str:
    for short, matchers in _SHORT_FORMS.items():
        text = text.replace(short, matchers)
    return text
