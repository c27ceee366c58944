"""The states of a job, the reasons for its end, and the one table of legal transitions."""

from __future__ import annotations

from enum import IntEnum, StrEnum
from typing import Final

__all__ = ["ACTIVE", "TERMINAL", "TRANSITIONS", "EndReason", "JobState"]


class JobState(IntEnum):
    """Numbers as in `fluster.v1.JobState`; `label` is the lower-case name that REST, metrics and pages show."""

    UNSPECIFIED = 0
    PENDING = 1
    """Accepted and durable; waits for a slot."""
    BUILDING = 2
    """Its bundle is fetched and its environment or image is made."""
    RUNNING = 3
    """Its first process was started."""
    SUCCEEDED = 4
    """Ended with exit code 0."""
    FAILED = 5
    """The job's own fault: exit code, out of memory, timeout, bundle, build, start, disk quota."""
    KILLED = 6
    """Someone asked for its end, or the worker shut down."""
    WORKER_FAILED = 7
    """The infrastructure failed, not the job."""
    UNSCHEDULABLE = 8
    """This worker can never run it."""

    @property
    def label(self) -> str:
        return self.name.lower()

    @property
    def phase(self) -> str:
        """Where a job is, as the worker's log names it: like `label`, and "ended" for every terminal state."""
        return "ended" if self.terminal else self.label

    @property
    def terminal(self) -> bool:
        return self in TERMINAL


class EndReason(StrEnum):
    """Why a job is terminal."""

    COMPLETED = "completed"
    EXIT_CODE = "exit_code"
    OOM = "oom"
    TIMEOUT = "timeout"
    BUNDLE = "bundle"
    BUILD = "build"
    START = "start"
    USER = "user"
    SHUTDOWN = "shutdown"
    DISK_QUOTA = "disk_quota"
    INFRASTRUCTURE = "infrastructure"


TERMINAL: Final = frozenset(
    {JobState.SUCCEEDED, JobState.FAILED, JobState.KILLED, JobState.WORKER_FAILED, JobState.UNSCHEDULABLE}
)
ACTIVE: Final = frozenset({JobState.BUILDING, JobState.RUNNING})
"""States that hold a slot."""

TRANSITIONS: Final[dict[JobState, frozenset[JobState]]] = {
    JobState.UNSPECIFIED: frozenset({JobState.PENDING}),
    JobState.PENDING: frozenset({JobState.BUILDING, JobState.KILLED, JobState.WORKER_FAILED, JobState.UNSCHEDULABLE}),
    JobState.BUILDING: frozenset(
        {JobState.RUNNING, JobState.FAILED, JobState.KILLED, JobState.WORKER_FAILED, JobState.UNSCHEDULABLE}
    ),
    JobState.RUNNING: frozenset({JobState.SUCCEEDED, JobState.FAILED, JobState.KILLED, JobState.WORKER_FAILED}),
    **{state: frozenset[JobState]() for state in TERMINAL},
}
