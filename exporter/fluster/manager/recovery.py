"""What becomes of the jobs that a former worker left behind: those that still run go on, the others get their true end."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace

from fluster.job import Job, JobState
from fluster.runtime import Execution, ExecutionSpec
from fluster.supervisor import SupervisorParts, clear_workspace
from fluster.supervisor.execution import execution_spec, log_bounds

__all__ = ["clear_ended", "recover"]


def clear_ended(parts: SupervisorParts, ended: Collection[str]) -> None:
    """Jobs of which a worker died just when their end was recorded: what they worked with goes. Blocking."""
    for source in (parts.settings.state_dir / "work").glob("*/source"):
        if source.parent.name in ended:
            clear_workspace(parts.workspace(source.parent.name))


async def recover(parts: SupervisorParts, jobs: Iterable[Job]) -> dict[str, Execution]:
    """The executions, by job id, of those of `jobs` that were RUNNING and can still be found (they may have ended meanwhile).

    Whatever else the runtime finds of this worker's is a leftover, which it removes: a job that was BUILDING starts over.
    """
    specs: dict[str, ExecutionSpec] = {}
    handles: dict[str, str] = {}
    began: dict[str, int] = {}
    for job in jobs:
        if job.state is JobState.RUNNING:
            specs[job.id] = execution_spec(
                job,
                parts.runtime,
                parts.workspace(job.id),
                parts.logs.job_path(job.id),
                log_bounds=log_bounds(parts.settings),
                image=job.build.image_tag if job.build else "",
            )
            handles[job.id] = job.handle
            began[job.id] = job.run_started_ns or 0
            parts.ports.adopt(job.ports)
    found = await parts.runtime.recover(specs, handles)
    # When a lost one was started the runtime may not know any more; its timeout and rates count from then.
    return {
        job_id: execution if execution.started_ns else replace(execution, started_ns=began.get(job_id, 0))
        for job_id, execution in found.items()
    }
