"""The text of an exposition: Prometheus' own format 0.0.4 and OpenMetrics 1.0.0. Their samples are written alike, their headers differ."""

from __future__ import annotations

import math
from enum import Enum
from functools import lru_cache

from fluster.catalogue import Metric
from fluster.collectors.families import Family

__all__ = ["Format", "escape", "family_lines", "header", "number", "series"]


class Format(Enum):
    """The value is the content type."""

    TEXT = "text/plain; version=0.0.4; charset=utf-8"
    OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"

    @property
    def end(self) -> str:
        """What stands after the last family."""
        return "# EOF\n" if self is Format.OPENMETRICS else ""


@lru_cache(maxsize=1024)
def header(metric: Metric, form: Format) -> str:
    """HELP and TYPE; OpenMetrics names a counter without _total, tells its unit, and escapes quotes in the help."""
    if form is Format.TEXT:
        text = metric.help.replace("\\", "\\\\").replace("\n", "\\n")
        return f"# HELP {metric.name} {text}\n# TYPE {metric.name} {metric.type}\n"
    name = metric.family
    unit = f"# UNIT {name} {metric.unit}\n" if metric.unit else ""
    return f"# HELP {name} {escape(metric.help)}\n# TYPE {name} {metric.type}\n{unit}"


def escape(value: str) -> str:
    """A label's value, as it stands between its quotes."""
    if "\\" in value or '"' in value or "\n" in value:
        return value.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
    return value


def number(value: float) -> str:
    """Shortest text that reads back as this number; an integer has no point."""
    if math.isfinite(value):
        return str(value)
    return "NaN" if math.isnan(value) else "+Inf" if value > 0 else "-Inf"


@lru_cache(maxsize=8192)
def series(name: str, names: tuple[str, ...], values: tuple[str, ...]) -> str:
    """What stands before the number, with the blank between."""
    labels = ",".join(f'{label}="{escape(value)}"' for label, value in zip(names, values, strict=True))
    return f"{name}{{{labels}}} " if labels else f"{name} "


def family_lines(family: Family) -> list[str]:
    """All sample lines of a family."""
    name, labels = family.metric.name, family.metric.labels
    names = {"": labels, "_bucket": (*labels, "le"), "_sum": labels, "_count": labels}
    return [
        f"{series(name + suffix, names[suffix], values)}{number(value)}\n" for suffix, values, value in family.samples()
    ]
