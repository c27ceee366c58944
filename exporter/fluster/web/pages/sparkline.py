"""The small curve beside a figure: the last minute of a job's samples as SVG paths, and in words. Pure; units are the caller's."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import Final

__all__ = ["HEIGHT", "WIDTH", "Sparkline", "sparkline"]

WIDTH: Final = 120
HEIGHT: Final = 32
_SECONDS: Final = 60
_LIMIT_REACH: Final = 4
"""A limit that is further above all the rest is not drawn: the curve below it would be flat."""
_GAP: Final = 3.0
"""So many times the usual pause between two samples break the line."""
_BUCKETS: Final = 30
"""Of each the first, the lowest, the highest and the last sample stay: at most 120 points."""

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Sparkline:
    """For `viewBox="0 0 120 32"`: y grows downwards, the newest sample is at the right edge."""

    line: str
    """`d` of a path without fill; "" where there is no value."""
    area: str
    """`d` of the path between the line and the bottom."""
    limit_y: float | None
    """Where a line for the limit goes; None where there is no limit, or it is far above the curve."""
    peak_y: float | None
    label: str
    """What the curve shows, for `aria-label`."""


def sparkline(
    name: str,
    samples: Iterable[tuple[int, float | None]],
    *,
    text: Callable[[float], str],
    limit: float | None = None,
    peak: float | None = None,
) -> Sparkline:
    """The curve of one figure.

    `samples` are (milliseconds since the epoch, value or None), oldest first; None breaks the line. What is more than 60 s older
    than the newest one is left out. `limit` and `peak` are in the unit of the values; `text` writes one for people, and `name` is
    the figure's, as it begins a sentence:

        sparkline("memory", [(s.timestamp_ms, s.memory_bytes) for s in samples], text=format_bytes, limit=..., peak=...)
        sparkline("CPU", [(s.timestamp_ms, s.cpu_cores) for s in samples], text=lambda cores: f"{cores:.2f} cores")
        sparkline("processes", [(s.timestamp_ms, s.processes) for s in samples], text=str)
        sparkline("disk", [(s.timestamp_ms, s.disk_bytes) for s in samples], text=format_bytes)
    """
    limit, peak = _known(limit), _known(peak)
    taken = sorted((at, _known(value)) for at, value in dict(samples).items())
    newest = taken[-1][0] if taken else 0
    taken = [(at, value) for at, value in taken if newest - at <= _SECONDS * 1000]
    values = [value for _, value in taken if value is not None]
    top = max([*values, peak or 0.0])
    shown_limit = limit if limit is not None and (top == 0 or limit <= top * _LIMIT_REACH) else None
    top = max(top, shown_limit or 0.0)

    def y(value: float) -> float:
        return round(HEIGHT * (1 - value / top), 2) if top else float(HEIGHT)

    def x(at: int) -> float:
        return round(WIDTH * (1 - (newest - at) / (_SECONDS * 1000)), 2)

    points = _fewer(_numbered(taken), newest)
    pieces = [[(x(at), y(value)) for _, at, value in piece] for _, piece in groupby(points, key=lambda point: point[0])]
    return Sparkline(
        line="".join(map(_line, pieces)),
        area="".join(map(_area, pieces)),
        limit_y=None if shown_limit is None else y(shown_limit),
        peak_y=None if peak is None else y(peak),
        label=_label(name, values, text, limit, peak),
    )


def _known(value: float | None) -> float | None:
    """A figure that can be drawn: finite, not below 0."""
    return None if value is None or not math.isfinite(value) else max(value, 0)


def _numbered(samples: Sequence[tuple[int, float | None]]) -> list[tuple[int, int, float]]:
    """(number of the piece that is drawn in one go, time, value). A gap is a sample without a value, or an unusually long pause."""
    pauses = sorted(after[0] - before[0] for before, after in pairwise(samples))
    longest = pauses[len(pauses) // 2] * _GAP if pauses else 0.0
    numbered: list[tuple[int, int, float]] = []
    piece, last = 0, None
    for at, value in samples:
        if value is not None:
            piece += last is None or at - last > longest
            numbered.append((piece, at, value))
        last = None if value is None else at
    return numbered


def _fewer(points: list[tuple[int, int, float]], newest: int) -> list[tuple[int, int, float]]:
    """Some of the points where they are many: each stretch of time keeps its extremes and its ends."""
    if len(points) <= 4 * _BUCKETS:
        return points
    buckets: dict[int, list[tuple[int, int, float]]] = {}
    for point in points:
        buckets.setdefault((newest - point[1]) * _BUCKETS // (_SECONDS * 1000 + 1), []).append(point)
    kept: list[tuple[int, int, float]] = []
    for bucket in buckets.values():
        by_value = sorted(bucket, key=lambda point: point[2])
        kept += sorted({bucket[0], by_value[0], by_value[-1], bucket[-1]})
    return kept


def _line(piece: Sequence[Point]) -> str:
    """A lone point is a short dash, so that it is seen."""
    (x, y), *rest = piece
    if not rest:
        return f"M{max(x - 0.5, 0):g} {y:g}H{min(x + 0.5, WIDTH):g}"
    return f"M{x:g} {y:g}L{' '.join(f'{x:g} {y:g}' for x, y in rest)}"


def _area(piece: Sequence[Point]) -> str:
    if len(piece) == 1:
        return ""
    return f"M{piece[0][0]:g} {HEIGHT}L{' '.join(f'{x:g} {y:g}' for x, y in piece)} {piece[-1][0]:g} {HEIGHT}Z"


def _label(
    name: str, values: Sequence[float], text: Callable[[float], str], limit: float | None, peak: float | None
) -> str:
    """`memory over the last 60 s, from 1.2 GiB to 1.5 GiB, peak 2.1 GiB, limit 4.0 GiB`: from the lowest to the highest."""
    low, high = (text(min(values)), text(max(values))) if values else ("", "")
    number, _, unit = low.partition(" ")
    if unit and high.partition(" ")[2] == unit:
        low = number  # "from 1.2 to 1.5 GiB"
    span = (
        "nothing known" if not values else f"always {high}" if min(values) == max(values) else f"from {low} to {high}"
    )
    words = [f"{name} over the last {_SECONDS} s", span]
    if peak is not None:
        words.append(f"peak {text(peak)}")
    if limit is not None:
        words.append(f"limit {text(limit)}")
    return ", ".join(words)
