"""A reading of a job's own cgroup as Figures: the kernel's account, shared by the docker and the process runtime."""

from __future__ import annotations

import time

from fluster.cgroup import CgroupReader, Reading
from fluster.job import Figures, Source

__all__ = ["CgroupFiguresReader", "figures_from_reading"]


def figures_from_reading(reading: Reading, at_ns: int) -> Figures:
    """Nanoseconds become seconds; a peak that this kernel does not keep stays unknown here and is sampled elsewhere."""
    usage, inactive = reading.memory_usage, reading.memory_inactive_file
    return Figures(
        sampled_at_ns=at_ns,
        memory_usage_bytes=usage,
        memory_working_set_bytes=None if usage is None or inactive is None else max(usage - inactive, 0),
        memory_anon_bytes=reading.memory_anon,
        memory_cache_bytes=reading.memory_cache,
        memory_peak_bytes=reading.memory_peak,
        memory_peak_source=None if reading.memory_peak is None else Source.KERNEL,
        memory_limit_hits=reading.memory_limit_hits,
        oom_kills=reading.oom_kills,
        cpu_user_seconds=_seconds(reading.cpu_user_ns),
        cpu_system_seconds=_seconds(reading.cpu_system_ns),
        cpu_source=None if reading.cpu_user_ns is None else Source.KERNEL,
        cpu_periods=reading.cpu_periods,
        cpu_throttled_periods=reading.cpu_throttled_periods,
        cpu_throttled_seconds=_seconds(reading.cpu_throttled_ns),
        processes=reading.pids_current,
        processes_peak=reading.pids_peak,
        processes_peak_source=None if reading.pids_peak is None else Source.KERNEL,
        block_read_bytes=reading.io_read,
        block_written_bytes=reading.io_written,
        pressure_cpu_seconds=_microseconds(reading.pressure_cpu_us),
        pressure_memory_seconds=_microseconds(reading.pressure_memory_us),
        pressure_io_seconds=_microseconds(reading.pressure_io_us),
    )


class CgroupFiguresReader:
    """Live figures of one job through kept-open descriptors. Where the kernel keeps no peak of processes it is sampled."""

    def __init__(self, reader: CgroupReader) -> None:
        self._reader = reader
        self._processes_peak = 0
        self._memory_peak = 0

    def read(self) -> Figures:
        return self._with_sampled_peaks(figures_from_reading(self._reader.read(), time.time_ns()))

    def read_memory(self) -> Figures | None:
        memory = self._reader.read_memory()
        if memory is None:
            return None
        return Figures(
            memory_working_set_bytes=memory[0],
            memory_anon_bytes=memory[1],
            memory_working_set_peak_bytes=memory[0],
            memory_anon_peak_bytes=memory[1],
        )

    def close(self) -> None:
        self._reader.close()

    def _with_sampled_peaks(self, figures: Figures) -> Figures:
        changes: dict[str, object] = {}
        if figures.processes_peak is None and figures.processes is not None:
            self._processes_peak = max(self._processes_peak, figures.processes)
            changes |= {"processes_peak": self._processes_peak, "processes_peak_source": Source.SAMPLED}
        if figures.memory_peak_bytes is None and figures.memory_usage_bytes is not None:
            self._memory_peak = max(self._memory_peak, figures.memory_usage_bytes)
            changes |= {"memory_peak_bytes": self._memory_peak, "memory_peak_source": Source.SAMPLED}
        return figures.evolve(**changes) if changes else figures


def _seconds(nanoseconds: int | None) -> float | None:
    return None if nanoseconds is None else nanoseconds / 1e9


def _microseconds(microseconds: int | None) -> float | None:
    return None if microseconds is None else microseconds / 1e6
