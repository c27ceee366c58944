"""Colours and lines that mean the same on every dashboard."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from grafana_foundation_sdk.builders.dashboard import ThresholdsConfig
from grafana_foundation_sdk.models.dashboard import (
    DynamicConfigValue,
    Threshold,
    ThresholdsMode,
    ValueMap,
    ValueMappingResult,
)

__all__ = [
    "LIMIT",
    "PEAK",
    "PLAIN",
    "REASONS",
    "STATES",
    "WORDS",
    "bad_from",
    "coloured",
    "good_from",
    "properties",
    "said",
    "second_axis",
]

STATES: Final = {
    "pending": "#8e8e8e", "building": "purple", "running": "blue", "succeeded": "green", "failed": "red", "killed": "orange",
    "worker_failed": "dark-red", "unschedulable": "dark-yellow",
}  # fmt: skip
"""Colours by state."""

REASONS: Final = {
    "completed": "green", "exit_code": "red", "oom": "dark-red", "timeout": "orange", "bundle": "red", "build": "red", "start": "red",
    "user": "blue", "shutdown": "blue", "disk_quota": "orange", "infrastructure": "purple",
}  # fmt: skip
"""Colours by end reason."""

WORDS: Final = {
    "exit_code": "exit code", "oom": "out of memory", "timeout": "timed out", "bundle": "bundle failed", "build": "build failed",
    "start": "did not start", "user": "killed by user", "shutdown": "worker shut down", "disk_quota": "disk limit", "worker_failed": "worker failed",
}  # fmt: skip
"""What a reader sees for a state or a reason whose label does not speak for itself."""


def properties(values: Mapping[str, Any]) -> list[DynamicConfigValue]:
    """An override, as the SDK has it."""
    return [DynamicConfigValue(id_val=name, value=value) for name, value in values.items()]


def coloured(colour: str) -> dict[str, Any]:
    return {"color": {"mode": "fixed", "fixedColor": colour}}


LIMIT: Final = {
    **coloured("red"), "custom.lineStyle": {"fill": "dash", "dash": [8, 6]}, "custom.fillOpacity": 0, "custom.lineWidth": 1,
    "custom.stacking": {"group": "A", "mode": "none"},
}  # fmt: skip
"""A limit is a dashed red line, never stacked."""
PEAK: Final = {
    **coloured("orange"), "custom.lineStyle": {"fill": "dot", "dash": [2, 6]}, "custom.fillOpacity": 0, "custom.lineWidth": 2,
    "custom.stacking": {"group": "A", "mode": "none"},
}  # fmt: skip
"""A peak is a dotted line: it holds since some moment, and says nothing about now."""


def second_axis(unit: str) -> dict[str, Any]:
    """A series of another unit, on the right, as points without a fill."""
    return {
        "unit": unit,
        "custom.axisPlacement": "right",
        "custom.fillOpacity": 0,
        "custom.stacking": {"group": "B", "mode": "none"},
        "min": 0,
    }


def _steps(*steps: tuple[float | None, str]) -> ThresholdsConfig:
    return (
        ThresholdsConfig()
        .mode(ThresholdsMode.ABSOLUTE)
        .steps([Threshold(value=value, color=colour) for value, colour in steps])
    )


PLAIN: Final = _steps((None, "text"))
"""No verdict."""


def bad_from(value: float, *, warn: float | None = None) -> ThresholdsConfig:
    """Red from `value` on, orange from `warn` on, green below."""
    return _steps((None, "green"), *([(warn, "orange")] if warn is not None else []), (value, "red"))


def good_from(value: float) -> ThresholdsConfig:
    """Green from `value` on, red below."""
    return _steps((None, "red"), (value, "green"))


def said(values: Mapping[str, tuple[str, str]]) -> list[ValueMap]:
    """Value to (words, colour)."""
    return [
        ValueMap(
            options={
                value: ValueMappingResult(text=text, color=colour, index=index)
                for index, (value, (text, colour)) in enumerate(values.items())
            }
        )
    ]
