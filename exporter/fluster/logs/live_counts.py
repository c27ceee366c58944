"""The log counts of one live job, asked for once a second: some small files whose descriptors stay open."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from fluster.cri import Counts, Floor, counts_path, parse_counts
from fluster.cri.segments import floor_path, parse_floor
from fluster.job import LogCounts
from fluster.runtime.log_counts import log_counts

__all__ = ["LiveCounts"]

T = TypeVar("T")


class _Watched(Generic[T]):
    """What a small file says. It need not be there yet."""

    def __init__(self, path: str, parse: Callable[[bytes], T | None]) -> None:
        self._path = path
        self._parse = parse
        self._file = -1
        self._data = b""
        self.value: T | None = None

    def changed(self) -> bool:
        """Looks; a file that is just being written is left for the next look."""
        try:
            if self._file < 0:
                self._file = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
            data = os.pread(self._file, 512, 0)
        except OSError:
            return False
        if data == self._data or (value := self._parse(data)) is None:
            return False
        self._data, self.value = data, value
        return True

    def close(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


class LiveCounts:
    """Thread-safe. The logs need not be there yet."""

    def __init__(self, job_log: str, build_log: str) -> None:
        self._logs = [
            (_Watched[Counts](counts_path(path), parse_counts), _Watched[Floor](floor_path(path), parse_floor))
            for path in (job_log, build_log)
        ]
        self._counts = LogCounts()
        self._lock = threading.Lock()
        self._closed = False

    def read(self) -> LogCounts:
        """Blocking for microseconds; after close() what was read last."""
        with self._lock:
            if not self._closed and self._changed():
                (job, job_floor), (build, build_floor) = self._logs
                self._counts = log_counts(job.value, build.value, job_floor.value, build_floor.value)
            return self._counts

    def _changed(self) -> bool:
        # All of them are looked at.
        return sum(_changed(*log) for log in self._logs) > 0

    def close(self) -> None:
        """Idempotent."""
        with self._lock:
            self._closed = True
            for log in self._logs:
                for file in log:
                    file.close()


def _changed(counts: _Watched[Counts], floor: _Watched[Floor]) -> bool:
    """Nothing was dropped of a log that is still in its first file; of another one it may be, however silent it is."""
    changed = counts.changed()
    rotated = counts.value is not None and counts.value.segment > 1
    return (rotated and floor.changed()) or changed
