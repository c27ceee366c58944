"""`fluster wait`."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from fluster.cli.options import Json, Worker
from fluster.cli.outcome import exit_code, reason_in_words
from fluster.cli.terminal import print_json, run_async, say

__all__ = ["wait"]


def wait(
    jobs: Annotated[list[str], typer.Argument(help="Job ids.")],
    json: Json = False,
    worker: Worker = None,
) -> None:
    """Wait until jobs have ended; the exit code is that of the first one that did not succeed."""
    from fluster.client import AsyncClient

    async def work() -> list[dict[str, Any]]:
        async with AsyncClient(worker) as client:
            found = []
            for job_id in jobs:
                document = await client.job(job_id).wait()
                say(f"{job_id} {reason_in_words(document)}")
                found.append(document)
            return found

    documents = run_async(work)
    if json:
        print_json(documents if len(documents) > 1 else documents[0])
    raise typer.Exit(next((code for code in map(exit_code, documents) if code), 0))
