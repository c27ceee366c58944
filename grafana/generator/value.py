"""Panels of single values: a number or a word in large type, or bars beside each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from grafana_foundation_sdk.builders import bargauge, common, stat
from grafana_foundation_sdk.builders.dashboard import ThresholdsConfig
from grafana_foundation_sdk.models.common import (
    BarGaugeDisplayMode,
    BarGaugeNamePlacement,
    BigValueColorMode,
    BigValueGraphMode,
    BigValueTextMode,
    VizOrientation,
)
from grafana_foundation_sdk.models.dashboard import Panel, ValueMap

from grafana.generator.graph import targets
from grafana.generator.query import Query
from grafana.generator.source import LOKI, PROMETHEUS
from grafana.generator.style import PLAIN, coloured, properties

__all__ = ["bars", "value", "word"]


def value(
    title: str,
    description: str,
    unit: str,
    *queries: Query,
    thresholds: ThresholdsConfig = PLAIN,
    trend: bool = False,
    nothing: str = "–",
    mappings: Sequence[ValueMap] = (),
    overrides: Mapping[str, Mapping[str, Any]] | None = None,
) -> Panel:
    """Numbers in large type, with their names where there are several. `trend` draws the time range behind; `nothing` stands where there is none."""
    panel = (
        stat.Panel()
        .title(title)
        .description(description)
        .datasource(LOKI if queries[0].language == "logql" else PROMETHEUS)
        .unit(unit)
        .no_value(nothing)
        .thresholds(thresholds)
        .color_mode(BigValueColorMode.VALUE)
        .graph_mode(BigValueGraphMode.AREA if trend else BigValueGraphMode.NONE)
        .text_mode(BigValueTextMode.AUTO if len(queries) == 1 else BigValueTextMode.VALUE_AND_NAME)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).values(values=False))
        .targets(targets(queries))
    )
    if mappings:
        panel.mappings(list(mappings))
    for name, values in (overrides or {}).items():
        panel.override_by_name(name, properties(values))
    return panel.build()


def word(
    title: str,
    description: str,
    query: Query,
    *,
    colours: Mapping[str, str],
    words: Mapping[str, str],
    nothing: str = "–",
) -> Panel:
    """What a label says, in large type on its colour: `query` gives one series, whose legend is the label."""
    panel = (
        stat.Panel()
        .title(title)
        .description(description)
        .datasource(PROMETHEUS)
        .unit("none")
        .no_value(nothing)
        .color_mode(BigValueColorMode.BACKGROUND_SOLID)
        .graph_mode(BigValueGraphMode.NONE)
        .text_mode(BigValueTextMode.NAME)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).values(values=False))
        .targets(targets([query]))
    )
    for label, colour in colours.items():
        panel.override_by_name(
            label, properties({**coloured(colour), "displayName": words.get(label, label.replace("_", " "))})
        )
    return panel.build()


def bars(
    title: str, description: str, unit: str, *queries: Query, thresholds: ThresholdsConfig = PLAIN, nothing: str = "nothing in this time",
    highest: float | None = None, colours: Mapping[str, str] | None = None,
) -> Panel:  # fmt: skip
    """A lying bar for each series."""
    panel = (
        bargauge.Panel()
        .title(title)
        .description(description)
        .datasource(PROMETHEUS)
        .unit(unit)
        .min(0)
        .no_value(nothing)
        .thresholds(thresholds)
        .orientation(VizOrientation.HORIZONTAL)
        .display_mode(BarGaugeDisplayMode.GRADIENT)
        .name_placement(BarGaugeNamePlacement.LEFT)
        .legend(common.VizLegendOptions().show_legend(show_legend=False))
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).values(values=False))
        .targets(targets(queries))
    )
    if highest is not None:
        panel.max(highest)
    for name, colour in (colours or {}).items():
        panel.override_by_name(name, properties(coloured(colour)))
    return panel.build()
