"""Queries are written as one would type them into Prometheus, and refused here where they name what no worker exports.

`promql` parses a query, and holds each metric and label in it against the catalogue and the recording rules. So a metric that gets another
name breaks the generation of everything that asked for the old one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

import promql_parser

from fluster.catalogue import METRICS

__all__ = ["CATALOGUE_SERIES", "TARGET_LABELS", "QueryError", "Series", "promql", "selectors", "with_variables_filled"]

Series = Mapping[str, frozenset[str]]
"""Names of time series, as a query has them, with their labels."""
TARGET_LABELS: Final = frozenset({"worker", "instance", "job"})
"""What the scrape configuration puts on every series of a worker."""
_OF_PROMETHEUS: Final = {
    "up": TARGET_LABELS,
    "scrape_duration_seconds": TARGET_LABELS,
    "scrape_samples_scraped": TARGET_LABELS,
    "ALERTS": TARGET_LABELS | {"alertname", "alertstate", "severity", "job_id", "name"},
}
"""What Prometheus itself adds."""


class QueryError(ValueError):
    """Says in one sentence what is wrong with which query."""


def _catalogue() -> dict[str, frozenset[str]]:
    series: dict[str, frozenset[str]] = {}
    for metric in METRICS:
        labels = frozenset(metric.labels) | TARGET_LABELS
        if metric.type == "histogram":
            series |= {
                f"{metric.name}_bucket": labels | {"le"},
                f"{metric.name}_sum": labels,
                f"{metric.name}_count": labels,
            }
        else:
            series[metric.name] = labels
    return series


CATALOGUE_SERIES: Final[Series] = {**_catalogue(), **_OF_PROMETHEUS}


def promql(text: str, series: Series) -> str:
    """`text` in one line. Raises QueryError where it is no PromQL, or where a metric or a label in it does not exist."""
    query = " ".join(text.split())
    tree = _parse(query)
    labels: set[str] = set()
    for selector in selectors(tree):
        if selector.name not in series:
            raise QueryError(f"{selector.name} is neither in the catalogue nor recorded: {query}")
        for name in (matcher.name for matcher in selector.matchers.matchers):
            if name not in series[selector.name]:
                raise QueryError(f"{selector.name} has no label {name}: {query}")
        labels |= series[selector.name]
    for name in _grouping_labels(tree) - labels:
        raise QueryError(f"no metric here has the label {name}: {query}")
    return query


def with_variables_filled(query: str) -> str:
    """Grafana's own durations as numbers, so that a parser of PromQL takes the query."""
    return re.sub(r"\$(?:__rate_interval|__interval|__range|__auto)\b|\$\{__\w+\}", "5m", query)


def selectors(query: str | promql_parser.Expr) -> list[Any]:
    """All VectorSelectors of a query, those inside of ranges included."""
    found: list[Any] = []

    def look(node: promql_parser.Expr) -> bool:
        if isinstance(node, promql_parser.VectorSelector):
            found.append(node)
        elif isinstance(node, promql_parser.MatrixSelector):
            found.append(node.vector_selector)
        return True

    promql_parser.walk(_parse(query) if isinstance(query, str) else query, look)
    return found


def _parse(query: str) -> promql_parser.Expr:
    try:
        return promql_parser.parse(with_variables_filled(query))
    except ValueError as error:
        raise QueryError(f"no PromQL, {error}: {query}") from error


def _grouping_labels(tree: promql_parser.Expr) -> set[str]:
    """The labels that by, without, on, ignoring, group_left and group_right name."""
    names: set[str] = set()

    def look(node: promql_parser.Expr) -> bool:
        modifier = getattr(node, "modifier", None)
        if isinstance(node, promql_parser.AggregateExpr) and modifier is not None:
            names.update(modifier.labels)
        elif isinstance(node, promql_parser.BinaryExpr) and modifier is not None:
            if modifier.matching is not None:
                names.update(modifier.matching.labels)
            names.update(modifier.group_labels or ())
        return True

    promql_parser.walk(tree, look)
    return names
