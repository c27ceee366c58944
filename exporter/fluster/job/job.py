"""A job as it is known at one moment: immutable; every change makes a new one, and only along the table of transitions."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any

from fluster.job.figures import Figures
from fluster.job.request import JobRequest
from fluster.job.states import TRANSITIONS, EndReason, JobState

__all__ = ["Build", "Job", "LogCounts"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """How the environment or image of a job came to be."""

    image_tag: str = ""
    """Docker: the image's tag; process: the key of the virtual environment; empty where nothing was built."""
    from_cache: bool = False
    bundle_sha256: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogCounts:
    """What was written to a job's log, by source ("stdout", "stderr", "build")."""

    lines: dict[str, int] = field(default_factory=dict)
    bytes: dict[str, int] = field(default_factory=dict)
    lost: dict[str, int] = field(default_factory=dict)
    """Lines that never came into the log: the disk was full."""
    retired: dict[str, int] = field(default_factory=dict)
    """Lines that are not in the log any more: the oldest go where a limit on logs asks for it."""
    last_timestamp_ns: int = 0

    @property
    def dropped_lines(self) -> int:
        """For whatever reason, of whatever source."""
        return sum(self.lost.values()) + sum(self.retired.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One job. Times are UTC nanoseconds since the epoch, None while the moment has not come."""

    id: str
    request: JobRequest
    worker_id: str
    submitted_ns: int
    sequence: int = 0
    """Order of acceptance; given by the store."""
    state: JobState = JobState.PENDING
    status_message: str = ""
    """What it is doing now, in words: "downloading bundle", "building image"."""
    build_started_ns: int | None = None
    build_finished_ns: int | None = None
    run_started_ns: int | None = None
    finished_ns: int | None = None
    end_reason: EndReason | None = None
    exit_code: int | None = None
    error: str = ""
    """One sentence on why it ended, empty where it succeeded."""
    build: Build | None = None
    ports: dict[str, int] = field(default_factory=dict)
    gpus: tuple[str, ...] = ()
    """UUIDs of the GPUs that are, or were, its own."""
    handle: str = ""
    """What the runtime needs to find the execution again after a restart of the worker."""
    figures: Figures = field(default_factory=Figures)
    logs: LogCounts = field(default_factory=LogCounts)

    @property
    def name(self) -> str:
        return self.request.name

    @property
    def started_ns(self) -> int | None:
        """When building began."""
        return self.build_started_ns

    def queue_seconds(self, now_ns: int) -> float:
        """Seconds between submission and the start of building (or the end, or now)."""
        return ((self.build_started_ns or self.finished_ns or now_ns) - self.submitted_ns) / 1e9

    def build_seconds(self, now_ns: int) -> float | None:
        if self.build_started_ns is None:
            return None
        return ((self.build_finished_ns or self.finished_ns or now_ns) - self.build_started_ns) / 1e9

    def run_seconds(self, now_ns: int) -> float | None:
        if self.run_started_ns is None:
            return None
        return ((self.finished_ns or now_ns) - self.run_started_ns) / 1e9

    def evolve(self, **changes: Any) -> Job:
        """This job with `changes`; a change of state that the table does not hold raises ValueError."""
        state = changes.get("state", self.state)
        if state != self.state and state not in TRANSITIONS[self.state]:
            raise ValueError(f"job {self.id} cannot go from {self.state.name} to {state.name}")
        return dataclasses.replace(self, **changes)
