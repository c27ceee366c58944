"""What was written to a log, kept in a small file beside it: whoever wants the counts of a live log reads some bytes, not the log.

The file is also the log's last word on how far it goes: it is written after each block, and readers believe no byte behind it.
"""

from __future__ import annotations

import os
import struct
from typing import Any, NamedTuple

__all__ = ["SIZE", "Counts", "Resume", "beside", "counted", "counts_path", "dump_counts", "parse_counts", "read_counts"]

_LAYOUT = struct.Struct("<4sI21qI")
_MAGIC = b"FLC2"
SIZE = _LAYOUT.size
"""Of the file, in bytes."""


class Resume(NamedTuple):
    """How far a log was taken from where it comes from, for whoever goes on after a restart. What the fields mean is that one's matter."""

    origin: int
    stdout_ns: int
    stdout_taken: int
    stderr_ns: int
    stderr_taken: int


class Counts(NamedTuple):
    """Lines and bytes (newlines included) by stream, since the log began: what was dropped again by a limit counts, too."""

    segment: int = 1
    """The number that the file gets when it is closed."""
    base: int = 0
    """Bytes of the log before this file."""
    size: int = 0
    """Bytes of this file."""
    stdout_lines: int = 0
    stdout_bytes: int = 0
    stderr_lines: int = 0
    stderr_bytes: int = 0
    stdout_open: int = 0
    """1 where the stream's last line had no newline of its own."""
    stderr_open: int = 0
    stdout_parts: int = 0
    """Where in the log a reader must begin, plus 1, while the stream's last line is stored in parts and has no end yet; else 0."""
    stderr_parts: int = 0
    part_lines: int = 0
    """Lines of the file with the flag P, of both streams."""
    stdout_lost: int = 0
    """Lines that could not be written: the disk was full. They are in no other count."""
    stderr_lost: int = 0
    last_timestamp_ns: int = 0
    resume: Resume | None = None

    @property
    def end(self) -> int:
        """Bytes of the whole log."""
        return self.base + self.size

    @property
    def lines(self) -> int:
        return self.stdout_lines + self.stderr_lines

    @property
    def scan(self) -> int:
        """Where a reader must begin to see whole what is stored in parts and has no end yet; else the end."""
        return min([each - 1 for each in (self.stdout_parts, self.stderr_parts) if each], default=self.end)

    @property
    def lost(self) -> int:
        return self.stdout_lost + self.stderr_lost


_PLACES = {
    stream: tuple(Counts._fields.index(f"{stream}_{each}") for each in ("lines", "bytes", "open", "parts"))
    for stream in ("stdout", "stderr")
}
_PART_LINES = Counts._fields.index("part_lines")
_LAST_NS = Counts._fields.index("last_timestamp_ns")


def counted(
    counts: Counts,
    stream: str,
    lines: int,
    size: int,
    timestamp_ns: int,
    *,
    part_lines: int = 0,
    open_end: bool = False,
    parts: int = 0,
) -> Counts:
    """`counts` and so many lines and bytes more of a stream, the last of them at `timestamp_ns`."""
    lines_at, bytes_at, open_at, parts_at = _PLACES[stream]
    numbers: list[Any] = list(counts)  # not _replace: it takes twice as long, and this is done for every block
    numbers[lines_at] += lines
    numbers[bytes_at] += size + numbers[open_at]  # a line without a newline is one of many now
    numbers[open_at] = int(open_end)
    numbers[parts_at] = parts
    numbers[_PART_LINES] += part_lines
    numbers[_LAST_NS] = max(numbers[_LAST_NS], timestamp_ns)
    return Counts._make(numbers)


def beside(path: str | os.PathLike[str], what: str) -> str:
    """`.job.log.<what>` beside `job.log`: hidden, so that no agent's `*.log` takes it."""
    head, slash, tail = os.fspath(path).rpartition("/")
    return f"{head}{slash}.{tail}.{what}"


def counts_path(path: str | os.PathLike[str]) -> str:
    return beside(path, "counts")


def dump_counts(counts: Counts, turn: int) -> bytes:
    """`turn` changes with every writing: one that was read half written does not end with the turn that it began with."""
    turn &= 0xFFFFFFFF
    resume = counts.resume
    return _LAYOUT.pack(_MAGIC, turn, *counts[:-1], resume is not None, *(resume or (0, 0, 0, 0, 0)), turn)


def parse_counts(data: bytes) -> Counts | None:
    """None where these are none."""
    try:
        magic, turn, *numbers, again = _LAYOUT.unpack_from(data)
    except struct.error:
        return None
    if magic != _MAGIC or turn != again:
        return None
    return Counts(*numbers[:15])._replace(resume=Resume(*numbers[16:]) if numbers[15] else None)


def read_counts(path: str | os.PathLike[str]) -> Counts | None:
    """The counts of the log at `path`; None where there are none yet, or none that can be read."""
    try:
        descriptor = os.open(counts_path(path), os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        for _ in range(3):  # once more for one that is being written
            counts = parse_counts(os.pread(descriptor, SIZE, 0))
            if counts is not None:
                return counts
    except OSError:
        return None
    finally:
        os.close(descriptor)
    return None
