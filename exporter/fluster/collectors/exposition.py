"""Exposition: all families of one worker as text, each collector timed, none able to break a scrape.

Nothing here asks an engine, reads a disk or waits: a scrape is a look into memory, and asks the kernel about this process alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Final

from loguru import logger

from fluster.builder import Builder
from fluster.bundles import BundleStore
from fluster.collectors.families import Families, Family, Histogram
from fluster.collectors.http import HttpMetrics
from fluster.collectors.jobs import JOB_FAMILIES
from fluster.collectors.outcomes import Outcomes
from fluster.collectors.process import ProcessCollector
from fluster.collectors.text import Format, family_lines, header
from fluster.collectors.worker import WorkerCollector
from fluster.config import Settings
from fluster.job import Job
from fluster.logs import LogStore
from fluster.manager import JobManager
from fluster.runtime import Runtime
from fluster.stats import Sampler

__all__ = ["Exposition", "create_exposition", "families_lines", "jobs_lines"]

_ENGINE_SECONDS: Final = (0.001, 0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


def families_lines(families: Iterable[Family], form: Format) -> list[str]:
    """Headers and samples of these families."""
    lines: list[str] = []
    for family in families:
        lines += (header(family.metric, form), *family_lines(family))
    return lines


def jobs_lines(jobs: Iterable[Job], form: Format) -> list[str]:
    """All families of these jobs; empty ones stay, so that help and type are there from the start."""
    every = list(jobs)
    living = [job for job in every if not job.state.terminal]
    ids, living_ids = [job.id for job in every], [job.id for job in living]
    lines: list[str] = []
    for family in JOB_FAMILIES:
        lines.append(header(family.metric, form))
        lines += family.lines(living, living_ids) if family.live else family.lines(every, ids)
    return lines


class Exposition:
    """`on_transition` listens to the manager, `http` to the doors; `refresh` reads disks in a thread."""

    def __init__(
        self,
        worker: WorkerCollector,
        jobs: Callable[[], Iterable[Job]],
        engine: Histogram,
    ) -> None:
        self.http = HttpMetrics()
        outcomes = Outcomes()
        self.on_transition = outcomes.on_transition
        self._worker = worker
        self._jobs = jobs
        self._process = ProcessCollector()
        self._collectors: dict[str, Callable[[], Iterable[Family]]] = {
            "worker": worker.collect,
            "outcomes": outcomes.collect,
            "engine": lambda: (engine,),
            "http": self.http.collect,
            "process": self._process.collect,
        }

    @property
    def engine_up(self) -> bool:
        return self._worker.engine_up

    @engine_up.setter
    def engine_up(self, value: bool) -> None:
        self._worker.engine_up = value

    def refresh(self) -> None:
        """Blocking: sizes of logs and file systems."""
        self._worker.refresh()

    def close(self) -> None:
        """No scrape comes any more."""
        self._process.close()

    def render(self, form: Format) -> bytes:
        """One scrape. Thread-safe; never raises: a collector that fails is a metric of its own."""
        state = Families(("fluster_collector_success", "fluster_collector_duration_seconds"))
        lines = self._timed("jobs", lambda: jobs_lines(self._jobs(), form), state)
        for name, collect in self._collectors.items():
            lines += self._timed(name, lambda collect=collect: families_lines(collect(), form), state)  # type: ignore[misc] # mypy knows no defaults of lambdas
        return "".join([*lines, *families_lines(state, form), form.end]).encode()

    def _timed(self, name: str, collect: Callable[[], list[str]], state: Families) -> list[str]:
        began = time.perf_counter()
        try:
            lines = collect()
        except Exception:  # noqa: BLE001 # a broken collector is a metric, not a failed scrape
            logger.exception("the collector {} failed", name)
            lines = []
            state.add("fluster_collector_success", 0, name)
        else:
            state.add("fluster_collector_success", 1, name)
        state.add("fluster_collector_duration_seconds", time.perf_counter() - began, name)
        return lines


def create_exposition(
    *, settings: Settings, manager: JobManager, logs: LogStore, bundles: BundleStore, runtime: Runtime, builder: Builder,
    sampler: Sampler, clock: Callable[[], int] = time.time_ns,
) -> Exposition:  # fmt: skip
    """The exposition of one worker. `clock` gives UTC nanoseconds."""
    engine = Histogram("fluster_engine_request_duration_seconds", _ENGINE_SECONDS)
    for operation in runtime.operations.names:
        engine.expect(operation)
    runtime.operations.listeners.append(lambda operation, seconds: engine.observe(seconds, operation))

    def jobs() -> Iterable[Job]:
        since_ns = clock() - int(settings.metrics_retention * 1e9)
        return manager.exported(finished_since_ns=since_ns, most_finished=settings.metrics_max_finished)

    worker = WorkerCollector(settings, manager, logs, bundles, runtime, builder, sampler)
    return Exposition(worker, jobs, engine)
