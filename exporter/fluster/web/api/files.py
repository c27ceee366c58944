"""A job's output files over REST: the list, and each file. Nothing outside the output directory can be reached."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any, Final

import anyio
from starlette.requests import Request
from starlette.responses import FileResponse, Response

from fluster.errors import NotFoundError
from fluster.web.api.answer import json_response
from fluster.web.services import Services

__all__ = ["Files"]

_MAX_LISTED: Final = 10_000


class Files:
    def __init__(self, services: Services) -> None:
        self._manager = services.manager
        self._work = services.settings.state_dir / "work"
        self._threads = anyio.CapacityLimiter(4)

    def _output(self, request: Request) -> Path:
        return self._work / self._manager.get(request.path_params["job_id"]).id / "output"

    async def list(self, request: Request) -> Response:
        found = await anyio.to_thread.run_sync(_listed, self._output(request), limiter=self._threads)
        return json_response(found)

    async def show(self, request: Request) -> Response:
        output, name = self._output(request), request.path_params["path"]
        path = await anyio.to_thread.run_sync(_inside, output, name, limiter=self._threads)
        if path is None:
            raise NotFoundError(f"the job left no file {name[:200]!r} in its output directory")
        return FileResponse(
            path, filename=path.name, media_type="application/octet-stream", content_disposition_type="attachment"
        )


def _listed(output: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for directory, names, files in os.walk(output):
        names.sort()
        for name in sorted(files):
            path = Path(directory) / name
            try:
                facts = path.lstat()
            except OSError:
                continue
            if stat.S_ISREG(facts.st_mode):
                found.append(
                    {
                        "path": os.fsencode(path.relative_to(output)).decode("utf-8", "replace"),
                        "size": facts.st_size,
                        "modified_at": facts.st_mtime_ns // 1_000_000,
                    }
                )
            if len(found) == _MAX_LISTED:
                return found
    return found


def _inside(output: Path, name: str) -> Path | None:
    """The regular file that `name` means, with no link on the way."""
    if "\0" in name:
        return None
    path = output / name
    try:
        real = path.resolve(strict=True)
    except (OSError, RuntimeError):
        return None
    home = output.resolve()
    if real != home / os.path.normpath(name) or not real.is_relative_to(home) or not real.is_file():
        return None
    return real
