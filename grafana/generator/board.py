"""A dashboard: what it answers, its variables, its rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from grafana_foundation_sdk.models.dashboard import (
    AnnotationContainer,
    AnnotationQuery,
    Dashboard,
    DashboardCursorSync,
    DashboardDashboardTemplating,
    DashboardDashboardTime,
    DashboardLink,
    TimePickerConfig,
    VariableModel,
)

from grafana.generator.grid import Row, placed
from grafana.generator.link import ALL_DASHBOARDS, TAG

__all__ = ["Board"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """`name` is that of the file; the uid is made of it and never changes, for links and bookmarks."""

    name: str
    title: str
    description: str
    variables: Sequence[VariableModel]
    rows: Sequence[Row]
    since: str = "now-3h"
    refresh: str = "30s"
    annotations: Sequence[AnnotationQuery] = ()
    links: Sequence[DashboardLink] = ()

    def build(self) -> Dashboard:
        return Dashboard(
            uid=f"fluster-{self.name}",
            title=self.title,
            description=self.description,
            tags=[TAG],
            timezone="browser",
            editable=True,
            # One crosshair: the moment in one panel is the same moment in all.
            graph_tooltip=DashboardCursorSync.CROSSHAIR,
            time=DashboardDashboardTime(from_val=self.since, to="now"),
            timepicker=TimePickerConfig(refresh_intervals=["5s", "15s", "30s", "1m", "5m", "15m"]),
            refresh=self.refresh,
            templating=DashboardDashboardTemplating(list_val=list(self.variables)),
            annotations=AnnotationContainer(list_val=list(self.annotations)),
            links=[ALL_DASHBOARDS, *self.links],
            panels=list(placed(self.rows)),
        )
