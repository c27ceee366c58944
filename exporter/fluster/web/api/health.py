"""/healthz: the process answers. /readyz: it can run jobs, or says why not."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

import anyio
from starlette.requests import Request
from starlette.responses import Response

from fluster.errors import FlusterError
from fluster.sizes import format_bytes
from fluster.version import __version__
from fluster.web.answer import json_response
from fluster.web.services import Services

__all__ = ["Health"]


class Health:
    def __init__(self, services: Services) -> None:
        self._services = services
        self._threads = anyio.CapacityLimiter(2)

    async def healthz(self, _request: Request) -> Response:
        return json_response({"status": "ok", "version": __version__})

    async def readyz(self, _request: Request) -> Response:
        services = self._services
        problems = []
        if services.manager.closing.is_set():
            problems.append("the worker is stopping")
        try:
            with anyio.fail_after(5):
                await services.runtime.ping()
        except FlusterError as error:
            problems.append(str(error))
        except TimeoutError:
            problems.append("the engine did not answer within 5 s")
        floor = services.settings.min_free_disk
        problems += await anyio.to_thread.run_sync(
            _disk_problems, services.settings.state_dir, floor, limiter=self._threads
        )
        if problems:
            return json_response({"error": "; ".join(problems), "code": "unavailable", "problems": problems}, 503)
        return json_response({"status": "ready"})


def _disk_problems(state_dir: Path, floor: int) -> list[str]:
    probe = state_dir / f".probe-{secrets.token_hex(4)}"
    try:
        probe.write_bytes(b"x")
        probe.unlink()
        facts = os.statvfs(state_dir)
    except OSError as error:
        return [f"the state directory cannot be written: {error.strerror}"]
    free = facts.f_bavail * facts.f_frsize
    if free < floor:
        return [f"the state directory has {format_bytes(free)} free, less than --min-free-disk {format_bytes(floor)}"]
    return []
