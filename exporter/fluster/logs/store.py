"""LogStore: where the logs of jobs are, and the doors to reading them. Blocking work runs in threads of its own."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection
from pathlib import Path
from typing import Any, Final, TypeVar

import anyio

from fluster.cri import read_counts
from fluster.job import LogCounts
from fluster.logs.entry import LogEntry, LogFilter, LogPage
from fluster.logs.live_counts import LiveCounts
from fluster.logs.position import START, Position, parse_cursor
from fluster.logs.query import LogQuery, matcher
from fluster.runtime.log_counts import log_counts

__all__ = ["LogStore"]

T = TypeVar("T")

_POLL_SECONDS: Final = 0.05
_SLOWEST_POLL_SECONDS: Final = 0.1


class LogStore:
    """`<root>/<job_id>/build.log` and `job.log`."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._threads = anyio.CapacityLimiter(8)

    def directory(self, job_id: str) -> Path:
        return self._root / job_id

    def build_path(self, job_id: str) -> Path:
        return self._root / job_id / "build.log"

    def job_path(self, job_id: str) -> Path:
        return self._root / job_id / "job.log"

    def create(self, job_id: str) -> None:
        """Make the directory of a job's logs. Idempotent."""
        self.directory(job_id).mkdir(parents=True, exist_ok=True)

    def remove(self, job_id: str) -> None:
        shutil.rmtree(self.directory(job_id), ignore_errors=True)

    def size_bytes(self) -> int:
        """All logs together. Blocking."""
        return sum(_size(Path(directory) / name) for directory, _, names in os.walk(self._root) for name in names)

    def counts(self, job_id: str) -> LogCounts:
        """What was written so far, by source: two small files are read. Blocking."""
        return log_counts(read_counts(self.job_path(job_id)), read_counts(self.build_path(job_id)))

    def live_counts(self, job_id: str) -> LiveCounts:
        """The same for whoever asks again and again."""
        return LiveCounts(f"{self._root}/{job_id}/job.log", f"{self._root}/{job_id}/build.log")

    async def query(self, job_id: str, wanted: LogFilter) -> LogPage:
        """One page. Raises InvalidArgumentError for a bad source, regex or cursor."""
        return await anyio.to_thread.run_sync(self._query(job_id).page, wanted, limiter=self._threads)

    async def follow(
        self, job_id: str, wanted: LogFilter, complete: Callable[[], bool]
    ) -> AsyncGenerator[list[LogEntry], None]:
        """Batches: what is there by the filter, then what comes (max_lines has no meaning here). Ends once `complete()` is true and all is read.

        `complete` must turn true only after the last line was written.
        """
        query, matches = self._query(job_id), matcher(wanted)
        position = START
        if wanted.cursor:
            position = parse_cursor(wanted.cursor)
        elif wanted.tail is not None or (wanted.start_line or 0) < 0:
            position = await self._run(query.end)
            if history := (await self._run(query.page, wanted)).entries:
                last = parse_cursor(history[-1].cursor)
                position = max(position, last, key=lambda each: each.sequence)
                yield history
        skip = 0 if wanted.cursor else max(wanted.start_line or 0, 0)
        pause = _POLL_SECONDS
        while True:
            over = complete()  # before the last look, so that nothing is written between the two
            if self._grew(job_id, position):
                found, position = await self._run(query.after, position)
                if found:
                    batch = [entry for entry in found if matches(entry)]
                    skipped = min(skip, len(batch))
                    skip -= skipped
                    if batch := batch[skipped:]:
                        yield batch
                    pause = _POLL_SECONDS
                    continue
            if over:
                return
            await anyio.sleep(pause)
            pause = min(pause * 1.5, _SLOWEST_POLL_SECONDS)

    async def download(self, job_id: str, sources: Collection[str]) -> AsyncIterator[bytes]:
        """The text of the log in blocks, a newline behind each line."""
        query, position = self._query(job_id), START
        matches = matcher(LogFilter(sources=frozenset(sources)))
        while True:
            found, position = await self._run(query.after, position)
            if not found:
                return
            yield b"".join(entry.data + b"\n" for entry in found if matches(entry))

    def _query(self, job_id: str) -> LogQuery:
        return LogQuery(self.build_path(job_id), self.job_path(job_id))

    def _grew(self, job_id: str, position: Position) -> bool:
        """Is there anything behind `position`? Two looks at file sizes."""
        job = _size(self.job_path(job_id))
        if position.file == "j":
            return job > position.after
        return job > 0 or _size(self.build_path(job_id)) > position.after

    async def _run(self, work: Callable[..., T], *args: Any) -> T:
        return await anyio.to_thread.run_sync(work, *args, limiter=self._threads)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
