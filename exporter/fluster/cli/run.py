"""`fluster run`: one job on a private worker in this process."""

from __future__ import annotations

import signal
import sys
from contextlib import closing, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any

import typer

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
    command_of,
    submission,
)  # fmt: skip
from fluster.cli.outcome import exit_code, summary
from fluster.cli.output import JobOutput
from fluster.cli.terminal import coloured, print_json, run_async, say, state_colour

if TYPE_CHECKING:
    from fluster.web.services import Services

__all__ = ["run"]

_KEPT_RUNS = 20


def run(
    context: typer.Context, folder: Folder = None, image: Image = None, cpus: Cpus = None, memory: Memory = None, pids: Pids = None,
    disk: Disk = None, gpus: Gpus = None, timeout: Timeout = None, grace: Grace = None, env: Env = None, port: Port = None,
    extra: Extra = None, pip: Pip = None, python: Python = None, name: Name = None, job_id: Id = None,
    runtime: Annotated[str, typer.Option(metavar="auto|docker|process", help="What runs the job.")] = "auto",
    json: Json = False,
) -> None:  # fmt: skip
    """Run one job here, follow it, and exit with its code: 124 timed out, 137 out of memory, 125 Fluster's own failure.

    The command stands behind --, like: fluster run . --memory 2g -- python train.py
    """
    command = command_of(context)
    options = submission(
        image=image, cpus=cpus, memory=memory, pids=pids, disk=disk, gpus=gpus, timeout=timeout, grace=grace, env=env, port=port,
        extra=extra, pip=pip, python=python, name=name, job_id=job_id,
    )  # fmt: skip
    document = run_async(lambda: _run(command, folder, options, runtime, json=json))
    raise typer.Exit(exit_code(document))


async def _run(
    command: list[str], folder: Path | None, options: dict[str, Any], runtime: str, *, json: bool
) -> dict[str, Any]:
    import anyio

    from fluster.app import open_worker
    from fluster.cli.worker import load_settings
    from fluster.config import state_home
    from fluster.job import check_job_id, new_job_id
    from fluster.web.api.documents import job_document
    from fluster.worker_log import configure

    job_id = check_job_id(options["job_id"] or new_job_id())
    runs = state_home() / "runs"
    settings = load_settings(
        state_dir=runs / job_id, runtime=runtime, max_jobs=1, drain="kill", worker_id=f"run-{job_id}"[:64]
    )
    with closing(configure("WARNING")):
        async with open_worker(settings) as services:
            await _submit(services, command, folder, {**options, "job_id": job_id})
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(_kill_on_signal, services, job_id)
                await _copy_log(services, job_id, sys.stderr.buffer if json else sys.stdout.buffer)
                job = await services.manager.wait(job_id)
                tasks.cancel_scope.cancel()
            document = job_document(job)
    _print_summary(document, runs / job_id, json=json)
    _prune(runs)
    return document


async def _submit(services: Services, command: list[str], folder: Path | None, options: dict[str, Any]) -> None:
    """The same way as over the network: one request message, one set of checks."""
    import anyio
    from google.protobuf.json_format import ParseDict

    from fluster.client.asynchronous import _blocks
    from fluster.client.request import run_job_document
    from fluster.client.workspace import pack
    from fluster.v1 import cluster_pb2 as pb
    from fluster.web.rpc.convert import job_request

    if folder is not None:
        with await anyio.to_thread.run_sync(pack, folder) as bundle:
            options["bundle_sha256"] = await services.bundles.put(_blocks(bundle))
    request = job_request(ParseDict(run_job_document(command, **options), pb.RunJobRequest()))
    await services.manager.submit(request, options["job_id"])


async def _kill_on_signal(services: Services, job_id: str) -> None:
    """The first Ctrl-C asks the job to end, the second ends it."""
    import anyio

    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        grace: float | None = None
        async for _ in signals:
            say("killing the job" if grace is not None else "asking the job to end; once more kills it")
            await services.manager.kill(job_id, grace)
            grace = 0.0


async def _copy_log(services: Services, job_id: str, stdout: IO[bytes]) -> None:
    """The whole log, until the job is over."""
    from fluster.logs import LogFilter

    output = JobOutput(stdout, sys.stderr.buffer)

    def over() -> bool:
        return services.manager.get(job_id).state.terminal

    async for batch in services.logs.follow(job_id, LogFilter(), over):
        await output.write(batch.entries, lambda: services.logs.counts(job_id).bytes)


def _print_summary(document: dict[str, Any], home: Path, *, json: bool) -> None:
    if json:
        print_json(document)
        return
    say("")
    for label, text in summary(document):
        say(f"{label:<10} {coloured(text, state_colour(document['status']), sys.stderr) if label == 'job' else text}")
    output = home / "work" / document["job_id"] / "output"
    if output.is_dir() and any(output.iterdir()):
        say(f"{'output':<10} {output}")


def _prune(runs: Path) -> None:
    """The state of the last runs stays: their logs and output files. A run that still goes on is never touched."""
    import shutil

    from fluster.errors import FailedPreconditionError
    from fluster.store import StateLock

    with suppress(OSError):
        old = sorted(runs.iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)[_KEPT_RUNS:]
        for path in old:
            with suppress(FailedPreconditionError, OSError), StateLock(path):
                shutil.rmtree(path, ignore_errors=True)
