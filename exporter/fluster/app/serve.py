"""A worker with its doors open, until SIGTERM or SIGINT."""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import anyio
import uvicorn
from loguru import logger

from fluster.app.worker import open_worker
from fluster.config import Settings
from fluster.errors import FailedPreconditionError
from fluster.web.application import create_app
from fluster.web.services import Services

__all__ = ["serve"]

_GRACEFUL_SECONDS: Final = 3
_MAX_CONNECTIONS: Final = 1000


class _Server(uvicorn.Server):
    """Signals are ours: the worker drains before its doors close."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._leaving = anyio.Event()

    def leave(self) -> None:
        self.should_exit = True
        self._leaving.set()

    async def main_loop(self) -> None:
        """Once a second for the date header. uvicorn's own looks ten times a second whether to end: most of what an idle worker cost."""
        while not await self.on_tick(0):
            with anyio.move_on_after(1.0):
                await self._leaving.wait()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def serve(
    settings: Settings, on_ready: Callable[[str], Any] = lambda _url: None, *, stop: anyio.Event | None = None
) -> None:
    """Returns after a clean stop. `on_ready` gets the worker's address once it answers. Raises what open_worker raises."""
    listener = _bind(settings)
    stopping = stop or anyio.Event()
    async with open_worker(settings) as services:
        config = uvicorn.Config(
            create_app(services),
            http="httptools",
            loop="none",
            access_log=False,
            log_config=None,
            lifespan="off",
            server_header=False,
            limit_concurrency=_MAX_CONNECTIONS,
            timeout_graceful_shutdown=_GRACEFUL_SECONDS,
            h11_max_incomplete_event_size=64 * 1024,
        )
        server = _Server(config)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_stop_on_signal, stopping)
            tasks.start_soon(_close_when_stopping, server, services, stopping)
            tasks.start_soon(_announce, server, listener, settings, on_ready)
            try:
                await server.serve(sockets=[listener])
            finally:
                listener.close()
                tasks.cancel_scope.cancel()


async def _announce(
    server: _Server, listener: socket.socket, settings: Settings, on_ready: Callable[[str], Any]
) -> None:
    while not server.started:
        await anyio.sleep(0.005)
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    on_ready(f"http://{host}:{listener.getsockname()[1]}")


async def _close_when_stopping(server: _Server, services: Services, stopping: anyio.Event) -> None:
    """Followers see the worker close and end; then the doors close; the jobs are drained when the worker is closed."""
    await stopping.wait()
    logger.info("stopping: running jobs are {}", _DRAIN_WORDS[services.settings.drain])
    services.manager.closing.set()
    server.leave()


_DRAIN_WORDS: Final = {"kill": "killed", "wait": "waited for", "leave": "left running"}


async def _stop_on_signal(stopping: anyio.Event) -> None:
    with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        async for _ in signals:
            stopping.set()


def _bind(settings: Settings) -> socket.socket:
    """Raises FailedPreconditionError in one sentence where the address cannot be had."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
    except OSError as error:
        listener.close()
        raise FailedPreconditionError(
            f"--port: {settings.host}:{settings.port} cannot be had ({error.strerror}); choose another, or 0 for a free one"
        ) from error
    listener.listen(512)
    listener.set_inheritable(False)
    return listener
