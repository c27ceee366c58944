"""Panels of log lines, from Loki."""

from __future__ import annotations

from grafana_foundation_sdk.builders import logs
from grafana_foundation_sdk.models.common import LogsDedupStrategy, LogsSortOrder
from grafana_foundation_sdk.models.dashboard import Panel

from grafana.generator.graph import targets
from grafana.generator.query import Query
from grafana.generator.source import LOKI

__all__ = ["lines"]


def lines(title: str, description: str, query: Query, *, newest_first: bool) -> Panel:
    return (
        logs.Panel()
        .title(title)
        .description(description)
        .datasource(LOKI)
        .unit("none")
        .no_value("no lines in this time")
        .show_time(show_time=True)
        .show_labels(show_labels=False)
        .show_common_labels(show_common_labels=False)
        .wrap_log_message(wrap_log_message=True)
        .prettify_log_message(prettify_log_message=False)
        .enable_log_details(enable_log_details=True)
        .enable_infinite_scrolling(enable_infinite_scrolling=True)
        .dedup_strategy(LogsDedupStrategy.NONE)
        .sort_order(LogsSortOrder.DESCENDING if newest_first else LogsSortOrder.ASCENDING)
        .targets(targets([query]))
        .build()
    )
