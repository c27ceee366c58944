"""What becomes of the jobs that a former worker left behind: those that still run go on, the others get their true end."""

from __future__ import annotations

from collections.abc import Iterable

from fluster.job import Job, JobState
from fluster.runtime import Execution, ExecutionSpec
from fluster.supervisor import SupervisorParts
from fluster.supervisor.execution import execution_spec

__all__ = ["recover"]


async def recover(parts: SupervisorParts, jobs: Iterable[Job]) -> dict[str, Execution]:
    """The executions, by job id, of those of `jobs` that were RUNNING and can still be found (they may have ended meanwhile).

    Whatever else the runtime finds of this worker's is a leftover, which it removes: a job that was BUILDING starts over.
    """
    specs: dict[str, ExecutionSpec] = {}
    handles: dict[str, str] = {}
    for job in jobs:
        if job.state is JobState.RUNNING:
            specs[job.id] = execution_spec(
                job,
                parts.runtime,
                parts.workspace(job.id),
                parts.logs.job_path(job.id),
                max_line_bytes=parts.settings.max_line,
                image=job.build.image_tag if job.build else "",
            )
            handles[job.id] = job.handle
            parts.ports.adopt(job.ports)
    return await parts.runtime.recover(specs, handles)
