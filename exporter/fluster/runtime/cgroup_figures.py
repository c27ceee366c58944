"""A reading of a job's own cgroup as Figures: the kernel's account, shared by the docker and the process runtime."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager
from typing import Any

from fluster.cgroup import CgroupReader, Glance, Reading
from fluster.job import Figures, Source, highest
from fluster.runtime.contract import Point

__all__ = ["CgroupFiguresReader", "figures_from_reading"]


def figures_from_reading(
    reading: Reading, at_ns: int, *, usage_peak: int | None = None, processes_peak: int | None = None, **seen: Any
) -> Figures:
    """Nanoseconds become seconds. The two peaks were sampled, for kernels that keep none; `seen` are further fields.

    Made in one go: once a scrape for each live job.
    """
    usage, inactive = reading.memory_usage, reading.memory_inactive_file
    return Figures(
        sampled_at_ns=at_ns,
        memory_usage_bytes=usage,
        memory_working_set_bytes=None if usage is None or inactive is None else max(usage - inactive, 0),
        memory_anon_bytes=reading.memory_anon,
        memory_cache_bytes=reading.memory_cache,
        memory_peak_bytes=usage_peak if reading.memory_peak is None else reading.memory_peak,
        memory_peak_source=_source(reading.memory_peak, usage_peak),
        memory_limit_hits=reading.memory_limit_hits,
        oom_kills=reading.oom_kills,
        cpu_user_seconds=_seconds(reading.cpu_user_ns),
        cpu_system_seconds=_seconds(reading.cpu_system_ns),
        cpu_source=None if reading.cpu_user_ns is None else Source.KERNEL,
        cpu_periods=reading.cpu_periods,
        cpu_throttled_periods=reading.cpu_throttled_periods,
        cpu_throttled_seconds=_seconds(reading.cpu_throttled_ns),
        processes=reading.pids_current,
        processes_peak=processes_peak if reading.pids_peak is None else reading.pids_peak,
        processes_peak_source=_source(reading.pids_peak, processes_peak),
        block_read_bytes=reading.io_read,
        block_written_bytes=reading.io_written,
        pressure_cpu_seconds=_microseconds(reading.pressure_cpu_us),
        pressure_memory_seconds=_microseconds(reading.pressure_memory_us),
        pressure_io_seconds=_microseconds(reading.pressure_io_us),
        **seen,
    )


class CgroupFiguresReader:
    """Live and final figures of one job from its own cgroup, with the peaks sampled that this kernel does not keep."""

    def __init__(self, reader: CgroupReader) -> None:
        self._reader = reader
        self._at_ns = 0
        self._usage_peak: int | None = None
        self._processes_peak: int | None = None

    def sample(self) -> Point:
        return self._take(self._reader.sample())

    def sample_last(self) -> None:
        """The reading after the end."""
        self._take(self._reader.read())

    def _take(self, glance: Glance) -> Point:
        self._at_ns = time.time_ns()
        # Nothing at all is what is left once the job is over: no peak of it.
        self._usage_peak = highest(self._usage_peak, glance.memory_usage or None)
        self._processes_peak = highest(self._processes_peak, glance.pids_current or None)
        return Point(self._at_ns, *glance)

    def looked_at_closely(self) -> AbstractContextManager[None]:
        """See CgroupReader."""
        return self._reader.looked_at_closely()

    def look_when_ended(self, pid: int) -> None:
        """See CgroupReader."""
        self._reader.look_when_ended(pid)

    def sample_memory(self) -> Point | None:
        glance = self._reader.sample_memory()
        if glance is None:
            return None
        self._usage_peak = highest(self._usage_peak, glance.memory_usage or None)
        return Point(time.time_ns(), *glance)

    def figures(self, **seen: Any) -> Figures:
        if not self._at_ns:
            return Figures(**seen)
        return figures_from_reading(
            self._reader.reading(),
            self._at_ns,
            usage_peak=self._usage_peak,
            processes_peak=self._processes_peak,
            **seen,
        )

    def close(self) -> None:
        """Idempotent; what was read last stands."""
        self._reader.close()


def _source(kernels: int | None, sampled: int | None) -> Source | None:
    if kernels is not None:
        return Source.KERNEL
    return None if sampled is None else Source.SAMPLED


def _seconds(nanoseconds: int | None) -> float | None:
    return None if nanoseconds is None else nanoseconds / 1e9


def _microseconds(microseconds: int | None) -> float | None:
    return None if microseconds is None else microseconds / 1e6
