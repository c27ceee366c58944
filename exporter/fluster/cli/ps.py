"""`fluster ps`."""

from __future__ import annotations

import sys
import time
from typing import Annotated, Any

import typer

from fluster.cli.options import Json, Worker
from fluster.cli.terminal import coloured, print_json, printable, run_async, state_colour
from fluster.sizes import format_bytes, format_duration

__all__ = ["ps"]


def ps(
    state: Annotated[list[str] | None, typer.Option(help="Only jobs in this state.")] = None,
    text: Annotated[str | None, typer.Option(help="Only jobs with this in id or name.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most so many, newest first.")] = 50,
    json: Json = False,
    worker: Worker = None,
) -> None:
    """List jobs, newest first."""
    from fluster.client import AsyncClient

    async def work() -> list[dict[str, Any]]:
        async with AsyncClient(worker) as client:
            return await client.jobs(state=state, text=text, limit=limit)

    jobs = run_async(work)
    if json:
        print_json(jobs)
        return
    rows = [_row(job, int(time.time() * 1000)) for job in jobs]
    header = ("JOB", "NAME", "STATE", "AGE", "RAN", "MEMORY", "CPU", "REASON")
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    print("  ".join(word.ljust(width) for word, width in zip(header, widths, strict=True)).rstrip())
    for job, row in zip(jobs, rows, strict=True):
        cells = [word.ljust(width) for word, width in zip(row, widths, strict=True)]
        cells[2] = coloured(cells[2], state_colour(job["status"]), sys.stdout)
        print("  ".join(cells).rstrip())


def _row(job: dict[str, Any], now_ms: int) -> tuple[str, ...]:
    figures = job["figures"]
    peak, limit = figures["memory_peak_bytes"], job["limits"]["memory_bytes"]
    memory = "-" if peak is None else format_bytes(peak) + (f" / {format_bytes(limit)}" if limit else "")
    started = job["run_started_at"]
    ran = "-" if started is None else format_duration(max((job["finished_at"] or now_ms) - started, 0) / 1000)
    user, system = figures["cpu_user_seconds"], figures["cpu_system_seconds"]
    cpu = "-" if user is None or system is None else f"{user + system:.2f} s"
    age = format_duration(max(now_ms - job["submitted_at"], 0) / 1000)
    reason = (job["end_reason"] or job["status_message"] or "").replace("_", " ")
    return job["job_id"], printable(job["name"])[:32], job["status"], age, ran, memory, cpu, reason
