"""uv: its commands for a plan, the variables it is given, and running it with every line in the build log."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import anyio
import anyio.abc
from uv import find_uv_bin

from fluster.builder.plan import Plan
from fluster.cri import CriWriter
from fluster.errors import BuildError
from fluster.masking import masked_command, masked_start

__all__ = ["install_commands", "reason_of", "run_uv", "uv_binary", "uv_variables"]

_REMEMBERED = 64 * 1024
_PASSED = ("SSL_CERT_FILE", "SSL_CERT_DIR", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "NETRC")


def uv_binary() -> Path:
    return Path(find_uv_bin())


def uv_variables() -> dict[str, str]:
    """The worker's own settings of mirrors, proxies and certificates: what uv needs to reach an index, and nothing else."""
    return {
        name: value
        for name, value in os.environ.items()
        if (name.startswith("UV_") or name.upper() in _PASSED)
        and name not in {"UV_CACHE_DIR", "UV_PROJECT_ENVIRONMENT"}
    }


def install_commands(plan: Plan, *, python: str, project: str) -> list[list[str]]:
    """Arguments for uv, to run where the dependency files are. `project` is where the sources are, `python` the environment's."""
    commands: list[list[str]] = []
    extras = [word for extra in plan.extras for word in ("--extra", extra)]
    if plan.locked:
        commands.append(["sync", "--frozen", "--no-install-project", "--no-dev", "--inexact", *extras])
    commands.extend(["pip", "install", "--python", python, "-r", file, *extras] for file in plan.requirements)
    if plan.packages:
        commands.append(["pip", "install", "--python", python, "--", *plan.packages])
    if plan.installs_project:
        commands.append(["pip", "install", "--python", python, "--no-deps", project])
    return commands


async def run_uv(arguments: Sequence[str], *, cwd: Path, variables: Mapping[str, str], log: CriWriter) -> None:
    """Run one command of uv. Its lines go to the log as they come. Raises BuildError with its last word."""
    log.line(f"$ uv {' '.join(masked_command(arguments))}")
    process = await anyio.open_process(
        [str(uv_binary()), *arguments],
        cwd=cwd,
        env={**uv_variables(), **variables, "NO_COLOR": "1", "UV_NO_PROGRESS": "1", "PATH": os.environ.get("PATH", "")},
        stdin=subprocess.DEVNULL,
        start_new_session=True,
    )
    said = bytearray()
    try:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_copy, process.stdout, "stdout", log, said)
            tasks.start_soon(_copy, process.stderr, "stderr", log, said)
        code = await process.wait()
    finally:
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)
            with anyio.CancelScope(shield=True):
                await process.wait()
        with anyio.CancelScope(shield=True):
            await process.aclose()
        log.flush_tails()
    if code:
        raise BuildError(
            f"uv {arguments[0]} failed: {masked_start(reason_of(said.decode('utf-8', 'replace'))) or f'exit code {code}'}"
        )


async def _copy(stream: anyio.abc.ByteReceiveStream | None, name: str, log: CriWriter, said: bytearray) -> None:
    if stream is None:
        return
    async for chunk in stream:
        log.write(name, time.time_ns(), chunk)
        said += chunk
        del said[:-_REMEMBERED]


def reason_of(said: str) -> str:
    """The innermost cause that uv names; hints, which come after it, are not the reason."""
    lines = [line.strip(" ╰─▶│├·×") for line in said.partition("\nhint:")[0].splitlines()]
    for mark in ("cause:", "error:"):
        for line in reversed(lines):
            if line.lower().startswith(mark):
                return line[len(mark) :].strip()
    return next((line for line in reversed(lines) if line), "")
