"""The committed dashboards as they are sent to Grafana: their panels, queries, annotations and variables, read without knowing any of them."""

import json
import re
from dataclasses import dataclass
from pathlib import Path

__all__ = ["DASHBOARDS", "FOLDER", "Annotation", "Dashboard", "Panel", "Query", "labels_in"]

FOLDER = Path(__file__).parents[3] / "grafana" / "dashboards"
_UIDS = {"fluster-prometheus": "prometheus", "fluster-loki": "loki", "fluster-alertmanager": "alertmanager"}


@dataclass(frozen=True)
class Query:
    """One target of a panel. `source` is the kind of data source."""

    dashboard: str
    panel: str
    ref: str
    source: str
    text: str
    instant: bool = False
    format: str = "time_series"
    legend: str = ""

    @property
    def id(self):
        return f"{self.dashboard}: {self.panel}: {self.ref}"


@dataclass(frozen=True)
class Annotation(Query):
    texts: tuple[str, ...] = ()
    """What is shown, with labels in double braces."""
    tags: tuple[str, ...] = ()
    value_is_time: bool = False


@dataclass(frozen=True)
class Panel:
    title: str
    queries: tuple[Query, ...]
    transformations: tuple[dict, ...]
    overrides: tuple[dict, ...]
    links: tuple[str, ...]


class Dashboard:
    def __init__(self, document):
        self.document = document
        self.uid = document["uid"]
        self.variables = document.get("templating", {}).get("list", [])
        shown = list(_flat(document["panels"]))
        titles = [each.get("title", "") for each in shown]
        # A title that stands twice is told apart by its place.
        self.panels = [
            self._panel(f"{title} {titles[:place].count(title) + 1}" if titles.count(title) > 1 else title, panel)
            for place, (title, panel) in enumerate(zip(titles, shown, strict=True))
        ]
        self.annotations = [
            self._annotation(each)
            for each in document.get("annotations", {}).get("list", [])
            if not each.get("builtIn") and each.get("enable", True)
        ]

    def queries(self, source):
        return [query for panel in self.panels for query in panel.queries if query.source == source]

    def _panel(self, title, panel):
        overrides = panel.get("fieldConfig", {}).get("overrides", [])
        links = [*panel.get("links", []), *panel.get("fieldConfig", {}).get("defaults", {}).get("links", [])]
        for override in overrides:
            links += [link for each in override["properties"] if each["id"] == "links" for link in each["value"]]
        return Panel(
            title,
            tuple(self._query(title, each, panel.get("datasource")) for each in panel.get("targets", []) if "expr" in each),
            tuple(panel.get("transformations", [])), tuple(overrides), tuple(link["url"] for link in links),
        )  # fmt: skip

    def _query(self, title, target, datasource):
        source = _kind(target.get("datasource") or datasource)
        instant = bool(target.get("instant")) and not target.get("range")
        if source == "loki":
            instant = target.get("queryType") == "instant"
        return Query(
            self.uid, title, target["refId"], source, target["expr"], instant=instant,
            format=target.get("format", "time_series"), legend=target.get("legendFormat", ""),
        )  # fmt: skip

    def _annotation(self, annotation):
        # Older forms have the query beside the name, newer ones below `target`.
        facts = {**annotation, **annotation.get("target", {})}
        texts = tuple(filter(None, (facts.get("titleFormat"), facts.get("textFormat"))))
        tags = tuple(filter(None, re.split(r"\s*,\s*", facts.get("tagKeys") or "")))
        return Annotation(
            self.uid, "annotation", annotation["name"], _kind(annotation["datasource"]), facts["expr"],
            texts=texts, tags=tags, value_is_time=str(facts.get("useValueForTime", "")).lower() in {"true", "on"},
        )  # fmt: skip


def _flat(panels):
    """Panels in collapsed rows lie inside of the row."""
    for panel in panels:
        if panel["type"] == "row":
            yield from _flat(panel.get("panels", []))
        else:
            yield panel


def _kind(datasource):
    if datasource and "uid" in datasource:
        return _UIDS.get(datasource["uid"]) or datasource.get("type", "")
    return (datasource or {}).get("type", "")


def labels_in(text):
    """The labels that a legend or an annotation names in double braces."""
    return set(re.findall(r"\{\{\s*(\w+)\s*\}\}", text))


DASHBOARDS = [Dashboard(json.loads(path.read_text())) for path in sorted(FOLDER.glob("*.json"))]
