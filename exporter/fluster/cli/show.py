"""`fluster show`."""

from __future__ import annotations

import shlex
import sys
from typing import Annotated, Any

import typer

from fluster.cli.options import Json, Worker
from fluster.cli.outcome import summary
from fluster.cli.terminal import coloured, print_json, printable, run_async, state_colour

__all__ = ["show"]


def show(
    job: Annotated[str, typer.Argument(help="Job id.")],
    json: Json = False,
    worker: Worker = None,
) -> None:
    """Show everything about one job."""
    from fluster.client import AsyncClient

    async def work() -> tuple[dict[str, Any], str]:
        async with AsyncClient(worker) as client:
            return await client.job(job).status(), client.url

    document, url = run_async(work)
    if json:
        print_json(document)
        return
    for label, text in summary(document):
        print(f"{label:<10} {coloured(text, state_colour(document['status']), sys.stdout) if label == 'job' else text}")
    if document["command"]:
        print(f"{'command':<10} {printable(shlex.join(document['command']))}")
    if document["ports"]:
        print(f"{'ports':<10} {', '.join(f'{name} {port}' for name, port in document['ports'].items())}")
    print(f"{'page':<10} {url}/job/{document['job_id']}")
