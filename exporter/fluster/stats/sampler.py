"""The Sampler: one pass in one thread reads the figures of all live jobs; what only sampling can see is seen here.

Ten times a second it reads working set and anonymous memory where a reader allows it cheaply, every interval all the rest.
Directories are walked in a thread of their own, at a cadence that backs off with the cost of the walk.
"""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

from loguru import logger

from fluster.job import Figures, Sample
from fluster.stats.disk import disk_usage

__all__ = ["Reader", "Sampler"]

_FAST_SECONDS: Final = 0.1
_HISTORY_SECONDS: Final = 60.0
_DISK_SECONDS: Final = 5.0
"""The shortest time between two walks of a job's directories."""
_DISK_SHARE: Final = 20
"""A walk is not repeated before this many times its own duration."""
_FINAL_WALK_SECONDS: Final = 0.5


class Reader(Protocol):
    """What a runtime gives: see fluster.runtime.FiguresReader."""

    def read(self) -> Figures: ...
    def read_memory(self) -> Figures | None: ...
    def close(self) -> None: ...


@dataclass(slots=True)
class _Watched:
    reader: Reader
    paths: Sequence[Path]
    figures: Figures = field(default_factory=Figures)
    samples: deque[Sample] = field(default_factory=deque)
    walk_at: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock)
    closed: bool = False


class Sampler:
    """Thread-safe. `clock` is monotonic seconds."""

    def __init__(self, interval_seconds: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._interval = interval_seconds
        self._clock = clock
        self._jobs: dict[str, _Watched] = {}
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []
        self.on_disk: Callable[[str, int], None] = lambda _job_id, _used: None
        """Called from the walking thread with a job's id and its disk usage in bytes."""
        self.errors: Counter[str] = Counter()
        """Failed readings, by collector: "stats" or "disk"."""
        self.last_pass_seconds = 0.0

    def start(self) -> None:
        for name, loop in (("stats", self._sample_loop), ("disk", self._disk_loop)):
            thread = threading.Thread(target=loop, name=f"fluster-{name}", daemon=True)
            thread.start()
            self._threads.append(thread)

    def stop(self) -> None:
        """Ends the threads; readers of jobs that are still watched are closed."""
        self._stopping.set()
        for thread in self._threads:
            thread.join()
        self._threads.clear()
        for job_id in list(self._jobs):
            self._close(self._jobs.pop(job_id))

    def add(self, job_id: str, reader: Reader, paths: Sequence[Path]) -> None:
        """Watch a job. The first reading is taken at the next pass."""
        self._jobs[job_id] = _Watched(reader, paths)

    def remove(self, job_id: str) -> Figures:
        """Take a last reading and forget the job; what was seen of it. Blocking for half a second at most. Idempotent."""
        watched = self._jobs.pop(job_id, None)
        if watched is None:
            return Figures()
        with watched.lock:
            self._read(watched)
            self._walk(job_id, watched, budget_seconds=_FINAL_WALK_SECONDS)
        self._close(watched)
        return watched.figures

    def latest(self, job_id: str) -> Figures | None:
        """The last figures of a live job; None before its first reading and for others."""
        watched = self._jobs.get(job_id)
        return watched.figures if watched is not None and watched.figures.sampled_at_ns else None

    def samples(self, job_id: str) -> list[Sample]:
        """The last minute of a live job, oldest first."""
        watched = self._jobs.get(job_id)
        return list(watched.samples) if watched else []

    def sample(self) -> None:
        """One pass over all jobs: everything."""
        began = time.perf_counter()
        for watched in self._locked():
            self._read(watched)
        self.last_pass_seconds = time.perf_counter() - began

    def sample_memory(self) -> None:
        """One pass over all jobs: only what is cheap enough for ten times a second."""
        for watched in self._locked():
            try:
                seen = watched.reader.read_memory()
            except Exception as error:  # noqa: BLE001 # one reader's failure is counted, the pass goes on
                self._count("stats", error)
                continue
            if seen is not None:
                watched.figures = seen.over(watched.figures)

    def walk(self) -> None:
        """Walk the directories of those jobs whose time has come."""
        for job_id, watched in list(self._jobs.items()):
            if self._stopping.is_set():
                return
            if self._clock() >= watched.walk_at:
                self._walk(job_id, watched)

    def _locked(self) -> Iterator[_Watched]:
        for watched in list(self._jobs.values()):
            with watched.lock:
                if not watched.closed:
                    yield watched

    def _read(self, watched: _Watched) -> None:
        before = watched.figures
        try:
            now = watched.reader.read()
        except Exception as error:  # noqa: BLE001 # as above
            self._count("stats", error)
            return
        cores = _cores(before, now)
        # Working set and anonymous memory peak at least where they are now.
        now = now.evolve(
            cpu_cores=cores,
            cpu_peak_cores=cores,
            memory_working_set_peak_bytes=now.memory_working_set_bytes,
            memory_anon_peak_bytes=now.memory_anon_bytes,
        )
        watched.figures = now.over(before)
        watched.samples.append(Sample(now.sampled_at_ns // 1_000_000, now.memory_usage_bytes, cores, now.processes))
        oldest = now.sampled_at_ns // 1_000_000 - int(_HISTORY_SECONDS * 1000)
        while watched.samples[0].timestamp_ms < oldest:
            watched.samples.popleft()

    def _walk(self, job_id: str, watched: _Watched, *, budget_seconds: float | None = None) -> None:
        began = self._clock()
        try:
            used = disk_usage(watched.paths, budget_seconds=budget_seconds)
        except Exception as error:  # noqa: BLE001 # as above
            self._count("disk", error)
            return
        took = self._clock() - began
        watched.walk_at = self._clock() + max(_DISK_SECONDS, took * _DISK_SHARE)
        if used is not None:
            watched.figures = Figures(disk_bytes=used, disk_peak_bytes=used).over(watched.figures)
            self.on_disk(job_id, used)

    def _close(self, watched: _Watched) -> None:
        with watched.lock:
            watched.closed = True
            watched.reader.close()

    def _count(self, collector: str, error: Exception) -> None:
        self.errors[collector] += 1
        logger.debug("a reading failed: {}", error)

    def _sample_loop(self) -> None:
        due = self._clock()
        while not self._stopping.is_set():
            if self._clock() >= due:
                self.sample()
                due = max(due + self._interval, self._clock())
            else:
                self.sample_memory()
            self._stopping.wait(min(_FAST_SECONDS, self._interval))

    def _disk_loop(self) -> None:
        while not self._stopping.wait(0.25):
            self.walk()


def _cores(before: Figures, now: Figures) -> float | None:
    seconds = (now.sampled_at_ns - before.sampled_at_ns) / 1e9
    if before.cpu_seconds is None or now.cpu_seconds is None or seconds <= 0:
        return None
    return max(now.cpu_seconds - before.cpu_seconds, 0.0) / seconds
