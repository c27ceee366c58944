"""One job as a row of the list. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from fluster.job import Job
from fluster.sizes import format_duration
from fluster.web.pages.memory import Memory, memory
from fluster.web.pages.outcome import reason
from fluster.web.pages.phases import since_ns

__all__ = ["Row", "row"]

_LONGEST: Final = 200
"""Characters of a name; the job's page has all of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    id: str
    name: str
    state: str
    submitted_ms: int
    since_ms: int | None
    """When the phase of a live job began: its duration goes on."""
    duration: str
    memory: Memory | None
    cpu: str
    processes: str
    reason: str


def row(job: Job, now_ns: int) -> Row:
    since, figures, limit = since_ns(job), job.figures, job.request.limits.cpu_millicores
    seconds = job.run_seconds(now_ns) if since is None else max(now_ns - since, 0) / 1e9
    cpu = "–" if figures.cpu_seconds is None else f"{figures.cpu_seconds:.2f} s"
    if not job.state.terminal and figures.cpu_cores is not None:
        cpu = f"{figures.cpu_cores:.2f}" + (f" / {limit / 1000:g}" if limit else "") + " cores"
    count = figures.processes_peak if job.state.terminal else figures.processes
    return Row(
        id=job.id,
        name=job.name if len(job.name) <= _LONGEST else f"{job.name[:_LONGEST]}…",
        state=job.state.label,
        submitted_ms=job.submitted_ns // 1_000_000,
        since_ms=None if since is None else since // 1_000_000,
        duration="–" if seconds is None else format_duration(seconds),
        memory=memory(job),
        cpu=cpu,
        processes="–" if count is None else str(count),
        reason=reason(job),
    )
