"""The phases of a job: when each began, how long it took, and its share of the bar."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from fluster.job import Job, JobState
from fluster.sizes import format_duration

__all__ = ["Phase", "Piece", "phases", "pieces", "since_ns"]

_LEAST: Final = 2.0
"""Percent of the bar that a phase has, however short it was."""


@dataclass(frozen=True, slots=True)
class Phase:
    """One part of a job's way; `milliseconds` is what it took, or takes so far while `live`."""

    name: str
    began_ms: int | None
    milliseconds: int | None
    live: bool

    @property
    def text(self) -> str:
        return "–" if self.milliseconds is None else format_duration(self.milliseconds / 1000)


@dataclass(frozen=True, slots=True)
class Piece:
    """A phase in the bar, in percent of its width."""

    name: str
    at: float
    width: float


def since_ns(job: Job) -> int | None:
    """When the phase began in which a live job is; None of one that ended."""
    if job.state.terminal:
        return None
    return {JobState.BUILDING: job.build_started_ns, JobState.RUNNING: job.run_started_ns}.get(
        job.state, job.submitted_ns
    )


def phases(job: Job, now_ns: int) -> list[Phase]:
    """Queued, building, running; a phase that was never reached has no time."""
    ends = job.finished_ns or now_ns
    build_ends = job.build_finished_ns or job.finished_ns
    found = [("queued", job.submitted_ns, job.build_started_ns or job.finished_ns)]
    found.append(("building", job.build_started_ns or 0, build_ends))
    found.append(("running", job.run_started_ns or 0, job.finished_ns))
    return [
        Phase(
            name,
            began // 1_000_000 if began else None,
            max((end or ends) - began, 0) // 1_000_000 if began else None,
            bool(began) and end is None,
        )
        for name, began, end in found
    ]


def pieces(found: list[Phase]) -> list[Piece]:
    """The bar of those phases that were reached; a short one is wider than it was long."""
    reached = [phase for phase in found if phase.milliseconds is not None]
    whole = sum(phase.milliseconds or 0 for phase in reached) or 1
    rest = 100 - _LEAST * len(reached)
    bar: list[Piece] = []
    at = 0.0
    for phase in reached:
        width = _LEAST + rest * (phase.milliseconds or 0) / whole
        bar.append(Piece(phase.name, round(at, 1), round(width, 1)))
        at += width
    return bar
