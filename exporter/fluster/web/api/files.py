"""A job's output files over REST: the list, and each file. Nothing outside the output directory can be reached."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Final
from urllib.parse import unquote_to_bytes

import anyio
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.types import Receive, Scope, Send

from fluster.errors import NotFoundError
from fluster.web.answer import json_response
from fluster.web.output import listed_output
from fluster.web.services import Services

__all__ = ["Files"]

_DIRECTORY: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class Files:
    def __init__(self, services: Services) -> None:
        self._manager = services.manager
        self._work = services.settings.state_dir / "work"
        self._threads = anyio.CapacityLimiter(4)

    def _output(self, request: Request) -> Path:
        return self._work / self._manager.get(request.path_params["job_id"]).id / "output"

    async def list(self, request: Request) -> Response:
        found = await anyio.to_thread.run_sync(listed_output, self._output(request), limiter=self._threads)
        return json_response(found.files)

    async def show(self, request: Request) -> Response:
        output, name = self._output(request), _path(request)
        descriptor = await anyio.to_thread.run_sync(_opened, output, name, limiter=self._threads)
        if descriptor is None:
            raise NotFoundError(f"the job left no file {_readable(name)[:200]!r} in its output directory")
        return _OpenFile(descriptor, _readable(name.rsplit("/", 1)[-1]))


def _path(request: Request) -> str:
    """As the file system has it: a name need not be UTF-8, and the decoded path has lost the bytes of one that is not."""
    raw = request.scope.get("raw_path")
    if raw is None:
        return str(request.path_params["path"])
    return os.fsdecode(unquote_to_bytes(raw)).split("/", 5)[5]


def _readable(name: str) -> str:
    return os.fsencode(name).decode("utf-8", "replace")


class _OpenFile(FileResponse):
    """An open file by its descriptor: what a job that still runs puts at its path meanwhile is not followed."""

    def __init__(self, descriptor: int, name: str) -> None:
        super().__init__(
            f"/proc/self/fd/{descriptor}",
            filename=name,
            media_type="application/octet-stream",
            content_disposition_type="attachment",
            stat_result=os.fstat(descriptor),
        )
        self._descriptor = descriptor

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            os.close(self._descriptor)


def _opened(output: Path, name: str) -> int | None:
    """A descriptor of the regular file that `name` means; each step is opened by itself and none may be a link."""
    parts = name.split("/")
    if "\0" in name or any(part in {"", ".", ".."} for part in parts):
        return None
    held: list[int] = []
    try:
        held.append(os.open(output, _DIRECTORY))
        for part in parts[:-1]:
            held.append(os.open(part, _DIRECTORY, dir_fd=held[-1]))
        # A FIFO must not hold the thread until someone writes to it.
        file = os.open(parts[-1], os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=held[-1])
    except OSError:
        return None
    finally:
        for each in held:
            os.close(each)
    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        return None
    return file
