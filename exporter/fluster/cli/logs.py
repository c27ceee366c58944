"""`fluster logs`."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

from fluster.cli.options import Worker
from fluster.cli.terminal import coloured, run_async, say

__all__ = ["logs"]


def logs(
    job: Annotated[str, typer.Argument(help="Job id.")],
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until the log is complete.")] = False,
    source: Annotated[
        list[str] | None, typer.Option(help="build, stdout or stderr; several times for several.")
    ] = None,
    tail: Annotated[int | None, typer.Option(min=0, help="Only the last so many lines.")] = None,
    since: Annotated[
        str | None, typer.Option(metavar="TIME", help="From then on: 10m ago, or 2026-11-23T17:08:51Z.")
    ] = None,
    until: Annotated[str | None, typer.Option(metavar="TIME", help="Up to then.")] = None,
    grep: Annotated[str | None, typer.Option(metavar="RE", help="Only lines that match (RE2 syntax).")] = None,
    timestamps: Annotated[bool, typer.Option("--timestamps", "-t", help="The line's time in front.")] = False,
    json: Annotated[bool, typer.Option("--json", help="One JSON document a line.")] = False,
    worker: Worker = None,
) -> None:
    """Print a job's log: stdout to stdout, stderr and build to stderr."""
    from fluster.client import AsyncClient

    async def work() -> None:
        async with AsyncClient(worker) as client:
            found = client.job(job).logs(follow=follow, source=source, tail=tail, since=since, until=until, grep=grep)
            async for entry in found:
                _print(entry, timestamps=timestamps, json=json)

    run_async(work)


def _print(entry: dict[str, Any], *, timestamps: bool, json: bool) -> None:
    if json:
        import orjson

        sys.stdout.buffer.write(orjson.dumps(entry, option=orjson.OPT_APPEND_NEWLINE))
        sys.stdout.buffer.flush()
        return
    if entry["dropped"]:
        say(f"{entry['dropped']} lines are missing here")
    stream = sys.stdout if entry["source"] == "stdout" else sys.stderr
    stamp = coloured(entry["time"], "2", stream) + " " if timestamps else ""
    stream.buffer.write(f"{stamp}{entry['data']}\n".encode())
    stream.buffer.flush()
