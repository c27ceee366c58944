"""What a rule is, and how a group of rules looks in YAML."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import promql_parser
import yaml

from prometheus.generator.thresholds import Duration

__all__ = ["Alert", "Group", "Recording", "render"]


@dataclass(frozen=True, slots=True)
class Recording:
    """`level:metric:operation`, the labels that the level keeps beside the target's own, and the query."""

    name: str
    labels: tuple[str, ...]
    query: str

    def document(self) -> dict[str, Any]:
        return {"record": self.name, "expr": _laid_out(self.query)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """`summary` and `description` are Prometheus' templates; `annotations` holds the links."""

    name: str
    query: str
    severity: Literal["critical", "warning", "info"]
    summary: str
    description: str
    after: Duration | None = None
    """How long the query must hold; None for what has happened already."""
    annotations: dict[str, str] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        return {
            "alert": self.name,
            "expr": _laid_out(self.query),
            **({"for": str(self.after)} if self.after else {}),
            "labels": {"severity": self.severity},
            "annotations": {"summary": self.summary, "description": self.description, **self.annotations},
        }


@dataclass(frozen=True, slots=True)
class Group:
    name: str
    rules: Sequence[Recording | Alert]


def render(head: str, groups: Iterable[Group]) -> str:
    """A rule file of Prometheus; `head` is its comment."""
    document = {
        "groups": [{"name": group.name, "rules": [rule.document() for rule in group.rules]} for group in groups]
    }
    comment = "".join(f"# {line}\n" for line in head.splitlines())
    return comment + yaml.dump(document, Dumper=_Dumper, sort_keys=False, width=1000, allow_unicode=True)


def _laid_out(query: str) -> str:
    """A long query over several lines, as promtool would format it."""
    return query if len(query) <= 110 else promql_parser.parse(query).prettify()


class _Dumper(yaml.SafeDumper):
    """Text of several lines as a block: a query stays readable."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, indentless=False)


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)


_Dumper.add_representer(str, _text)
