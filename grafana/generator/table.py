"""Tables: one row for each set of labels, one column for each label that is shown and for each query."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from grafana_foundation_sdk.builders import common, table
from grafana_foundation_sdk.models.common import TableCellHeight
from grafana_foundation_sdk.models.dashboard import DataTransformerConfig, Panel

from grafana.generator.graph import targets
from grafana.generator.query import Query
from grafana.generator.source import PROMETHEUS
from grafana.generator.style import properties

__all__ = ["Column", "listing"]


@dataclass(frozen=True, slots=True)
class Column:
    """`of` is a label's name, or the query whose values are shown. `link` is (title, address), where ${__data.fields["title"]} is a cell of the row."""

    title: str
    of: str | Query
    unit: str = "none"
    width: int | None = None
    hidden: bool = False
    links: Sequence[tuple[str, str]] = ()
    more: dict[str, Any] = field(default_factory=dict)
    """Further properties of the field."""

    def properties(self) -> dict[str, Any]:
        values: dict[str, Any] = {"unit": "string" if isinstance(self.of, str) else self.unit}
        if self.width is not None:
            values["custom.width"] = self.width
        if self.hidden:
            values["custom.hidden"] = True
        if self.links:
            values["links"] = [{"title": title, "url": url} for title, url in self.links]
        return values | self.more


def listing(
    title: str,
    description: str,
    *columns: Column,
    sort: str,
    descending: bool = True,
    nothing: str = "nothing in this time",
) -> Panel:
    """All queries must keep the same labels: rows with equal labels become one. `sort` names a column."""
    queries = [column.of for column in columns if isinstance(column.of, Query)]
    letters = {id(query): chr(ord("A") + number) for number, query in enumerate(queries)}
    # With a single query Grafana calls its values just Value.
    names = {
        (f"Value #{letters[id(column.of)]}" if len(queries) > 1 else "Value")
        if isinstance(column.of, Query)
        else column.of: column.title
        for column in columns
    }
    panel = (
        table.Panel()
        .title(title)
        .description(description)
        .datasource(PROMETHEUS)
        .unit("none")
        .no_value(nothing)
        .cell_height(TableCellHeight.SM)
        .filterable(filterable=True)
        .sort_by([common.TableSortByFieldState().display_name(sort).desc(desc=descending)])
        .targets(targets(queries))
        .transformations(
            [
                DataTransformerConfig(id_val="merge", options={}),
                # Only what is named here is shown: labels that Prometheus or a relabeling adds stay out.
                DataTransformerConfig(id_val="filterFieldsByName", options={"include": {"names": list(names)}}),
                DataTransformerConfig(
                    id_val="organize",
                    options={
                        "excludeByName": {},
                        "indexByName": {name: place for place, name in enumerate(names)},
                        "renameByName": names,
                    },
                ),
            ]
        )
    )
    for column in columns:
        panel.override_by_name(column.title, properties(column.properties()))
    return panel.build()
