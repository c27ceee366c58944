"""Lines that are stored in parts and have no end yet, as readers show them: in pieces, each of the fewest parts that fill one.

Writer and readers count the same way. So both know where a reader may begin without showing other pieces than one that began at the start
of the line.
"""

from __future__ import annotations

import math

__all__ = ["PIECE_BYTES", "OpenLines"]

PIECE_BYTES = 16 * 1024 * 1024
"""What is shown as one entry at most, but for the rest of a part. Another number would cut old logs at places of which their marks say nothing."""


class _Line:
    __slots__ = ("begin", "filled", "piece", "scan", "size")

    def __init__(self, begin: int, scan: int, size: float) -> None:
        self.begin = begin
        self.scan = scan
        self.piece = begin
        """Where its last piece begins, of which `size` bytes are there."""
        self.size = size
        self.filled = False
        """One piece at least was full."""


class OpenLines:
    """At most one of each stream; true where there is any."""

    def __init__(self) -> None:
        self._lines: dict[str, _Line] = {}

    def __bool__(self) -> bool:
        return bool(self._lines)

    def scan(self, end: int) -> int:
        """Where a reader must begin that goes on at `end`."""
        return min([line.scan for line in self._lines.values()], default=end)

    def adopt(self, stream: str, scan: int) -> None:
        """A line that another one began: how full its last piece is only a reader knows, and nothing moves until it has ended."""
        self._lines[stream] = _Line(-1, scan, -math.inf)

    def part(self, stream: str, offset: int, size: int) -> bool:
        """Another part, that begins at `offset` and holds so many bytes. True: it fills the piece."""
        line = self._lines.get(stream)
        if line is None:
            line = self._lines[stream] = _Line(offset, offset, 0)
        elif line.size == 0:
            line.piece = offset
        line.size += size
        if line.size < PIECE_BYTES:
            return False
        line.size, line.filled = 0, True
        # With this piece, not behind it: so a reader knows that what comes is no whole line. And not where it would begin in the middle
        # of a piece of the other stream's.
        if all(other.begin >= line.piece for other in self._lines.values() if other is not line):
            line.scan = line.piece
        return True

    def end(self, stream: str) -> bool:
        """True: pieces of its line were full before."""
        line = self._lines.pop(stream, None)
        return line is not None and line.filled

    def clear(self) -> None:
        self._lines.clear()

    def scan_of(self, stream: str) -> int:
        return self._lines[stream].scan
