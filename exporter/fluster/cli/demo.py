"""`fluster demo`: a worker in the foreground, with the example jobs submitted to it."""

from __future__ import annotations

import hashlib
import os
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from fluster.cli.terminal import run_async, say

__all__ = ["demo"]


def demo(
    runtime: Annotated[str, typer.Option(metavar="auto|docker|process|fake", help="What runs the jobs.")] = "process",
    port: Annotated[int, typer.Option(min=0, max=65535, help="TCP port to listen on.")] = 8080,
    examples: Annotated[Path | None, typer.Option(help="Folder with the examples.")] = None,
    state_dir: Annotated[Path | None, typer.Option(help="Jobs, logs and output files.", show_default=False)] = None,
) -> None:
    """Start a worker, submit the example jobs, and stay until Ctrl-C."""
    from fluster.cli.worker import load_settings
    from fluster.config import state_home
    from fluster.worker_log import configure

    folder = examples or _find_examples()
    settings = load_settings(runtime=runtime, port=port, state_dir=state_dir or state_home() / "demo")
    if "worker_id" not in settings.model_fields_set:  # this machine's name is for its worker, which may run beside
        settings = settings.model_copy(update={"worker_id": _worker_id(settings.state_dir)})
    with closing(configure("WARNING")):
        run_async(lambda: _demo(settings, folder))


def _worker_id(state_dir: Path) -> str:
    """The same for the same state, so that the next demo finds what this one left."""
    return f"demo-{hashlib.sha256(os.fsencode(state_dir.absolute())).hexdigest()[:8]}"


def _find_examples() -> Path:
    for place in (Path.cwd(), *Path(__file__).resolve().parents):
        if (place / "examples/hello/hello.py").is_file():
            return place / "examples"
    raise typer.BadParameter(
        "there is no examples folder here; run it in a checkout of Fluster, or give --examples DIR"
    )


async def _demo(settings: object, folder: Path) -> None:
    import anyio

    from fluster.app import serve
    from fluster.config import Settings

    assert isinstance(settings, Settings)  # noqa: S101 # for the type checker
    url: list[str] = []
    ready = anyio.Event()

    def on_ready(address: str) -> None:
        url.append(address)
        ready.set()

    async with anyio.create_task_group() as tasks:

        async def worker() -> None:
            await serve(settings, on_ready)
            tasks.cancel_scope.cancel()

        tasks.start_soon(worker)
        await ready.wait()
        say(f"page     {url[0]}/\nmetrics  {url[0]}/metrics\nAPI      {url[0]}/api/jobs\nCtrl-C stops the worker")
        await _submit_all(url[0], settings.read_token(), folder)


async def _submit_all(url: str, token: str | None, folder: Path) -> None:
    from fluster.cli.demo_jobs import DEMO_JOBS
    from fluster.client import AsyncClient

    async with AsyncClient(url, token) as client:
        for name, command, options in DEMO_JOBS:
            job = await client.submit(command, workspace=folder / name, name=name, **options)
            say(f"  {name:<8} {url}/job/{job.id}")
            if (await job.status())["status"] == "unschedulable":
                # A limit that does not hold here is refused, which is one more thing to see; the example is shown without.
                job = await client.submit(command, workspace=folder / name, name=name)
                say(f"  {name:<8} {url}/job/{job.id}   without its limits, which this worker cannot enforce")
