"""Options that several commands share, and the request that `run` and `submit` make of them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from fluster.sizes import parse_duration, parse_size

__all__ = [
    "Cpus", "Disk", "Env", "Extra", "Folder", "Gpus", "Grace", "Id", "Image", "Json", "Memory", "Name", "Pids", "Pip", "Port", "Python",
    "Timeout", "Worker", "command_of", "submission",
]  # fmt: skip


def _size(text: str | None) -> str | None:
    if text is not None:
        _parsed(parse_size, text)
    return text


def _duration(text: str | None) -> str | None:
    if text is not None:
        _parsed(parse_duration, text)
    return text


def _parsed(parse: Any, text: str) -> None:
    try:
        parse(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


Folder = Annotated[
    Path | None, typer.Argument(metavar="[DIR]", help="Folder with the job's files.", show_default=False)
]
Image = Annotated[str | None, typer.Option(help="Docker image to start from.")]
Cpus = Annotated[float | None, typer.Option(min=0.01, help="CPU limit in cores.")]
Memory = Annotated[str | None, typer.Option(callback=_size, metavar="SIZE", help="Memory limit, like 512m or 2GiB.")]
Pids = Annotated[int | None, typer.Option(min=1, help="Limit on processes and threads.")]
Disk = Annotated[
    str | None, typer.Option(callback=_size, metavar="SIZE", help="Limit on working and output directory.")
]
Gpus = Annotated[int | None, typer.Option(min=0, help="GPUs to assign.")]
Timeout = Annotated[
    str | None, typer.Option(callback=_duration, metavar="TIME", help="Run timeout, like 90s or 1h30m.")
]
Grace = Annotated[
    str | None, typer.Option(callback=_duration, metavar="TIME", help="Between SIGTERM and SIGKILL (10s).")
]
Env = Annotated[list[str] | None, typer.Option("--env", "-e", metavar="K=V", help="Variable; K alone passes on yours.")]
Port = Annotated[list[str] | None, typer.Option(metavar="NAME", help="A free TCP port in FLUSTER_PORT_<NAME>.")]
Extra = Annotated[list[str] | None, typer.Option(metavar="NAME", help="Extra of the folder's pyproject.toml.")]
Pip = Annotated[list[str] | None, typer.Option(metavar="PKG", help="Package to install on top.")]
Python = Annotated[str | None, typer.Option(metavar="3.x", help="Python of the environment.")]
Name = Annotated[str | None, typer.Option(help="Name for people.")]
Id = Annotated[str | None, typer.Option("--id", metavar="ID", help="Job id; default: one that sorts by time.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout.")]
Worker = Annotated[
    str | None,
    typer.Option("--worker", metavar="URL", help="The worker; default $FLUSTER_URL or http://127.0.0.1:8080."),
]


def command_of(context: typer.Context) -> list[str]:
    """The words behind `--`."""
    command: list[str] = context.obj or []
    if not command:
        raise typer.BadParameter("give the command behind --, like: -- python train.py")
    return command


def submission(
    *, image: str | None, cpus: float | None, memory: str | None, pids: int | None, disk: str | None, gpus: int | None,
    timeout: str | None, grace: str | None, env: list[str] | None, port: list[str] | None, extra: list[str] | None,
    pip: list[str] | None, python: str | None, name: str | None, job_id: str | None,
) -> dict[str, Any]:  # fmt: skip
    """Keyword arguments of fluster.client.request.run_job_document."""
    return {
        "image": image, "cpus": cpus, "memory": memory, "pids": pids, "disk": disk, "gpus": gpus, "timeout": timeout, "grace": grace,
        "env": dict(_variable(each) for each in env or []), "ports": port or [], "extras": extra or [], "pip": pip or [],
        "python": python, "name": name, "job_id": job_id,
    }  # fmt: skip


def _variable(text: str) -> tuple[str, str]:
    import os

    name, equals, value = text.partition("=")
    if not name:
        raise typer.BadParameter(f"--env: {text!r} has no name; write it like KEY=VALUE")
    if not equals and name not in os.environ:
        raise typer.BadParameter(f"--env: {name} is not set here; write it like {name}=VALUE")
    return name, value if equals else os.environ[name]
