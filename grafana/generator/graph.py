"""Panels over time: lines, stacked areas or bars, and the spread of a histogram."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from grafana_foundation_sdk.builders import common, heatmap, timeseries
from grafana_foundation_sdk.models.common import (
    GraphDrawStyle,
    GraphThresholdsStyleMode,
    LegendDisplayMode,
    LegendPlacement,
    ScaleDistribution,
    SortOrder,
    StackingMode,
    TooltipDisplayMode,
    VisibilityMode,
)
from grafana_foundation_sdk.models.dashboard import Panel
from grafana_foundation_sdk.models.heatmap import HeatmapColorMode

from grafana.generator.query import Query
from grafana.generator.source import LOKI, PROMETHEUS
from grafana.generator.style import LIMIT, PEAK, bad_from, properties

__all__ = ["graph", "spread"]


def graph(
    title: str,
    description: str,
    unit: str,
    *queries: Query,
    stacked: bool = False,
    bars: bool = False,
    calcs: Sequence[str] = ("lastNotNull", "max"),
    limit: float | None = None,
    highest: float | None = None,
    nothing: str = "nothing in this time",
    overrides: Mapping[str, Mapping[str, Any]] | None = None,
) -> Panel:
    """Lines over time. A series called `limit` or `peak` is drawn as one; `limit` draws a line where alerts begin; `overrides` by series."""
    panel = (
        timeseries.Panel()
        .title(title)
        .description(description)
        .datasource(LOKI if queries[0].language == "logql" else PROMETHEUS)
        .unit(unit)
        .min(0)
        .no_value(nothing)
        .line_width(1)
        .fill_opacity(80 if bars else 25 if stacked else 10)
        .draw_style(GraphDrawStyle.BARS if bars else GraphDrawStyle.LINE)
        .show_points(VisibilityMode.AUTO)
        .point_size(5)
        .span_nulls(span_nulls=False)
        .tooltip(common.VizTooltipOptions().mode(TooltipDisplayMode.MULTI).sort(SortOrder.DESCENDING))
        .legend(
            common.VizLegendOptions()
            .show_legend(show_legend=True)
            .display_mode(LegendDisplayMode.TABLE if calcs else LegendDisplayMode.LIST)
            .placement(LegendPlacement.BOTTOM)
            .calcs(list(calcs))
        )
        .targets(targets(queries))
    )
    if stacked or bars:
        panel.stacking(common.StackingConfig().group("A").mode(StackingMode.NORMAL))
    if highest is not None:
        panel.max(highest)
    if limit is not None:
        panel.thresholds(bad_from(limit)).thresholds_style(
            common.GraphThresholdsStyleConfig().mode(GraphThresholdsStyleMode.DASHED)
        )
    for name, values in {"limit": LIMIT, "peak": PEAK, **(overrides or {})}.items():
        panel.override_by_name(name, properties(values))
    return panel.build()


def spread(title: str, description: str, unit: str, query: Query) -> Panel:
    """How many fell into which bucket of a histogram, over time."""
    return (
        heatmap.Panel()
        .title(title)
        .description(description)
        .datasource(PROMETHEUS)
        .unit("short")
        .no_value("nothing in this time")
        .calculate(calculate=False)
        .cell_gap(1)
        .color(heatmap.HeatmapColorOptions().mode(HeatmapColorMode.SCHEME).scheme("Blues").steps(32))
        .y_axis(heatmap.YAxisConfig().unit(unit).decimals(1))
        .scale_distribution(common.ScaleDistributionConfig().type(ScaleDistribution.LINEAR))
        .filter_values(heatmap.FilterValueRange().le(1e-9))
        .mode(TooltipDisplayMode.SINGLE)
        .show_legend()
        .targets(targets([query]))
        .build()
    )


def targets(queries: Sequence[Query]) -> list[Any]:
    """With the reference ids A, B, C."""
    return [query.target(chr(ord("A") + number)) for number, query in enumerate(queries)]
