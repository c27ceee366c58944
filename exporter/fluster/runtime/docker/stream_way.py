"""The log taken through the engine's API: for an engine that is elsewhere, or whose files are not ours to read."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import Any, Final, TypeAlias

import docker
import docker.errors
import requests

from fluster.cri import Resume
from fluster.errors import EngineUnavailableError, InfrastructureError
from fluster.runtime.docker.body import BodyReader
from fluster.runtime.docker.client import AWAY, cut
from fluster.runtime.docker.ending import AWAY_SECONDS, Ending
from fluster.runtime.docker.entries import Chunk, Lines
from fluster.runtime.docker.frames import FrameParser
from fluster.runtime.docker.resume import AfterBytes, ResumePoint, StreamPosition
from fluster.runtime.docker.sink import STREAMS, Sink, StoppedError

__all__ = ["StreamWay"]

_Skip: TypeAlias = dict[str, ResumePoint | AfterBytes]
"""What of each stream is taken already, for one reading of it."""
_END_FRAMES: Final = 200
"""How far back a look at the end of a log goes at first; a frame holds at most 16 KiB."""


class StreamWay:
    """Follows the container's log, from where `sink`'s log says, until the container has ended and all of it is taken.

    The end of the stream says nothing: until `ending` says that the container has ended, it is opened again where it stopped.
    """

    def __init__(
        self, client: docker.APIClient, container: str, sink: Sink, ending: Ending, *, max_line_bytes: int
    ) -> None:
        self._client = client
        self._container = container
        self._sink = sink
        self._ending = ending
        self._max_line = max_line_bytes
        self._response: Any = None
        self._positions = {stream: StreamPosition() for stream in STREAMS}
        self._written_before: dict[str, int] = {}  # by a worker that took the log another way: bytes
        log, resume = sink.log, sink.log.resume
        if resume is not None and resume.origin < 0:
            self._positions["stdout"].begin(resume.stdout_ns, resume.stdout_taken)
            self._positions["stderr"].begin(resume.stderr_ns, resume.stderr_taken)
            for stream, timestamp_ns, size in log.surplus:
                self._positions[stream].written_at(timestamp_ns, size)
        else:
            counts = {"stdout": log.counts.stdout_bytes, "stderr": log.counts.stderr_bytes}
            self._written_before = {stream: size for stream, size in counts.items() if size}
        log.commit(self.resume())  # what a killed worker wrote behind its last commit is said only once

    def run(self) -> None:
        """Raises StoppedError; EngineUnavailableError and InfrastructureError where the engine or the container went before the end of the log was taken."""
        pause = 0.05
        away_since: float | None = None
        while not self._sink.stopped.is_set():
            ended = self._sink.ended.is_set()
            if ended and self._ending.failure is not None:
                return  # there is nobody to ask
            try:
                if ended:
                    self._take_end()
                    return
                self._take(self._pieces(follow=1, tail="all", **self._since()))
            except docker.errors.NotFound:
                if ended:
                    raise InfrastructureError("the container vanished: someone else removed it") from None
            except (docker.errors.APIError, *AWAY) as error:
                away_since = away_since or time.monotonic()
                if ended and time.monotonic() - away_since > AWAY_SECONDS:
                    raise EngineUnavailableError(
                        f"the engine did not answer for {AWAY_SECONDS:.0f} s while the job ran"
                    ) from error
            else:
                away_since, pause = None, 0.05
            (self._sink.stopped if ended else self._sink.ended).wait(pause)
            pause = min(pause * 2, 2.0)
        raise StoppedError

    def stop(self) -> None:
        """Wake the thread that reads."""
        response = self._response
        if response is not None:
            cut(response)

    def resume(self) -> Resume | None:
        """How far all of it is written that is not held back; None while only the log's own counts tell that."""
        for stream, position in self._positions.items():
            position.hold(self._sink.log.held(stream))
        if self._written_before:
            return None
        stdout, stderr = (self._positions[stream].written for stream in STREAMS)
        return Resume(-1, stdout.timestamp_ns, stdout.taken, stderr.timestamp_ns, stderr.taken)

    def _take(self, pieces: Iterable[tuple[bytes, FrameParser]]) -> None:
        """Write what was not taken before. The pieces begin at or before the point that was reached. Raises StoppedError."""
        skip = self._skip()
        for data, parser in pieces:
            self._put(parser.feed(data, simple=not skip and not self._sink.unfinished()), skip)

    def _put(self, items: Iterable[Lines | Chunk], skip: _Skip) -> None:
        self._sink.put(self._new_of(items, skip))
        self._sink.commit(self.resume())

    def _skip(self) -> _Skip:
        for stream in self._written_before:
            self._positions[stream].begin(0, 0)
        points = {stream: each.taken.copy() for stream, each in self._positions.items() if each.taken.timestamp_ns}
        return {**points, **{stream: AfterBytes(size) for stream, size in self._written_before.items()}}

    def _new_of(self, items: Iterable[Lines | Chunk], skip: _Skip) -> Iterator[Lines | Chunk]:
        for item in items:
            if isinstance(item, Lines):
                for stream, timestamp_ns, size in item.ends:
                    self._positions[stream].lines_to(timestamp_ns, size)
                yield item
                continue
            stream, timestamp_ns, data = item
            position, known = self._positions[stream], skip.get(stream)
            fresh = known.new_part(timestamp_ns, data) if known else data
            if isinstance(known, AfterBytes):
                position.written_at(timestamp_ns, len(data) - len(fresh))
            if fresh:
                position.add(timestamp_ns, len(fresh))
                yield Chunk(stream, timestamp_ns, fresh)
            if known and known.is_behind(timestamp_ns):
                del skip[stream]
                self._written_before.pop(stream, None)

    def _take_end(self) -> None:
        """The engine may let a follower go before the last records; they are there once the container has ended."""
        pieces = self._pieces(follow=0, tail=_END_FRAMES)
        frames = [frame for data, parser in pieces for frame in parser.feed(data, simple=False)]
        oldest: dict[str, int] = {}
        for frame in frames:
            if isinstance(frame, Chunk):
                oldest.setdefault(frame.stream, frame.timestamp_ns)
        points = {stream: position.taken.timestamp_ns for stream, position in self._positions.items()}
        reached = [(oldest[stream], point) for stream, point in points.items() if point and stream in oldest]
        # A frame before the point that its stream reached shows that all since lies within these frames. One at the point itself may
        # be the rest of a line whose start, counted at that point, lies before them.
        overlaps = any(first < point for first, point in reached) and all(first != point for first, point in reached)
        if len(frames) < _END_FRAMES or (overlaps and not self._written_before):
            self._put(frames, self._skip())
        else:
            self._take(self._pieces(follow=0, tail="all", **self._since()))

    def _since(self) -> dict[str, Any]:
        since = min(position.taken.timestamp_ns for position in self._positions.values())
        if not since or self._written_before:  # of a stream nothing was seen yet
            return {}
        return {"since": f"{since // 10**9}.{since % 10**9:09d}"}

    def _pieces(self, **params: Any) -> Iterator[tuple[bytes, FrameParser]]:
        """The engine's log stream, read once, to its end, with the parser that takes all of it."""
        params |= {"stdout": 1, "stderr": 1, "timestamps": 1}
        url = self._client._url("/containers/{0}/logs", self._container)  # type: ignore[attr-defined] # noqa: SLF001 # the SDK has no call for raw frames
        with self._client.get(url, params=params, stream=True, timeout=(60, None)) as response:
            self._client._raise_for_status(response)  # type: ignore[attr-defined] # noqa: SLF001 # as above
            reader = BodyReader(response)
            parser = FrameParser(chunked=reader.chunked, max_line=self._max_line)
            self._response = response
            try:
                while not self._sink.stopped.is_set() and (data := reader.read()):
                    yield data, parser
                    if parser.ended:
                        return
            finally:
                self._response = None
        if reader.chunked and not params["follow"] and not self._sink.stopped.is_set():
            raise requests.exceptions.ConnectionError("the log broke off")
