"""Server-sent events as an ASGI answer: batches as they come, a heartbeat, and a prompt end when the reader goes."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Final

import anyio
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

__all__ = ["EventStream"]

_HEARTBEAT_SECONDS: Final = 15.0


class EventStream(Response):
    """`events` yields encoded events; it is run and closed in this answer's own task. `on_close` is called at the end, whatever ends it."""

    media_type = "text/event-stream"

    def __init__(
        self, events: AsyncGenerator[bytes, None], *, on_close: Callable[[], None], beat: bytes = b": still here\n\n"
    ) -> None:
        """`beat` is sent every 15 s: a comment, or an event for readers that want to notice its absence."""
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._events = events
        self._on_close = on_close
        self._beat = beat

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            async with aclosing(self._events):
                await self._run(receive, send)
        finally:
            self._on_close()

    async def _run(self, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        lock = anyio.Lock()

        async def write(data: bytes, *, more: bool = True) -> None:
            async with lock:
                await send({"type": "http.response.body", "body": data, "more_body": more})

        async with anyio.create_task_group() as tasks:

            async def beat() -> None:
                while True:
                    await anyio.sleep(_HEARTBEAT_SECONDS)
                    await write(self._beat)

            async def notice_leaving() -> None:
                while (await receive())["type"] != "http.disconnect":
                    pass
                tasks.cancel_scope.cancel()

            tasks.start_soon(beat)
            tasks.start_soon(notice_leaving)
            await write(b": follows\n\n")
            async for data in self._events:
                await write(data)
            await write(b"", more=False)
            tasks.cancel_scope.cancel()
