"""The log counts of one live job, asked for once a second: some small files whose descriptors stay open."""

from __future__ import annotations

import os
import threading

from fluster.cri import Counts, Floor, counts_path, parse_counts, read_floor
from fluster.job import LogCounts
from fluster.runtime.log_counts import log_counts

__all__ = ["LiveCounts"]


class LiveCounts:
    """Thread-safe. The logs need not be there yet."""

    def __init__(self, job_log: str, build_log: str) -> None:
        self._logs = (job_log, build_log)
        self._paths = [counts_path(path) for path in self._logs]
        self._files: dict[str, int] = {}
        self._raw: list[bytes] = []
        self._counts = LogCounts()
        self._lock = threading.Lock()
        self._closed = False

    def read(self) -> LogCounts:
        """Blocking for microseconds; after close() what was read last."""
        with self._lock:
            if self._closed:
                return self._counts
            raw = [self._read(path) for path in self._paths]
            if raw != self._raw:
                parsed = [parse_counts(data) for data in raw]
                floors = [_floor(path, counts) for path, counts in zip(self._logs, parsed, strict=True)]
                self._counts = log_counts(parsed[0], parsed[1], floors[0], floors[1])
                # One that was caught half written is read again.
                self._raw = [data for data, counts in zip(raw, parsed, strict=True) if counts is not None or not data]
            return self._counts

    def close(self) -> None:
        """Idempotent."""
        with self._lock:
            self._closed = True
            for descriptor in self._files.values():
                os.close(descriptor)
            self._files.clear()

    def _read(self, path: str) -> bytes:
        try:
            if path not in self._files:
                self._files[path] = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            return os.pread(self._files[path], 512, 0)
        except OSError:
            return b""


def _floor(path: str, counts: Counts | None) -> Floor | None:
    """Nothing was dropped of a log that is still in its first file."""
    return read_floor(path) if counts is not None and counts.segment > 1 else None
