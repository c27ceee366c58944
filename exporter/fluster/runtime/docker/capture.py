"""One thread per container takes its log from the engine, with the engine's times, until the container's true end.

Where the engine's own file can be read, it is; else the engine is asked. A capture that is closed leaves an unfinished line to the
next one, which goes on where this one stopped: nothing is missing and nothing doubled.
"""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import docker

from fluster.cri import CriWriter, LogBounds
from fluster.errors import FlusterError, InfrastructureError
from fluster.runtime.docker.ending import Ending
from fluster.runtime.docker.file_way import FileWay
from fluster.runtime.docker.growth import Growth
from fluster.runtime.docker.sink import Sink, StoppedError
from fluster.runtime.docker.stream_way import StreamWay

__all__ = ["Capture"]


class Capture:
    """Started at construction; `await ended()` returns once the container has ended and its log is written.

    `engine_file` is where the engine's `local` driver would keep this container's log; None where it is not on this machine.
    """

    def __init__(
        self,
        client: docker.APIClient,
        container: str,
        path: Path,
        *,
        bounds: LogBounds,
        engine_file: Path | None,
        growth: Growth,
    ) -> None:
        self._client = client
        self._container = container
        self._path = path
        self._bounds = bounds
        self._engine_file = engine_file
        self._growth = growth
        self._stopped = threading.Event()
        self._wake = threading.Event()
        self._way: FileWay | StreamWay | None = None
        self._failure: FlusterError | None = None
        self._loop = asyncio.get_running_loop()
        self._over = asyncio.Event()
        self._ending = Ending(client, container, self._wake.set)
        self._thread = threading.Thread(target=self._work, name=f"fluster-log-{container[:12]}", daemon=True)
        self._thread.start()

    async def ended(self) -> None:
        """Raises InfrastructureError where the container vanished, EngineUnavailableError where the engine did."""
        await self._over.wait()
        if self._failure is not None:
            raise self._failure

    def close(self) -> None:
        """Stop taking; the container goes on. Soon ended() returns, and the log is another one's to write."""
        self._stopped.set()
        self._wake.set()
        self._ending.close()
        if isinstance(self._way, StreamWay):
            self._way.stop()

    def _work(self) -> None:
        try:
            self._take()
            if not self._stopped.is_set():
                self._failure = self._ending.failure
        except StoppedError:
            pass
        except FlusterError as error:
            self._failure = error
        except Exception as error:  # noqa: BLE001 # whatever a thread meets must reach the one who waits
            self._failure = InfrastructureError(f"the log of the container could not be taken: {error}")
        finally:
            self._ending.close()
            try:
                self._loop.call_soon_threadsafe(self._over.set)
            except RuntimeError:
                pass  # the loop is closed: nobody waits any more

    def _take(self) -> None:
        log = CriWriter(self._path, **self._bounds._asdict())
        try:
            sink = Sink(log, stopped=self._stopped, ended=self._ending.over)
            way = self._way = self._open(sink)
            try:
                way.run()
            except FlusterError:
                log.take_tails()
                sink.commit(way.resume())
                raise
            log.take_tails()
            sink.commit(way.resume())
        finally:
            log.abandon()

    def _open(self, sink: Sink) -> FileWay | StreamWay:
        if self._engine_file is not None:
            try:
                return FileWay(
                    self._engine_file, sink, self._growth, self._wake, max_line_bytes=self._bounds.max_line_bytes
                )
            except OSError:
                pass  # another driver's container, an engine elsewhere, or not ours to read
        return StreamWay(self._client, self._container, sink, self._ending, max_line_bytes=self._bounds.max_line_bytes)
