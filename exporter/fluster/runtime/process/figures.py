"""Readings of cgroups and of /proc as Figures, each with its source: pure conversions and the two readers."""

from __future__ import annotations

import time
from typing import Any

from fluster.cgroup import Reading
from fluster.job import Figures, Source
from fluster.runtime.cgroup_figures import figures_from_reading
from fluster.runtime.contract import Point
from fluster.shim.kin import figures_below, start_ticks

__all__ = ["ProcReader", "final_figures"]


def final_figures(exit_document: dict[str, object]) -> Figures:
    """The figures of exit.json: the cgroup's account where there is one, else what wait4 told of the reaped processes."""
    reading = exit_document["reading"]
    finished_ns = exit_document["finished_ns"]
    if isinstance(reading, dict):
        return figures_from_reading(Reading(**reading), finished_ns)  # type: ignore[arg-type] # JSON
    return Figures(
        sampled_at_ns=finished_ns,  # type: ignore[arg-type] # JSON
        memory_usage_bytes=0,  # the supervisor has seen the last of its processes go
        memory_anon_bytes=0,
        processes=0,
        cpu_user_seconds=exit_document["user_seconds"],  # type: ignore[arg-type] # JSON
        cpu_system_seconds=exit_document["system_seconds"],  # type: ignore[arg-type] # JSON
        cpu_source=Source.SAMPLED,
        memory_peak_bytes=exit_document["max_rss"],  # type: ignore[arg-type] # JSON
        memory_peak_source=Source.SAMPLED,
    )


class ProcReader:
    """Samples a job without a cgroup: the sums over its living processes, and the CPU time of those that were reaped.

    CPU time never falls: processes that nobody waited for are gone with theirs.
    """

    def __init__(self, supervisor: int, ticks: int) -> None:
        self._supervisor = supervisor
        self._ticks = ticks
        self._user_ns = 0
        self._system_ns = 0
        self._peak = 0
        self._processes_peak = 0
        self._figures = Figures()

    def sample(self) -> Point:
        at_ns = time.time_ns()
        found = figures_below(self._supervisor)
        if start_ticks(self._supervisor) != self._ticks:
            return Point(0)  # its supervisor is gone: what was read are not the sums of the job, and not 0 either
        self._user_ns = max(self._user_ns, found.user_ns)
        self._system_ns = max(self._system_ns, found.system_ns)
        self._peak = max(self._peak, found.resident)
        self._processes_peak = max(self._processes_peak, found.processes)
        self._figures = Figures(
            sampled_at_ns=at_ns,
            memory_usage_bytes=found.resident,
            memory_anon_bytes=found.anonymous,
            memory_peak_bytes=self._peak,
            memory_peak_source=Source.SAMPLED,
            cpu_user_seconds=self._user_ns / 1e9,
            cpu_system_seconds=self._system_ns / 1e9,
            cpu_source=Source.SAMPLED,
            processes=found.processes,
            processes_peak=self._processes_peak,
            processes_peak_source=Source.SAMPLED,
        )
        return Point(at_ns, self._user_ns + self._system_ns, found.resident, None, found.anonymous, found.processes)

    def sample_memory(self) -> Point | None:
        return None

    def figures(self, **seen: Any) -> Figures:
        return self._figures.evolve(**seen)

    def close(self) -> None:
        """Nothing is kept open."""
