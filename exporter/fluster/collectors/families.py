"""Families of prometheus_client, made only from the catalogue."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from prometheus_client import Counter, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import CollectorRegistry

from fluster.catalogue import CATALOGUE

__all__ = ["Families", "counter", "histogram"]


class Families:
    """Gauges and counters of one scrape. A value of None is unknown, and absent."""

    def __init__(self, names: Sequence[str]) -> None:
        self._families: dict[str, Metric] = {}
        self._counters: set[str] = set()
        for name in names:
            entry = CATALOGUE[name]
            kind = CounterMetricFamily if entry.type == "counter" else GaugeMetricFamily
            self._families[name] = kind(entry.family, entry.help, labels=entry.labels)
            if entry.type == "counter":
                self._counters.add(name)

    def add(self, name: str, value: float | None, *labels: str) -> None:
        if value is not None:
            family: Any = self._families[name]
            family.add_metric(labels, value)

    def __iter__(self) -> Any:
        return iter(self._families.values())


def counter(name: str, registry: CollectorRegistry) -> Counter:
    """A counter that is counted where things happen."""
    entry = CATALOGUE[name]
    return Counter(entry.family, entry.help, entry.labels, registry=registry)


def histogram(name: str, buckets: Sequence[float], registry: CollectorRegistry) -> Histogram:
    entry = CATALOGUE[name]
    return Histogram(entry.name, entry.help, entry.labels, buckets=buckets, registry=registry)
