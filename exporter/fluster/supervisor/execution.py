"""From a job and what was built for it to the ExecutionSpec that a runtime starts."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from fluster.config import Settings
from fluster.cri import LogBounds
from fluster.job import Job
from fluster.runtime import ExecutionSpec, Runtime, Workspace

__all__ = ["execution_spec", "job_environment", "log_bounds"]


def log_bounds(settings: Settings) -> LogBounds:
    return LogBounds(settings.max_line, settings.log_segment, settings.max_job_log)


def job_environment(
    job: Job, ports: Mapping[str, int], output: str, built: Mapping[str, str] | None = None
) -> dict[str, str]:
    """The job's variables: what was built, then what was asked for, then FLUSTER_*, which nobody can override.

    PYTHONUNBUFFERED is on unless the request says otherwise: a line that waits in a buffer has the wrong time.
    """
    return {
        "PYTHONUNBUFFERED": "1",
        **(built or {}),
        **job.request.environment.env_vars,
        "FLUSTER_JOB_ID": job.id,
        "FLUSTER_JOB_NAME": job.name,
        "FLUSTER_WORKER_ID": job.worker_id,
        "FLUSTER_OUTPUT_DIR": output,
        **{f"FLUSTER_PORT_{name.upper()}": str(port) for name, port in ports.items()},
    }


def execution_spec(
    job: Job,
    runtime: Runtime,
    workspace: Workspace,
    log_path: Path,
    *,
    log_bounds: LogBounds,
    image: str,
    python: str = "python3",
    built_env: Mapping[str, str] | None = None,
) -> ExecutionSpec:
    """What the runtime is given; paths in the command and the environment are the job's own view."""
    call = runtime.call_path or str(workspace.call)
    command = job.request.command or (python, f"{call}/run.py")
    return ExecutionSpec(
        job_id=job.id,
        worker_id=job.worker_id,
        command=command,
        env=job_environment(job, job.ports, runtime.output_path or str(workspace.output), built_env),
        workspace=workspace,
        log_path=log_path,
        log_bounds=log_bounds,
        image=image,
        limits=job.request.limits,
        ports=job.ports,
        gpus=job.gpus,
    )
