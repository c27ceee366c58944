"""The Sampler: one pass in one thread reads the figures of all live jobs; what only sampling can see is seen here.

Ten times a second it looks at working set and anonymous memory where a reader allows it cheaply, every interval at all the rest.
Directories are walked in a thread of their own, in slices, at a cadence that backs off with the cost of the walk.
"""

from __future__ import annotations

import dataclasses
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from loguru import logger

from fluster.gpu import GpuWatch
from fluster.job import Figures, Sample, highest
from fluster.runtime import FiguresReader, Point
from fluster.stats.disk import Walk
from fluster.stats.pause import Pause

__all__ = ["Sampler"]

_FAST_SECONDS: Final = 0.1
_HISTORY_SECONDS: Final = 60.0
_TURN_SECONDS: Final = 0.25
"""How often the walking thread takes its turn while a walk is under way."""
_REST_SECONDS: Final = 1.0
"""How often it looks for jobs whose time has come: those of a second are walked in one turn."""
_SLICE_SECONDS: Final = 0.0125
"""How long it walks in one turn: a twentieth of a core at most, for all jobs together."""
_DISK_SECONDS: Final = 5.0
"""The shortest time between two walks of a job's directories."""
_DISK_STILL_SECONDS: Final = 15.0
"""The longest such time where the last walks found nothing new; it grows by half each time."""
_DISK_SHARE: Final = 20
"""A walk is not repeated before this many times what it cost."""
_FINAL_WALK_SECONDS: Final = 0.5


class _Watched:
    """A live job: its reader, and what was seen of it."""

    __slots__ = (
        "anon_peak", "at_ns", "began", "cores", "cpu_ns", "disk", "disk_pause", "disk_peak", "final", "gpus", "paths", "peak_cores", "reader",
        "sampled", "samples", "seen_ns", "walk", "walk_at", "working_set_peak",
    )  # fmt: skip

    def __init__(self, reader: FiguresReader, paths: Sequence[Path], began: float, gpus: Sequence[str]) -> None:
        self.reader = reader
        self.gpus = gpus
        self.paths = paths
        self.began = began
        self.at_ns = 0
        """Of the point that the next rate counts from; 0 before the first, whose rate counts from the beginning."""
        self.cpu_ns: int | None = 0
        self.cores: float | None = None
        self.peak_cores: float | None = None
        self.working_set_peak: int | None = None
        self.anon_peak: int | None = None
        self.disk: int | None = None
        self.disk_peak: int | None = None
        self.disk_pause = _DISK_SECONDS
        self.final: Figures | None = None
        """What stands once the job is over and nothing of it is read any more."""
        self.samples: deque[Sample] = deque()
        self.sampled = False
        self.seen_ns = 0
        """Of the last point."""
        self.walk: Walk | None = None
        self.walk_at = 0.0

    def take(self, point: Point, now: float, shortest: float) -> None:
        """`now` is monotonic seconds. Over less than `shortest` seconds no rate is told.

        An engine's documents come when they come: a rate counts over the time between two of them, not between two looks.
        """
        self.sampled = True
        if point.at_ns == self.seen_ns:
            return  # nothing new since the last look
        self.seen_ns = point.at_ns
        seconds = (point.at_ns - self.at_ns) / 1e9 if self.at_ns else now - self.began
        if seconds < 0:
            self.cpu_ns, self.at_ns = point.cpu_ns, point.at_ns  # the clock was set back
        elif not self.at_ns or seconds >= shortest:
            self._take_cores(point, seconds)
        self.take_memory(point)
        milliseconds = point.at_ns // 1_000_000
        self.samples.append(Sample(milliseconds, point.memory_usage_bytes, self.cores, point.processes, self.disk))
        oldest = milliseconds - int(_HISTORY_SECONDS * 1000)
        while self.samples[0].timestamp_ms < oldest:
            self.samples.popleft()

    def take_memory(self, point: Point) -> None:
        if point.processes == 0 or point.memory_anon_bytes == 0:
            return  # the job is over, or not there yet: what is left is nothing that it worked with
        self.working_set_peak = highest(self.working_set_peak, point.memory_working_set_bytes)
        self.anon_peak = highest(self.anon_peak, point.memory_anon_bytes)

    def _take_cores(self, point: Point, seconds: float) -> None:
        # Over less, the kernel's ticks and a container's start look like many cores.
        seconds = max(seconds, _FAST_SECONDS)
        if point.cpu_ns is not None and self.cpu_ns is not None:
            self.cores = round(max(point.cpu_ns - self.cpu_ns, 0) / 1e9 / seconds, 6)
            self.peak_cores = max(self.cores, self.peak_cores or 0.0)
        self.cpu_ns, self.at_ns = point.cpu_ns, point.at_ns

    def figures(self) -> Figures:
        return self.reader.figures(
            cpu_cores=self.cores,
            cpu_peak_cores=self.peak_cores,
            memory_working_set_peak_bytes=self.working_set_peak,
            memory_anon_peak_bytes=self.anon_peak,
            disk_bytes=self.disk,
            disk_peak_bytes=self.disk_peak,
        )


class Sampler:
    """Thread-safe. `clock` is monotonic seconds; `gpus` reads the GPUs, in a thread of its own; `memory_changed` is the runtime's."""

    def __init__(
        self,
        interval_seconds: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        gpus: GpuWatch | None = None,
        memory_changed: Callable[[], bool] = lambda: True,
    ) -> None:
        self._interval = interval_seconds
        self._memory_changed = memory_changed
        self._clock = clock
        self._gpus = gpus or GpuWatch(interval_seconds)
        self._gpus.on_error = lambda error: self._count("gpu", error)
        self._jobs: dict[str, _Watched] = {}
        self._lock = threading.Lock()
        """Held over a pass: a job that is over is not looked at any more."""
        self._stopping = threading.Event()
        self._pauses = {"stats": Pause(), "disk": Pause()}
        """What each thread sleeps in; without jobs until it is woken."""
        self._threads: list[threading.Thread] = []
        self.on_disk: Callable[[str, int], None] = lambda _job_id, _used: None
        """Called from the walking thread with a job's id and its disk usage in bytes, where that is not what it was."""
        self.errors: Counter[str] = Counter()
        """Failed readings, by collector: "stats", "disk" or "gpu"."""
        self.last_pass_seconds = 0.0

    def start(self) -> None:
        for name, loop in (("stats", self._sample_loop), ("disk", self._disk_loop)):
            thread = threading.Thread(target=loop, name=f"fluster-{name}", daemon=True)
            thread.start()
            self._threads.append(thread)

    def stop(self) -> None:
        """Ends the threads."""
        self._stopping.set()
        self._wake()
        for thread in self._threads:
            thread.join()
        self._threads.clear()
        self._jobs.clear()

    def add(
        self,
        job_id: str,
        reader: FiguresReader,
        paths: Sequence[Path],
        *,
        age_seconds: float = 0.0,
        gpus: Sequence[str] = (),
    ) -> None:
        """Watch a job that has run for `age_seconds`. The first reading is taken at the next pass."""
        self._gpus.begin(gpus)
        first = not self._jobs
        self._jobs[job_id] = _Watched(reader, paths, self._clock() - max(age_seconds, 0.0), gpus)
        if first:
            self._wake()

    def finish(self, job_id: str) -> Figures:
        """Take the last reading, which stands until forget(). Blocking for half a second at most. Idempotent."""
        watched = self._jobs.get(job_id)
        if watched is None:
            return Figures()
        with self._lock:
            if watched.final is not None:
                return watched.final
            self._sample(watched)
            watched.final = watched.figures()
        walk = Walk(watched.paths)
        try:
            if walk.advance(_FINAL_WALK_SECONDS):
                self._take_walk(job_id, watched, walk)
                if watched.samples:
                    watched.samples[-1] = dataclasses.replace(watched.samples[-1], disk_bytes=watched.disk)
        except Exception as error:  # noqa: BLE001 # a failed walk is counted, the figures before it stand
            self._count("disk", error)
        watched.final = watched.figures().evolve(gpus=self._gpus.end(watched.gpus))
        return watched.final

    def forget(self, job_id: str) -> None:
        """The job's figures are kept elsewhere. Idempotent."""
        self._jobs.pop(job_id, None)

    def latest(self, job_id: str) -> Figures | None:
        """The last figures of a live job; None before its first reading and for others."""
        watched = self._jobs.get(job_id)
        if watched is None or not watched.sampled:
            return None
        if watched.final is not None:
            return watched.final
        figures = watched.figures()
        return figures.evolve(gpus=self._gpus.figures(watched.gpus)) if watched.gpus else figures

    def samples(self, job_id: str) -> list[Sample]:
        """The last minute of a job until it is forgotten, oldest first; with its last reading once finish() took that."""
        watched = self._jobs.get(job_id)
        return list(watched.samples) if watched else []

    def sample(self) -> None:
        """One pass over all jobs: everything."""
        began = time.perf_counter()
        with self._lock:
            for watched in self._going_on():
                self._sample(watched)
        self.last_pass_seconds = time.perf_counter() - began

    def sample_memory(self) -> None:
        """One pass over all jobs: only what is cheap enough for ten times a second."""
        if not self._memory_changed():
            return
        with self._lock:
            for watched in self._going_on():
                try:
                    point = watched.reader.sample_memory()
                except Exception as error:  # noqa: BLE001 # one reader's failure is counted, the pass goes on
                    self._count("stats", error)
                    continue
                if point is not None:
                    watched.take_memory(point)

    def walk(self) -> None:
        """One turn: walk the directories of those jobs whose time has come, each a slice, until the turn's time is used up."""
        left = _SLICE_SECONDS
        due = [
            (job_id, each)
            for job_id, each in list(self._jobs.items())
            if each.final is None and self._clock() >= each.walk_at
        ]
        # Those that wait longest come first: a large tree does not keep the others from their turn.
        for job_id, watched in sorted(due, key=lambda pair: pair[1].walk_at):
            if left <= 0 or self._stopping.is_set():
                return
            began = self._clock()
            walk = watched.walk = watched.walk or Walk(watched.paths, clock=self._clock)
            try:
                ended = walk.advance(left)
            except Exception as error:  # noqa: BLE001 # as above
                self._count("disk", error)
                ended, watched.walk = False, None
            else:
                if ended:
                    self._take_walk(job_id, watched, walk)
            pause = max(watched.disk_pause, walk.spent_seconds * _DISK_SHARE) if ended or watched.walk is None else 0.0
            watched.walk_at = self._clock() + pause
            left -= self._clock() - began

    def _going_on(self) -> list[_Watched]:
        return [watched for watched in list(self._jobs.values()) if watched.final is None]

    def _sample(self, watched: _Watched) -> None:
        try:
            point = watched.reader.sample()
        except Exception as error:  # noqa: BLE001 # as above
            self._count("stats", error)
            return
        if point.at_ns:
            watched.take(point, self._clock(), self._interval / 2)

    def _take_walk(self, job_id: str, watched: _Watched, walk: Walk) -> None:
        watched.walk = None
        still = watched.disk == walk.used_bytes
        watched.disk_pause = min(watched.disk_pause * 1.5, _DISK_STILL_SECONDS) if still else _DISK_SECONDS
        watched.disk = walk.used_bytes
        watched.disk_peak = max(walk.used_bytes, watched.disk_peak or 0)
        if not still:
            self.on_disk(job_id, walk.used_bytes)

    def _count(self, collector: str, error: Exception) -> None:
        self.errors[collector] += 1
        logger.debug("a reading failed: {}", error)

    def _wake(self) -> None:
        for pause in self._pauses.values():
            pause.end()

    def _sample_loop(self) -> None:
        pause, due = self._pauses["stats"], self._clock()
        while not self._stopping.is_set():
            if not self._jobs:
                pause.take(None)
            elif self._clock() >= due:
                self.sample()
                due = max(due + self._interval, self._clock())
                pause.take(min(_FAST_SECONDS, self._interval))
            else:
                self.sample_memory()
                pause.take(min(_FAST_SECONDS, self._interval))

    def _disk_loop(self) -> None:
        pause = self._pauses["disk"]
        while not self._stopping.is_set():
            under_way = any(each.walk is not None for each in list(self._jobs.values()))
            pause.take((_TURN_SECONDS if under_way else _REST_SECONDS) if self._jobs else None)
            self.walk()
