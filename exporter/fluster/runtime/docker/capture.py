"""One thread per container takes its log from the engine, with the engine's times, until the container's true end.

The end of the stream says nothing: only when the engine also says that the container has ended is the log complete. Otherwise the
stream is opened again where it stopped, so that nothing is missing and nothing doubled.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import docker
import docker.errors

from fluster.cri import CriWriter, LogBounds, parse_line
from fluster.errors import EngineUnavailableError, FlusterError, InfrastructureError
from fluster.runtime.docker.client import AWAY
from fluster.runtime.docker.frames import Frame, FrameParser, ResumePoint

__all__ = ["Capture"]

_BLOCK: Final = 256 * 1024
_END_FRAMES: Final = 200
"""How far back a look at the end of a log goes at first; a frame holds at most 16 KiB."""
_AWAY_SECONDS: Final = 30.0
"""How long an engine may be away before its containers count as lost."""


class Capture:
    """Started at construction; `await ended()` returns once the container has ended and its log is written."""

    def __init__(self, client: docker.APIClient, container: str, path: Path, *, bounds: LogBounds) -> None:
        self._client = client
        self._container = container
        self._path = path
        self._bounds = bounds
        self._taken: dict[str, ResumePoint] = {}
        self._response: Any = None
        self._closing = False
        self._failure: FlusterError | None = None
        self._loop = asyncio.get_running_loop()
        self._over = asyncio.Event()
        self._thread = threading.Thread(target=self._work, name=f"fluster-log-{container[:12]}", daemon=True)
        self._thread.start()

    async def ended(self) -> None:
        """Raises InfrastructureError where the container vanished, EngineUnavailableError where the engine did."""
        await self._over.wait()
        if self._failure is not None:
            raise self._failure

    def close(self) -> None:
        """Stop taking; the container goes on."""
        self._closing = True
        response = self._response
        if response is not None:
            _cut(response)

    def _work(self) -> None:
        try:
            with CriWriter(self._path, **self._bounds._asdict()) as log:
                if log.counts.size:
                    self._taken = _resume_points(self._path)
                self._take_all(log)
        except FlusterError as error:
            self._failure = error
        except Exception as error:  # noqa: BLE001 # whatever a thread meets must reach the one who waits
            self._failure = InfrastructureError(f"the log of the container could not be taken: {error}")
        finally:
            try:
                self._loop.call_soon_threadsafe(self._over.set)
            except RuntimeError:
                pass  # the loop is closed: nobody waits any more

    def _take_all(self, log: CriWriter) -> None:
        away_since: float | None = None
        pause = 0.05
        while not self._closing:
            try:
                self._take(log, self._frames(follow=1, tail="all", **self._since()))
                running = self._client.inspect_container(self._container)["State"]["Running"]
                if not running and not self._closing:
                    self._take_end(log)
            except docker.errors.NotFound:
                raise InfrastructureError("the container vanished: someone else removed it") from None
            except (docker.errors.APIError, *AWAY) as error:
                if self._closing:
                    return
                away_since = away_since or time.monotonic()
                if time.monotonic() - away_since > _AWAY_SECONDS:
                    raise EngineUnavailableError(
                        f"the engine did not answer for {_AWAY_SECONDS:.0f} s while the job ran"
                    ) from error
            else:
                if not running:
                    return
                away_since, pause = None, 0.05
            time.sleep(pause)
            pause = min(pause * 2, 2.0)

    def _take(self, log: CriWriter, frames: Iterable[Frame]) -> None:
        """Write what of `frames` was not taken before. They begin at or before the point that was reached."""
        skip = {stream: point.copy() for stream, point in self._taken.items()}
        for stream, timestamp_ns, data in frames:
            fresh = skip[stream].new_part(timestamp_ns, data) if stream in skip else data
            if fresh:
                log.write(stream, timestamp_ns, fresh)
                self._taken.setdefault(stream, ResumePoint()).advance(timestamp_ns, len(fresh))

    def _take_end(self, log: CriWriter) -> None:
        """The engine may let a follower go before the last records; they are there once the container has ended."""
        frames = list(self._frames(follow=0, tail=_END_FRAMES))
        oldest: dict[str, int] = {}
        for stream, timestamp_ns, _ in frames:
            oldest.setdefault(stream, timestamp_ns)
        reached = [(oldest[stream], point.timestamp_ns) for stream, point in self._taken.items() if stream in oldest]
        # A frame before the point that its stream reached shows that all since lies within these frames. One at the point itself may
        # be the rest of a line whose start, counted at that point, lies before them.
        overlaps = any(first < point for first, point in reached) and all(first != point for first, point in reached)
        if len(frames) < _END_FRAMES or overlaps:
            self._take(log, frames)
        else:
            self._take(log, self._frames(follow=0, tail="all", **self._since()))

    def _since(self) -> dict[str, Any]:
        if len(self._taken) < 2:  # of the other stream nothing was seen yet
            return {}
        since = min(point.timestamp_ns for point in self._taken.values())
        return {"since": f"{since // 10**9}.{since % 10**9:09d}"}

    def _frames(self, **params: Any) -> Iterator[Frame]:
        """The engine's log stream, read once, to its end."""
        params |= {"stdout": 1, "stderr": 1, "timestamps": 1}
        url = self._client._url("/containers/{0}/logs", self._container)  # type: ignore[attr-defined] # noqa: SLF001 # the SDK has no call for raw frames
        response = self._client.get(url, params=params, stream=True, timeout=(60, None))
        self._client._raise_for_status(response)  # type: ignore[attr-defined] # noqa: SLF001 # as above
        self._response = response
        try:
            if self._closing:
                return
            parser = FrameParser()
            for chunk in response.raw.stream(_BLOCK):
                yield from parser.feed(chunk)
        finally:
            self._response = None
            response.close()


def _cut(response: Any) -> None:
    """Wake the thread that reads: closing alone does not."""
    import socket

    try:
        response.raw._fp.fp.raw._sock.shutdown(socket.SHUT_RDWR)  # noqa: SLF001 # no public way through urllib3 and http.client
    except (AttributeError, OSError):
        response.close()


def _resume_points(path: Path) -> dict[str, ResumePoint]:
    """How far each stream was taken by an earlier worker, from the log itself."""
    points: dict[str, ResumePoint] = {}
    with path.open("rb") as file:
        for raw in file:
            line = parse_line(raw)
            points.setdefault(line.stream, ResumePoint()).advance(
                line.timestamp_ns, len(line.data) + (not line.partial)
            )
    return points
