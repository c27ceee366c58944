"""`fluster kill`."""

from __future__ import annotations

from typing import Annotated

import typer

from fluster.cli.options import Grace, Worker
from fluster.cli.outcome import reason_in_words
from fluster.cli.terminal import run_async, say
from fluster.sizes import parse_duration

__all__ = ["kill"]


def kill(
    jobs: Annotated[list[str], typer.Argument(help="Job ids.")],
    grace: Grace = None,
    no_wait: Annotated[bool, typer.Option("--no-wait", help="Do not wait until the end is confirmed.")] = False,
    worker: Worker = None,
) -> None:
    """End jobs: SIGTERM, their grace, SIGKILL."""
    from fluster.client import AsyncClient

    async def work() -> None:
        async with AsyncClient(worker) as client:
            seconds = None if grace is None else parse_duration(grace)
            for job_id in jobs:
                await client.job(job_id).kill(seconds)
            for job_id in jobs:
                document = await (client.job(job_id).status() if no_wait else client.job(job_id).wait())
                say(f"{job_id} {reason_in_words(document)}")

    run_async(work)
