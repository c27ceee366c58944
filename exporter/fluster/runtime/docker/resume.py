"""How far each stream of a log was taken, where the engine tells times: the last time, and the bytes taken at that time."""

from __future__ import annotations

from collections import deque

__all__ = ["AfterBytes", "ResumePoint", "StreamPosition"]


class ResumePoint:
    """A point in a stream. What is before it is skipped. The engine's times never fall within one stream."""

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

    def is_behind(self, timestamp_ns: int) -> bool:
        """All at and after this time is new."""
        return timestamp_ns > self.timestamp_ns


class AfterBytes:
    """The same where only the number of bytes is known, from the beginning of the log."""

    __slots__ = ("size",)

    def __init__(self, size: int) -> None:
        self.size = size

    def new_part(self, _timestamp_ns: int, data: bytes) -> bytes:
        seen = min(self.size, len(data))
        self.size -= seen
        return data[seen:]

    def is_behind(self, _timestamp_ns: int) -> bool:
        return self.size == 0


class StreamPosition:
    """How far one stream was taken from the engine, and how far it is written: the end of an unfinished line is held back."""

    def __init__(self) -> None:
        self.taken = ResumePoint()
        self.written = ResumePoint()
        self._between: deque[tuple[int, int]] = deque()  # times and bytes
        self._size = 0

    def begin(self, timestamp_ns: int, taken: int) -> None:
        """Go on from there."""
        self.taken, self.written = ResumePoint(timestamp_ns, taken), ResumePoint(timestamp_ns, taken)

    def written_at(self, timestamp_ns: int, size: int) -> None:
        """So much stands in the log already."""
        self.taken.advance(timestamp_ns, size)
        self.written.advance(timestamp_ns, size)

    def add(self, timestamp_ns: int, size: int) -> None:
        """So much was taken; hold() says what of it is written."""
        self.taken.advance(timestamp_ns, size)
        self._between.append((timestamp_ns, size))
        self._size += size

    def lines_to(self, timestamp_ns: int, size: int) -> None:
        """Whole lines were taken, up to this time; so many of their bytes have it."""
        self.taken.advance(timestamp_ns, size)
        self.written = self.taken.copy()
        self._between.clear()
        self._size = 0

    def hold(self, held: int) -> None:
        """All that was taken is written but the last `held` bytes."""
        while self._size > held:
            timestamp_ns, size = self._between.popleft()
            part = min(size, self._size - held)
            self.written.advance(timestamp_ns, part)
            self._size -= part
            if part < size:
                self._between.appendleft((timestamp_ns, size - part))
