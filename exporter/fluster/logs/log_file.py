"""One log, build.log or job.log, open for reading: one row of bytes, whichever files they are in."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Final, NamedTuple

from fluster.cri import Counts, read_counts, read_floor
from fluster.cri.marks import START, Mark
from fluster.cri.segments import closed_path, segments
from fluster.logs.index import Index
from fluster.logs.packed import PackedFile
from fluster.logs.position import Position

__all__ = ["BLOCK_BYTES", "LogFile"]

BLOCK_BYTES: Final = 64 * 1024
"""What is read at once: it stays in the processor's cache, and the allocator gives the same memory again and again."""
_FIRST_BYTES: Final = 16 * 1024
"""Of a stretch of which maybe only a page is wanted."""


class _Part(NamedTuple):
    """Where one file's bytes are: log offsets [begin, end), and the open file, plain or compressed."""

    begin: int
    end: int
    plain: int
    packed: PackedFile | None

    def read(self, offset: int, size: int) -> bytes:
        size = min(size, self.end - offset)
        if self.packed is not None:
            return self.packed.read(offset - self.begin, size)
        return os.pread(self.plain, size, offset - self.begin)

    def close(self) -> None:
        if self.packed is not None:
            self.packed.close()
        else:
            os.close(self.plain)


class LogFile:
    """A log as long as it was when it was opened; whatever is written or dropped meanwhile, reading goes on. Not thread-safe.

    `name` is "b" or "j" and stands in cursors. A log that is not there is empty. Raises OSError where it cannot be read.
    """

    def __init__(self, path: str, name: str, first: int = 0) -> None:
        self.path = path
        self.name = name
        self.first = first
        """The place of its first entry in the job's whole log."""
        self._part: _Part | None = None
        self._kept: dict[int, tuple[int, bool]] = {}
        """Descriptors of closed files, and whether they are packed, by number."""
        self.counts, active = _open_active(path)
        self.floor = read_floor(path)
        self._active = _Part(self.counts.base, self.counts.end, active, None)
        self.index = Index(path, self.counts.end)

    def close(self) -> None:
        self.index.close()
        self._active.close()
        if self._part is not None:
            self._part.close()
        for kept, _ in self._kept.values():
            os.close(kept)

    def hold(self) -> None:
        """Open all closed files: what is dropped from now on can be read still. Raises FileNotFoundError where one was dropped since this was opened."""
        for segment in segments(self.path):
            if self.floor.segment <= segment.number < self.counts.segment:
                self._kept[segment.number] = _opened(self.path, segment.number)
        if read_floor(self.path) != self.floor:
            raise FileNotFoundError(f"the beginning of {self.path} was dropped this very moment")

    @property
    def source(self) -> str:
        """Of every line; empty where its stream says it."""
        return "build" if self.name == "b" else ""

    @property
    def begin(self) -> int:
        """Where what is kept of the log begins."""
        return self.floor.offset

    @property
    def end(self) -> int:
        return self.counts.end

    def read(self, offset: int, size: int) -> bytes:
        """At least one and at most `size` bytes; none at the end. Raises FileNotFoundError where they were dropped meanwhile."""
        if offset >= self.end:
            return b""
        if offset >= self._active.begin:
            return self._active.read(offset, size)
        if self._part is None or not self._part.begin <= offset < self._part.end:
            if self._part is not None:
                self._part.close()
                self._part = None
            self._part = self._open_closed(offset)
        return self._part.read(offset, size)

    def blocks(self, start: int, end: int) -> Iterator[tuple[int, bytes]]:
        """(offset, bytes) of whole lines from `start`, a boundary between two, to `end`, another; the first blocks are small."""
        rest, at, size = b"", start, min(_FIRST_BYTES, BLOCK_BYTES)
        while at < end:
            block = self.read(at, min(size, end - at))
            if not block:
                return
            size = min(2 * size, BLOCK_BYTES)
            begin = at - len(rest)
            at += len(block)
            cut = block.rfind(b"\n") + 1
            if not cut:
                rest += block
                continue
            yield begin, b"".join((rest, memoryview(block)[:cut])) if rest or cut < len(block) else block
            rest = block[cut:]

    def read_all(self, start: int, end: int) -> bytes:
        """The bytes between two places, a MiB or so apart."""
        pieces = []
        while start < end and (piece := self.read(start, end - start)):
            pieces.append(piece)
            start += len(piece)
        return b"".join(pieces)

    def at(self, mark: Mark) -> Position:
        return Position(self.name, mark.scan, mark.offset, self.first + mark.lines)

    @property
    def kept_from(self) -> Position:
        """The first position of what is kept."""
        return Position(self.name, self.begin, self.begin, self.first + self.floor.lines)

    def whole_lines_to(self, offset: int) -> int:
        """How far from the mark before a byte of the log no line is stored in parts."""
        if self.counts.part_lines == 0:
            return self.end
        number = self.index.last(lambda mark: mark.offset <= offset)
        known = self.index.at(number)
        found = known.offset
        for mark in self.index.after(number):
            if mark.part_lines != known.part_lines:
                return found
            found = mark.offset
        return self.end if self.counts.part_lines == known.part_lines else found

    def mark_before(self, offset: int) -> Mark:
        """The last one at or before a byte of the log."""
        return self.index.at(self.index.last(lambda mark: mark.offset <= offset))

    def _open_closed(self, offset: int) -> _Part:
        number = self.index.last(lambda mark: mark.offset <= offset)
        segment = self.index.at(number).segment
        first = self.index.at(self.index.last(lambda mark: mark.segment < segment) + 1) if segment > 1 else START
        next_one = self.index.last(lambda mark: mark.segment <= segment) + 1
        end = self.index.at(next_one).offset
        if segment in self._kept:
            kept, packed = self._kept[segment]
            file = os.dup(kept)
        else:
            file, packed = _opened(self.path, segment)
        if not packed:
            return _Part(first.offset, end, file, None)
        return _Part(first.offset, end, -1, PackedFile(file))


def _opened(path: str, segment: int) -> tuple[int, bool]:
    """A closed file, and whether it is packed."""
    closed = closed_path(path, segment)
    try:
        return os.open(closed, os.O_RDONLY | os.O_CLOEXEC), False
    except FileNotFoundError:
        return os.open(f"{closed}.gz", os.O_RDONLY | os.O_CLOEXEC), True


def _open_active(path: str) -> tuple[Counts, int]:
    """The counts and the file that they speak of, which may be closed and followed by another one this very moment."""
    for _ in range(100):
        counts = read_counts(path)
        try:
            file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            if counts is None or not _is_closed(path, counts.segment):
                # Not begun yet, or all of it was dropped.
                return counts or Counts(), os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
            continue
        size = os.fstat(file).st_size
        if counts is None:
            return Counts(size=size), file
        if counts.size <= size and not _is_closed(path, counts.segment):
            return counts, file
        os.close(file)
    # A writer died between the two: what is written next begins a new file.
    assert counts is not None  # noqa: S101 # else the loop ended
    begun = counts._replace(segment=counts.segment + 1, base=counts.end, size=0)
    return begun, os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)


def _is_closed(path: str, segment: int) -> bool:
    closed = closed_path(path, segment)
    return os.path.exists(closed) or os.path.exists(f"{closed}.gz")
