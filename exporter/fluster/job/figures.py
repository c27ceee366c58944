"""The figures of one job: bytes, seconds and counts. None is unknown; unknown is never shown as 0."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

__all__ = ["Figures", "GpuFigures", "Sample", "Source", "highest"]

_N = TypeVar("_N", int, float)


class Source(StrEnum):
    """Where a figure comes from."""

    KERNEL = "kernel"
    """The kernel's own account of the job's cgroup (or of wait4), complete at the job's end."""
    SAMPLED = "sampled"
    """Seen at intervals; what happened in between is not in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GpuFigures:
    """One GPU that is assigned to the job, from NVML; all of it sampled."""

    uuid: str
    utilization_ratio: float | None = None
    """Share of NVML's last sampling period in which a kernel ran on it: 0 to 1."""
    memory_used_bytes: int | None = None
    memory_peak_bytes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What a job used, up to `sampled_at_ns`; final once the job is terminal.

    Kernel sources by field are listed in docs/figures.md.
    """

    sampled_at_ns: int = 0
    """UTC, nanoseconds since the epoch; 0 before the first reading."""

    memory_usage_bytes: int | None = None
    memory_working_set_bytes: int | None = None
    """Usage minus inactive file pages."""
    memory_anon_bytes: int | None = None
    memory_cache_bytes: int | None = None
    memory_peak_bytes: int | None = None
    memory_peak_source: Source | None = None
    memory_working_set_peak_bytes: int | None = None
    """Always sampled: the kernel keeps no such peak."""
    memory_anon_peak_bytes: int | None = None
    """Always sampled: the kernel keeps no such peak."""
    memory_limit_hits: int | None = None
    oom_kills: int | None = None

    cpu_user_seconds: float | None = None
    cpu_system_seconds: float | None = None
    cpu_source: Source | None = None
    cpu_cores: float | None = None
    """Cores used over the last sampling interval."""
    cpu_peak_cores: float | None = None
    cpu_periods: int | None = None
    cpu_throttled_periods: int | None = None
    cpu_throttled_seconds: float | None = None

    processes: int | None = None
    processes_peak: int | None = None
    processes_peak_source: Source | None = None

    block_read_bytes: int | None = None
    block_written_bytes: int | None = None
    network_receive_bytes: int | None = None
    network_transmit_bytes: int | None = None
    disk_bytes: int | None = None
    disk_peak_bytes: int | None = None

    pressure_cpu_seconds: float | None = None
    pressure_memory_seconds: float | None = None
    pressure_io_seconds: float | None = None

    gpus: tuple[GpuFigures, ...] = ()

    @property
    def cpu_seconds(self) -> float | None:
        if self.cpu_user_seconds is None or self.cpu_system_seconds is None:
            return None
        return self.cpu_user_seconds + self.cpu_system_seconds

    def evolve(self, **changes: Any) -> Figures:
        """These figures with `changes`."""
        return dataclasses.replace(self, **changes)

    def over(self, earlier: Figures) -> Figures:
        """These figures, completed by `earlier` where these know nothing; peaks never fall.

        A peak of the kernel replaces a sampled one and is never replaced by one. Sampled CPU time never falls either: what is told
        later may lack processes that nobody waited for.
        """
        merged = {
            each.name: mine if (mine := getattr(self, each.name)) is not None else getattr(earlier, each.name)
            for each in dataclasses.fields(Figures)
        }
        merged["sampled_at_ns"] = max(self.sampled_at_ns, earlier.sampled_at_ns)
        merged["gpus"] = _gpus_over(self.gpus, earlier.gpus)
        for peak in ("memory_working_set_peak_bytes", "memory_anon_peak_bytes", "cpu_peak_cores", "disk_peak_bytes"):
            merged[peak] = highest(getattr(self, peak), getattr(earlier, peak))
        if self.cpu_source is earlier.cpu_source is Source.SAMPLED and (earlier.cpu_seconds or 0) > (
            self.cpu_seconds or 0
        ):
            for mode in ("cpu_user_seconds", "cpu_system_seconds"):
                merged[mode] = highest(getattr(self, mode), getattr(earlier, mode))
        for peak, source in (
            ("memory_peak_bytes", "memory_peak_source"),
            ("processes_peak", "processes_peak_source"),
        ):
            if getattr(self, source) == getattr(earlier, source):
                merged[peak] = highest(getattr(self, peak), getattr(earlier, peak))
            elif getattr(earlier, source) is Source.KERNEL:
                merged[peak], merged[source] = getattr(earlier, peak), Source.KERNEL
        return Figures(**merged)


def _gpus_over(gpus: tuple[GpuFigures, ...], earlier: tuple[GpuFigures, ...]) -> tuple[GpuFigures, ...]:
    """`gpus` with the peaks of `earlier`, and those that only `earlier` knows."""
    known = {gpu.uuid: gpu for gpu in earlier}
    merged = []
    for gpu in gpus:
        before = known.pop(gpu.uuid, gpu)
        peak = highest(gpu.memory_peak_bytes, before.memory_peak_bytes)
        merged.append(dataclasses.replace(gpu, memory_peak_bytes=peak))
    return (*merged, *known.values())


def highest(first: _N | None, second: _N | None) -> _N | None:
    """The higher one; None is unknown."""
    return second if first is None or (second is not None and second > first) else first


@dataclass(frozen=True, slots=True)
class Sample:
    """One point of the job page's sparklines."""

    timestamp_ms: int
    memory_bytes: int | None
    cpu_cores: float | None
    processes: int | None
    disk_bytes: int | None = None
    """As of the last walk through the job's directories before it."""
