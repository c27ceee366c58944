"""What becomes of logs that are not written any more: closed files are compressed, the oldest are dropped where they are too many or too old.

All of it is done by passes over the directory, in one thread, now and then. A pass looks closely only at what changed since the last.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Final, NamedTuple

from fluster.cri import read_counts, read_floor
from fluster.cri.segments import Floor, Segment, drop_segments, floor_at, segments
from fluster.logs.index import Index
from fluster.logs.packed import pack

__all__ = ["Retention"]

GRACE_SECONDS: Final = 120.0
"""How long a closed file stays as it is: an agent that follows it may still be reading."""
_PART: Final = ".part"
_NAMES: Final = ("build.log", "job.log")


class _File(NamedTuple):
    """A file of a log that may be dropped; `number` is that of a closed file, or the one that the last file would get."""

    written: float
    path: str
    """Of the log."""
    number: int
    size: int
    packed: bool
    closed: bool


class _Known(NamedTuple):
    stamp: int
    bytes: int
    files: list[_File]


class Retention:
    """`limit_bytes` and `keep_seconds` are for all logs together. Belongs to one thread."""

    def __init__(
        self,
        root: Path,
        *,
        limit_bytes: int,
        keep_seconds: float,
        grace_seconds: float = GRACE_SECONDS,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._root = root
        self._limit = limit_bytes
        self._keep = keep_seconds
        self._grace = grace_seconds
        self._clock = clock
        self._known: dict[str, _Known] = {}
        self._failure: OSError | None = None
        self.bytes = 0
        """What all logs took on the disk at the last pass."""

    def tend(self, live: Collection[str]) -> int:
        """One pass; `live` are the jobs whose logs are still written. Returns how many files were dropped. Blocking.

        Raises OSError where a log cannot be read or changed; the pass goes on with the others first.
        """
        self._failure = None
        seen = {}
        for job_id in _directories(self._root):
            try:
                seen[job_id] = self._look(job_id, live=job_id in live)
            except FileNotFoundError:
                continue  # forgotten this very moment
            except OSError as error:
                self._failure = error
        self._known = seen
        self.bytes = sum(each.bytes for each in seen.values())
        dropped = self._drop()
        if self._failure is not None:
            raise self._failure
        return dropped

    def _look(self, job_id: str, *, live: bool) -> _Known:
        directory = f"{self._root}/{job_id}"
        known = self._known.get(job_id)
        # The directory's time tells of every file that came or went; what is not live does not grow.
        stamp = -1 if live else os.stat(directory).st_mtime_ns
        if known is not None and known.stamp == stamp != -1 and not any(self._due(file) for file in known.files):
            return known
        files: list[_File] = []
        for name in _NAMES:
            files += self._tend_log(f"{directory}/{name}", live=live)
        size = 0
        with os.scandir(directory) as entries:
            for entry in entries:
                if entry.name.endswith(_PART):
                    os.unlink(entry)  # of a pass that did not end
                else:
                    size += entry.stat().st_size
        return _Known(-1 if live else os.stat(directory).st_mtime_ns, size, files)

    def _due(self, file: _File) -> bool:
        return file.closed and not file.packed and file.written + self._grace <= self._clock()

    def _tend_log(self, path: str, *, live: bool) -> Iterator[_File]:
        floor = read_floor(path)
        for segment in segments(path):
            if segment.number < floor.segment:
                drop_segments(path, floor)  # what a crash left
                continue
            file = _closed_file(path, segment)
            yield self._packed_if_due(file, segment.path)
        if live or not os.path.exists(path):
            return
        counts, facts = read_counts(path), os.stat(path)
        if counts is not None:
            yield _File(facts.st_mtime, path, counts.segment, facts.st_size, packed=False, closed=False)

    def _packed_if_due(self, file: _File, plain: str) -> _File:
        if not self._due(file):
            return file
        try:
            return self._packed(file, plain)
        except OSError as error:  # no room: it counts as it is, and may be dropped
            self._failure = error
            return file

    def _packed(self, file: _File, plain: str) -> _File:
        part = f"{plain}{_PART}"
        pack(plain, part)
        os.utime(part, (file.written, file.written))
        os.rename(part, f"{plain}.gz")
        os.unlink(plain)
        return file._replace(size=os.stat(f"{plain}.gz").st_size, packed=True)

    def _drop(self) -> int:
        dropped = 0
        oldest = self._clock() - self._keep
        files = [file for known in self._known.values() for file in known.files]
        if self.bytes <= self._limit and all(file.written > oldest for file in files):
            return 0
        for file in sorted(files):
            if self.bytes <= self._limit and file.written > oldest:
                break
            if self._drop_through(file):
                self.bytes -= file.size
                dropped += 1
        return dropped

    def _drop_through(self, file: _File) -> bool:
        """This file of a log and those before it."""
        counts = read_counts(file.path)
        if counts is None:
            return False
        if not file.closed:
            everything = Floor(
                counts.segment + 1, counts.end, counts.stdout_lines, counts.stdout_bytes, counts.stderr_lines,
                counts.stderr_bytes, counts.last_timestamp_ns,
            )  # fmt: skip
            drop_segments(file.path, everything)
            os.unlink(file.path)
            return True
        index = Index(file.path, counts.end)
        try:
            first = index.at(index.last(lambda mark: mark.segment <= file.number) + 1)
        finally:
            index.close()
        if first.segment <= file.number:
            return False
        drop_segments(file.path, floor_at(first))
        return True


def _closed_file(path: str, segment: Segment) -> _File:
    return _File(os.stat(segment.path).st_mtime, path, segment.number, segment.size, packed=segment.packed, closed=True)


def _directories(root: Path) -> Iterator[str]:
    try:
        with os.scandir(root) as entries:
            yield from [entry.name for entry in entries if entry.is_dir() and not entry.name.startswith(".")]
    except FileNotFoundError:
        return
