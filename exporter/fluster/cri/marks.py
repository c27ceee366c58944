"""The sparse index of a log: every MiB, where a file begins, and where lines are missing, what the log holds up to there.

One mark takes 88 bytes, less than 0.01 % of the log. The writer appends them; a search by line or time reads some of them and then
one MiB of the log at most.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from typing import NamedTuple

from fluster.cri.counts import beside

__all__ = ["SIZE", "SPACING_BYTES", "START", "Mark", "dump_mark", "marks", "marks_path", "parse_mark"]

_LAYOUT = struct.Struct("<4sI10q")
_MAGIC = b"FLM1"
SIZE = _LAYOUT.size
"""Of one mark, in bytes."""
SPACING_BYTES = 1024 * 1024


class Mark(NamedTuple):
    """A place between two lines of the file."""

    segment: int
    """The number of the file that begins or goes on here."""
    offset: int
    """Bytes of the log before it."""
    scan: int
    """Where a reader must begin to see whole what is stored in parts across this place; else the offset itself."""
    stdout_lines: int
    stdout_bytes: int
    stderr_lines: int
    stderr_bytes: int
    part_lines: int
    lost: int
    """Lines that could not be written, up to here. More than at the mark before: lines are missing exactly here."""
    earliest_ns: int
    """The lowest time of all entries since the mark before."""
    latest_ns: int
    """The highest time of all entries up to here."""

    @property
    def lines(self) -> int:
        return self.stdout_lines + self.stderr_lines


START = Mark(1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
"""Of every log, never written."""


def marks_path(path: str | os.PathLike[str]) -> str:
    return beside(path, "index")


def dump_mark(mark: Mark) -> bytes:
    return _LAYOUT.pack(_MAGIC, *mark)


def parse_mark(data: bytes, at: int = 0) -> Mark | None:
    """None where there is none."""
    try:
        magic, *numbers = _LAYOUT.unpack_from(data, at)
    except struct.error:
        return None
    return Mark(*numbers) if magic == _MAGIC else None


def marks(index: int) -> Iterator[Mark]:
    """All marks of an open index, in order."""
    at = 0
    while block := os.pread(index, 1024 * SIZE, at):
        for each in range(0, len(block), SIZE):
            if mark := parse_mark(block, each):
                yield mark
        at += len(block)
