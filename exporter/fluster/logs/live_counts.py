"""The log counts of one live job, asked for once a second: two small files whose descriptors stay open."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence

from fluster.cri import counts_path, parse_counts
from fluster.job import LogCounts
from fluster.runtime.log_counts import log_counts

__all__ = ["LiveCounts"]


class LiveCounts:
    """Thread-safe. `paths` are those of job.log and build.log, which need not be there yet."""

    def __init__(self, *paths: str) -> None:
        self._paths: Sequence[str] = [counts_path(path) for path in paths]
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
                self._raw = raw
                self._counts = log_counts(*map(parse_counts, raw))
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
            return os.pread(self._files[path], 128, 0)
        except OSError:
            return b""
