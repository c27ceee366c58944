"""The files of one log: `job.log`, which is written, and the closed ones before it, `job.log.000001`, later `job.log.000001.gz`.

The oldest are dropped where a limit asks for it, by the writer or by the worker: which file is the first that is kept, and how many
lines went with those before it, stands in a small file beside them, changed under a lock.
"""

from __future__ import annotations

import fcntl
import os
import struct
from collections.abc import Iterator
from typing import NamedTuple

from fluster.cri.counts import beside
from fluster.cri.marks import Mark

__all__ = [
    "NO_FLOOR",
    "Floor",
    "Segment",
    "closed_path",
    "drop_segments",
    "floor_at",
    "floor_path",
    "parse_floor",
    "read_floor",
    "segments",
]

_LAYOUT = struct.Struct("<4sI7qI")
_MAGIC = b"FLF1"


class Floor(NamedTuple):
    """What is left of a log begins here; the lines and bytes before it were dropped."""

    segment: int = 1
    offset: int = 0
    stdout_lines: int = 0
    stdout_bytes: int = 0
    stderr_lines: int = 0
    stderr_bytes: int = 0
    latest_ns: int = 0

    @property
    def lines(self) -> int:
        return self.stdout_lines + self.stderr_lines


NO_FLOOR = Floor()


class Segment(NamedTuple):
    """A closed file; `size` is what it takes on the disk, packed or not."""

    number: int
    path: str
    size: int
    packed: bool


def floor_at(mark: Mark) -> Floor:
    """A floor at the beginning of a file."""
    return Floor(
        mark.segment,
        mark.offset,
        mark.stdout_lines,
        mark.stdout_bytes,
        mark.stderr_lines,
        mark.stderr_bytes,
        mark.latest_ns,
    )


def closed_path(path: str | os.PathLike[str], number: int) -> str:
    return f"{os.fspath(path)}.{number:06d}"


def segments(path: str | os.PathLike[str]) -> list[Segment]:
    """The closed files of the log at `path`, oldest first; one that is just being packed is given unpacked."""
    found: dict[int, Segment] = {}
    for segment in _files(path):
        if not segment.packed or segment.number not in found:
            found[segment.number] = segment
    return [found[number] for number in sorted(found)]


def _files(path: str | os.PathLike[str]) -> Iterator[Segment]:
    directory, _, name = os.fspath(path).rpartition("/")
    try:
        entries = os.listdir(directory or ".")
    except FileNotFoundError:
        return
    for entry in entries:
        number = entry.removeprefix(f"{name}.").removesuffix(".gz")
        if not number.isdigit() or not entry.startswith(name):
            continue
        place = f"{directory}/{entry}"
        try:
            yield Segment(int(number), place, os.stat(place).st_size, entry.endswith(".gz"))
        except FileNotFoundError:
            continue  # packed or dropped this very moment


def floor_path(path: str | os.PathLike[str]) -> str:
    return beside(path, "floor")


def parse_floor(data: bytes) -> Floor | None:
    try:
        magic, turn, *numbers, again = _LAYOUT.unpack_from(data)
    except struct.error:
        return None
    return Floor(*numbers) if magic == _MAGIC and turn == again else None


def read_floor(path: str | os.PathLike[str]) -> Floor:
    try:
        with open(floor_path(path), "rb", buffering=0) as file:
            for _ in range(3):  # once more for one that is being written
                if floor := parse_floor(os.pread(file.fileno(), _LAYOUT.size, 0)):
                    return floor
    except OSError:
        return NO_FLOOR
    return NO_FLOOR


def drop_segments(path: str | os.PathLike[str], floor: Floor) -> None:
    """Drop all closed files before `floor`.

    The floor is moved first: a crash between the two leaves files that nobody reads, and the next drop removes them.
    """
    descriptor = os.open(floor_path(path), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        kept = parse_floor(os.pread(descriptor, _LAYOUT.size, 0)) or NO_FLOOR
        if floor.segment > kept.segment:
            kept = floor
            os.pwrite(descriptor, _LAYOUT.pack(_MAGIC, kept.segment, *kept, kept.segment), 0)
        for segment in _files(path):
            if segment.number < kept.segment:
                try:
                    os.unlink(segment.path)
                except FileNotFoundError:
                    continue  # it was packed this very moment: the next drop finds it
    finally:
        os.close(descriptor)
