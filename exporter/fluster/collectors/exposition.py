"""Exposition: the registry of one worker with its collectors, each timed, none able to break a scrape."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from loguru import logger
from prometheus_client import PlatformCollector, ProcessCollector
from prometheus_client.core import Metric
from prometheus_client.registry import CollectorRegistry

from fluster.builder import Builder
from fluster.bundles import BundleStore
from fluster.collectors.families import Families, histogram
from fluster.collectors.http import HttpMetrics
from fluster.collectors.jobs import collect_jobs, exported
from fluster.collectors.outcomes import Outcomes
from fluster.collectors.worker import WorkerCollector
from fluster.config import Settings
from fluster.job import Job
from fluster.logs import LogStore
from fluster.manager import JobManager
from fluster.runtime import Runtime
from fluster.stats import Sampler

__all__ = ["Exposition", "create_exposition"]

_ENGINE_SECONDS: Final = (0.001, 0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class _Collectors:
    """All custom collectors as one: it knows which failed, and says so in the same scrape."""

    def __init__(self) -> None:
        self.sources: dict[str, Callable[[], Iterable[Metric]]] = {}

    def describe(self) -> Iterable[Metric]:
        return ()

    def collect(self) -> Iterator[Metric]:
        state = Families(("fluster_collector_success", "fluster_collector_duration_seconds"))
        for name, collect in self.sources.items():
            began = time.perf_counter()
            try:
                found = list(collect())
            except Exception:  # noqa: BLE001 # a broken collector is a metric, not a failed scrape
                logger.exception("the collector {} failed", name)
                found = []
                state.add("fluster_collector_success", 0, name)
            else:
                state.add("fluster_collector_success", 1, name)
            state.add("fluster_collector_duration_seconds", time.perf_counter() - began, name)
            yield from found
        yield from state


class Exposition:
    """`registry` is what /metrics renders; `on_transition` listens to the manager; `refresh` reads disks in a thread."""

    def __init__(
        self,
        registry: CollectorRegistry,
        collectors: dict[str, Callable[[], Iterable[Metric]]],
        worker: WorkerCollector,
    ) -> None:
        self.registry = registry
        self.http = HttpMetrics(registry)
        self._outcomes = Outcomes(registry)
        self._worker = worker
        self.on_transition = self._outcomes.on_transition
        custom = _Collectors()
        custom.sources = {"worker": worker.collect, **collectors}
        registry.register(custom)

    @property
    def engine_up(self) -> bool:
        return self._worker.engine_up

    @engine_up.setter
    def engine_up(self, value: bool) -> None:
        self._worker.engine_up = value

    def refresh(self) -> None:
        """Blocking: sizes of logs and file systems."""
        self._worker.refresh()


def create_exposition(
    *, settings: Settings, manager: JobManager, logs: LogStore, bundles: BundleStore, runtime: Runtime, builder: Builder,
    sampler: Sampler, clock: Callable[[], int] = time.time_ns, process_metrics: bool = True,
) -> Exposition:  # fmt: skip
    """The exposition of one worker. `clock` gives UTC nanoseconds; `process_metrics` adds process_* and python_info."""
    registry = CollectorRegistry(auto_describe=False)
    if process_metrics:
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
    worker = WorkerCollector(settings, manager, logs, bundles, runtime, builder, sampler)

    def jobs() -> Families:
        chosen: list[Job] = list(exported(manager.jobs(), settings, clock()))
        return collect_jobs(chosen)

    exposition = Exposition(registry, {"jobs": jobs}, worker)
    engine = histogram("fluster_engine_request_duration_seconds", _ENGINE_SECONDS, registry)
    for operation in ("start", "stop", "remove"):
        engine.labels(operation)
    runtime.operations.listeners.append(lambda operation, seconds: engine.labels(operation).observe(seconds))
    return exposition
