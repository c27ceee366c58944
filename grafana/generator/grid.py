"""Where panels stand: rows of lines, each line full and of one height, so that nothing overlaps and no hole is left."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from grafana_foundation_sdk.models.dashboard import GridPos, Panel, RowPanel

__all__ = ["WIDTH", "Line", "Row", "placed"]

WIDTH: Final = 24


@dataclass(frozen=True, slots=True)
class Line:
    """Panels beside each other. `widths` are in 24ths of the page; without them all are equally wide. `height` is in steps of 38 pixels."""

    height: int
    panels: Sequence[Panel]
    widths: Sequence[int] = ()

    def columns(self) -> Iterator[tuple[int, int, Panel]]:
        """(x, width, panel). Raises ValueError where they do not fill the page."""
        widths = self.widths or [WIDTH // len(self.panels)] * len(self.panels)
        if len(widths) != len(self.panels) or sum(widths) != WIDTH:
            raise ValueError(f"widths {list(widths)} of {len(self.panels)} panels do not add up to {WIDTH}")
        x = 0
        for width, panel in zip(widths, self.panels, strict=True):
            yield x, width, panel
            x += width


@dataclass(frozen=True, slots=True)
class Row:
    """A heading and the lines below it; one without a title has no heading. A folded row opens by a click."""

    title: str
    lines: Sequence[Line]
    folded: bool = False


def placed(rows: Sequence[Row]) -> list[Panel | RowPanel]:
    """All panels with their ids and places, as a dashboard holds them: those of a folded row inside of it."""
    found: list[Panel | RowPanel] = []
    y = number = 0
    for row in rows:
        inside: list[Panel] = []
        if row.title:
            number += 1
            heading = RowPanel(
                title=row.title, id_val=number, grid_pos=GridPos(x=0, y=y, w=WIDTH, h=1), collapsed=row.folded,
                panels=inside if row.folded else [],
            )  # fmt: skip
            found.append(heading)
            y += 1
        below = y
        for line in row.lines:
            for x, width, panel in line.columns():
                number += 1
                panel.id_val, panel.grid_pos = number, GridPos(x=x, y=below, w=width, h=line.height)
                inside.append(panel)
            below += line.height
        if not row.folded:
            found += inside
            y = below
    return found
