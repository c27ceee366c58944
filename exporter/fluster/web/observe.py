"""Counts every request by its route's template: an ASGI middleware around the router."""

from __future__ import annotations

import time
from collections.abc import Callable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["Observe"]


class Observe:
    """`count(route, code, seconds)`; streams have no duration, unknown paths share one template."""

    def __init__(self, app: ASGIApp, *, count: Callable[[str, int, float | None], None]) -> None:
        self._app = app
        self._count = count

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        status, streams = 500, False

        async def watched(message: Message) -> None:
            nonlocal status, streams
            if message["type"] == "http.response.start":
                status = message["status"]
                streams = any(
                    name == b"content-type" and b"event-stream" in value for name, value in message["headers"]
                )
            await send(message)

        try:
            await self._app(scope, receive, watched)
        finally:
            template = getattr(scope.get("route"), "path", None) or ("other" if status == 404 else _known(scope))
            self._count(template, status, None if streams else time.perf_counter() - began)


def _known(scope: Scope) -> str:
    """Mounts and refused requests have no route of their own."""
    path: str = scope["path"]
    for prefix in ("/fluster.v1.WorkerService/", "/static/"):
        if path.startswith(prefix):
            return prefix + "{name}"
    return "refused"
