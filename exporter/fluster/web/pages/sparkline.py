"""The last minute of a figure as a small line."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["path"]


def path(values: Sequence[float | None]) -> str:
    """SVG path data in a box of 120 by 24, the highest value at its top; empty for fewer than two values."""
    known = [value for value in values if value is not None]
    if len(known) < 2 or not max(known):
        return ""
    step, high = 120 / (len(known) - 1), max(known)
    points = (f"{place * step:.1f} {23 - 22 * value / high:.1f}" for place, value in enumerate(known))
    return "M" + "L".join(points)
