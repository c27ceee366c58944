"""Families of metrics, made only from the catalogue: those of one scrape, and those that are counted where things happen.

A family yields its samples as `(suffix, label values, number)`, in the order of the catalogue's labels; a histogram's buckets have
one label more, `le`. How that is written is `text`'s work.
"""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import accumulate
from typing import Protocol

from prometheus_client.utils import floatToGoString

from fluster.catalogue import CATALOGUE, Metric

__all__ = ["Counter", "Families", "Family", "Histogram", "Sample"]

Sample = tuple[str, tuple[str, ...], float]
"""What stands behind the family's name ("", "_bucket", "_sum", "_count"), the label values, the number."""


_le: Callable[[float], str] = floatToGoString
"""As every Prometheus client writes a bound: what stands in `le` is a name, not a number."""


class Family(Protocol):
    """All samples of one metric."""

    metric: Metric

    def samples(self) -> Iterable[Sample]: ...


class _Kept:
    """A family of one scrape."""

    def __init__(self, metric: Metric) -> None:
        self.metric = metric
        self.found: list[Sample] = []

    def samples(self) -> Iterable[Sample]:
        return self.found


class Families:
    """Gauges and counters of one scrape. A value of None is unknown, and absent."""

    def __init__(self, names: Sequence[str]) -> None:
        self._families = {name: _Kept(CATALOGUE[name]) for name in names}

    def add(self, name: str, value: float | None, *labels: str) -> None:
        if value is not None:
            self._families[name].found.append(("", labels, value))

    def __iter__(self) -> Iterator[Family]:
        return iter(self._families.values())


class Counter:
    """A counter that is counted where things happen. Thread-safe."""

    def __init__(self, name: str) -> None:
        self.metric = CATALOGUE[name]
        self._lock = threading.Lock()
        self._values: dict[tuple[str, ...], float] = {}
        if not self.metric.labels:
            self.expect()

    def expect(self, *labels: str) -> None:
        """Be there at 0 from now on."""
        self.inc(*labels, by=0)

    def inc(self, *labels: str, by: float = 1) -> None:
        with self._lock:
            self._values[labels] = self._values.get(labels, 0) + by

    def samples(self) -> Iterable[Sample]:
        with self._lock:
            return [("", labels, value) for labels, value in self._values.items()]


class Histogram:
    """A histogram that is filled where things happen; `bounds` are the upper ones, ascending, without infinity. Thread-safe."""

    def __init__(self, name: str, bounds: Sequence[float]) -> None:
        self.metric = CATALOGUE[name]
        self._bounds = tuple(bounds)
        self._le = (*map(_le, bounds), "+Inf")
        self._lock = threading.Lock()
        self._counts: dict[tuple[str, ...], list[int]] = {}
        self._sums: dict[tuple[str, ...], float] = {}
        if not self.metric.labels:
            self.expect()

    def expect(self, *labels: str) -> None:
        """Be there with empty buckets from now on."""
        with self._lock:
            self._buckets(labels)

    def observe(self, value: float, *labels: str) -> None:
        with self._lock:
            self._buckets(labels)[bisect_left(self._bounds, value)] += 1
            self._sums[labels] += value

    def _buckets(self, labels: tuple[str, ...]) -> list[int]:
        if labels not in self._counts:
            self._counts[labels] = [0] * len(self._le)
            self._sums[labels] = 0.0
        return self._counts[labels]

    def samples(self) -> Iterable[Sample]:
        with self._lock:
            kept = [(labels, list(counts), self._sums[labels]) for labels, counts in self._counts.items()]
        for labels, counts, total in kept:
            for le, count in zip(self._le, accumulate(counts), strict=True):
                yield "_bucket", (*labels, le), count
            yield "_count", labels, sum(counts)
            yield "_sum", labels, total
