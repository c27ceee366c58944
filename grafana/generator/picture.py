"""A dashboard's grid as a picture: titles, kinds and sizes, for the docs and for whoever changes the order."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final
from xml.sax.saxutils import escape

from grafana_foundation_sdk.models.dashboard import Dashboard, Panel, RowPanel

from grafana.generator.grid import WIDTH

__all__ = ["picture"]

_COLUMN: Final = 42
_STEP: Final = 21
_HEAD: Final = 62
_COLOURS: Final = {
    "stat": "#dcebff", "timeseries": "#e6f4e6", "table": "#fdf3d8", "logs": "#f3e8fb", "bargauge": "#fde6dc", "heatmap": "#dff3f3",
}  # fmt: skip
_KINDS: Final = {
    "stat": "number", "timeseries": "over time", "table": "table", "logs": "log lines", "bargauge": "bars", "heatmap": "spread",
}  # fmt: skip


def picture(dashboard: Dashboard) -> str:
    """An SVG."""
    panels = dashboard.panels or []
    bottom = max(place.y + place.h for panel in panels if (place := panel.grid_pos) is not None)
    width, height = WIDTH * _COLUMN + 16, bottom * _STEP + _HEAD + 8
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" font-family="sans-serif">',
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
        _text(8, 24, 18, dashboard.title or "", weight="bold"),
        _text(8, 46, 12, _choices(dashboard), colour="#555555"),
    ]
    for panel in panels:
        lines += _row(panel) if isinstance(panel, RowPanel) else _panel(panel)
    return "\n".join([*lines, "</svg>", ""])


def _choices(dashboard: Dashboard) -> str:
    variables = dashboard.templating.list_val
    return "Choose: " + ", ".join((variable.label or variable.name) for variable in variables or [])


def _row(row: RowPanel) -> Iterator[str]:
    assert row.grid_pos is not None  # noqa: S101 # placed() has given it one
    y = _HEAD + row.grid_pos.y * _STEP
    title = (
        f"▸ {row.title}: {', '.join(panel.title or '' for panel in row.panels)}" if row.collapsed else f"▾ {row.title}"
    )
    yield _text(10, y + 16, 14, title, weight="bold")


def _panel(panel: Panel) -> Iterator[str]:
    place = panel.grid_pos
    assert place is not None  # noqa: S101 # placed() has given it one
    x, y, width, height = 8 + place.x * _COLUMN, _HEAD + place.y * _STEP, place.w * _COLUMN - 4, place.h * _STEP - 4
    yield f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="3" fill="{_COLOURS[panel.type_val]}" stroke="#b0b0b0"/>'
    yield _text(x + 8, y + 18, 13, _shortened(panel.title or "", width, 8.2), weight="bold")
    yield _text(x + 8, y + 34, 11, f"{_KINDS[panel.type_val]}, {place.w} x {place.h}", colour="#555555")
    if place.h > 4:
        for number, line in enumerate(_wrapped(panel.description or "", width, place.h - 3)):
            yield _text(x + 8, y + 54 + number * 15, 11, line, colour="#333333")


def _text(x: int, y: int, size: int, text: str, *, weight: str = "normal", colour: str = "#111111") -> str:
    return f'<text x="{x}" y="{y}" font-size="{size}" font-weight="{weight}" fill="{colour}">{escape(text)}</text>'


def _shortened(text: str, width: int, letter: float) -> str:
    most = int((width - 12) / letter)
    return text if len(text) <= most else text[: most - 1] + "…"


def _wrapped(text: str, width: int, most: int) -> list[str]:
    lines = [""]
    for word in text.split():
        if len(lines[-1]) + len(word) + 1 > (width - 12) / 5.9:
            lines.append("")
        lines[-1] += f" {word}" if lines[-1] else word
    return lines[:most]
