"""process_* and python_info as prometheus_client collects them: a few looks into /proc that never wait."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from prometheus_client import PlatformCollector, ProcessCollector
from prometheus_client.core import Metric as LibraryMetric
from prometheus_client.registry import CollectorRegistry

from fluster.catalogue import Metric
from fluster.collectors.families import Family, Sample

__all__ = ["collect_process"]

_REGISTRY = CollectorRegistry()
_COLLECTORS = (ProcessCollector(registry=_REGISTRY), PlatformCollector(registry=_REGISTRY))


class _Foreign:
    """A family that the library made."""

    def __init__(self, family: LibraryMetric) -> None:
        name = f"{family.name}_total" if family.type == "counter" else family.name
        labels = tuple(family.samples[0].labels) if family.samples else ()
        self.metric = Metric(name, "counter" if family.type == "counter" else "gauge", family.documentation, labels)
        self._family = family

    def samples(self) -> Iterator[Sample]:
        for sample in self._family.samples:
            yield "", tuple(sample.labels.values()), sample.value


def collect_process() -> Iterable[Family]:
    return [_Foreign(family) for collector in _COLLECTORS for family in collector.collect()]
