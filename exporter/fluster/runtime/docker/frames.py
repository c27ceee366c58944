"""The engine's log stream: frames of both streams, each with the engine's own time in front. Pure: bytes in, entries out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from fluster.cri import parse_time

__all__ = ["Frame", "FrameParser", "ResumePoint"]

Frame = tuple[str, int, bytes]
"""Stream (stdout or stderr), time in nanoseconds, data."""

_STREAMS: Final = {1: "stdout", 2: "stderr"}


class FrameParser:
    """Takes the stream in any chunks and gives a Frame for each of the engine's.

    A frame is `<stream, 0, 0, 0, size as 4 bytes> <RFC 3339 time> <data>`. A line over 16 KiB comes in several frames with the
    same time; only the last one's data ends in a newline.
    """

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, chunk: bytes) -> Iterator[Frame]:
        data = self._rest + chunk if self._rest else chunk
        at, end = 0, len(data)
        while end - at >= 8:
            size = int.from_bytes(data[at + 4 : at + 8], "big")
            if end - at - 8 < size:
                break
            payload = data[at + 8 : at + 8 + size]
            stamp, _, text = payload.partition(b" ")
            yield _STREAMS.get(data[at], "stdout"), parse_time(stamp), text
            at += 8 + size
        self._rest = data[at:]


class ResumePoint:
    """How far a stream was taken: the last time, and the bytes taken at that time. What is before it is skipped."""

    __slots__ = ("taken", "timestamp_ns")

    def __init__(self, timestamp_ns: int = 0, taken: int = 0) -> None:
        self.timestamp_ns = timestamp_ns
        self.taken = taken

    def advance(self, timestamp_ns: int, size: int) -> None:
        if timestamp_ns == self.timestamp_ns:
            self.taken += size
        else:
            self.timestamp_ns, self.taken = timestamp_ns, size

    def copy(self) -> ResumePoint:
        return ResumePoint(self.timestamp_ns, self.taken)

    def new_part(self, timestamp_ns: int, data: bytes) -> bytes:
        """The part of `data` that was not taken yet; this object is used up by the asking."""
        if timestamp_ns < self.timestamp_ns:
            return b""
        if timestamp_ns > self.timestamp_ns or not self.taken:
            return data
        seen = min(self.taken, len(data))
        self.taken -= seen
        return data[seen:]
