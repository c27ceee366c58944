"""`fluster submit`."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from fluster.cli.logs import _print
from fluster.cli.options import (
    Cpus,
    Disk,
    Env,
    Extra,
    Folder,
    Gpus,
    Grace,
    Id,
    Image,
    Json,
    Memory,
    Name,
    Pids,
    Pip,
    Port,
    Python,
    Timeout,
    Worker,
    command_of,
    submission,
)  # fmt: skip
from fluster.cli.outcome import exit_code
from fluster.cli.terminal import print_json, run_async

__all__ = ["submit"]


def submit(
    context: typer.Context, folder: Folder = None, image: Image = None, cpus: Cpus = None, memory: Memory = None, pids: Pids = None,
    disk: Disk = None, gpus: Gpus = None, timeout: Timeout = None, grace: Grace = None, env: Env = None, port: Port = None,
    extra: Extra = None, pip: Pip = None, python: Python = None, name: Name = None, job_id: Id = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Follow the log; exit with the job's code.")] = False,
    json: Json = False, worker: Worker = None,
) -> None:  # fmt: skip
    """Submit a job to a worker; its id alone is printed on stdout.

    The command stands behind --, like: fluster submit . --memory 2g -- python train.py
    """
    from fluster.client import AsyncClient

    command = command_of(context)
    options = submission(
        image=image, cpus=cpus, memory=memory, pids=pids, disk=disk, gpus=gpus, timeout=timeout, grace=grace, env=env, port=port,
        extra=extra, pip=pip, python=python, name=name, job_id=job_id,
    )  # fmt: skip

    async def work() -> dict[str, Any] | None:
        async with AsyncClient(worker) as client:
            job = await client.submit(command, workspace=folder, **options)
            if not json:
                print(job.id, flush=True)
            if not follow:
                if json:
                    print_json(await job.status())
                return None
            async for entry in job.logs(follow=True):
                _print({**entry, "source": "stderr"} if json else entry, timestamps=False, json=False)
            return await job.wait()

    document = run_async(work)
    if document is not None:
        if json:
            print_json(document)
        raise typer.Exit(exit_code(document))
