"""LogStore: where the logs of jobs are, and the doors to reading them. Blocking work runs in threads of its own."""

from __future__ import annotations

import math
import shutil
import sys
from collections.abc import AsyncGenerator, Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, TypeVar

import anyio

from fluster.cri import read_counts, read_floor
from fluster.job import LogCounts
from fluster.logs.download import Download
from fluster.logs.entry import LogEntry, LogFilter, LogPage
from fluster.logs.live_counts import LiveCounts
from fluster.logs.matcher import Matcher
from fluster.logs.named import Named
from fluster.logs.numbers import Hits, HitsFilter, hits, row
from fluster.logs.position import START, Position
from fluster.logs.query import LogQuery
from fluster.logs.retention import Retention
from fluster.logs.tail import Batch, Tail
from fluster.runtime.log_counts import log_counts

__all__ = ["LogStore"]

T = TypeVar("T")

_ATTEMPTS: Final = 3
"""Of a query whose files are dropped while it reads them."""


class LogStore:
    """`<root>/<job_id>/build.log` and `job.log`, and what stands beside them."""

    def __init__(self, root: Path, *, limit_bytes: int = sys.maxsize, keep_seconds: float = math.inf) -> None:
        self.root = root
        self.retention = Retention(root, limit_bytes=limit_bytes, keep_seconds=keep_seconds)
        self._named = Named(root)
        self._threads = anyio.CapacityLimiter(8)
        self._searches = anyio.CapacityLimiter(2)
        """For searches through whole logs: reading does not wait for them."""
        self._tails: dict[str, Tail] = {}

    def directory(self, job_id: str) -> Path:
        return self.root / job_id

    def build_path(self, job_id: str) -> Path:
        return self.root / job_id / "build.log"

    def job_path(self, job_id: str) -> Path:
        return self.root / job_id / "job.log"

    def create(self, job_id: str, name: str = "") -> None:
        """Make the directory of a job's logs, and the link by which agents learn the job's name. Idempotent."""
        self.directory(job_id).mkdir(parents=True, exist_ok=True)
        self._named.add(job_id, name)

    def tend(self, live: Collection[str]) -> int:
        """Compress what is closed, drop what is too much; `live` are the jobs whose logs are still written. Blocking.

        Returns how many files were dropped. Raises OSError.
        """
        self._named.tend(live)
        return self.retention.tend(live)

    def remove(self, job_id: str) -> None:
        shutil.rmtree(self.directory(job_id), ignore_errors=True)

    def counts(self, job_id: str) -> LogCounts:
        """What was written so far, by source: some small files are read. Blocking."""
        job, build = self.job_path(job_id), self.build_path(job_id)
        return log_counts(read_counts(job), read_counts(build), read_floor(job), read_floor(build))

    def live_counts(self, job_id: str) -> LiveCounts:
        """The same for whoever asks again and again."""
        return LiveCounts(str(self.job_path(job_id)), str(self.build_path(job_id)))

    async def query(self, job_id: str, wanted: LogFilter) -> LogPage:
        """One page. Raises InvalidArgumentError for a bad source, regex or cursor."""
        return await self._ask(job_id, LogQuery.page, wanted)

    async def hits(self, job_id: str, asked: HitsFilter) -> Hits:
        """The numbers of the lines that a search hits. Raises InvalidArgumentError for a bad source or regex."""
        return await self._ask(job_id, hits, asked, self._searches)

    async def row(self, job_id: str, line: int, sources: frozenset[str]) -> int:
        """How many lines of these sources (all where empty), kept or not, are before line number `line`."""
        return await self._ask(job_id, lambda query, line: row(query, line, sources), line)

    async def check(self, job_id: str, wanted: LogFilter) -> None:
        """Raises InvalidArgumentError where the cursor is none of this log, for whoever must answer before follow() begins."""
        if wanted.cursor:
            await self._ask(job_id, LogQuery.position, wanted.cursor)

    async def follow(self, job_id: str, wanted: LogFilter, complete: Callable[[], bool]) -> AsyncGenerator[Batch, None]:
        """What is there by the filter, then what comes (max_lines has no meaning here). Ends once `complete()` is true and all is read.

        `complete` must turn true only after the last line was written. Raises InvalidArgumentError as query() does.
        """
        matches = Matcher(wanted)
        position = START
        if wanted.cursor:
            position = await self._ask(job_id, LogQuery.position, wanted.cursor)
        elif wanted.tail is not None or (wanted.start_line or 0) < 0:
            history, position = await self._ask(job_id, LogQuery.last, wanted)
            if history.entries:
                yield history
        elif wanted.since_ns is not None:
            position = await self._ask(job_id, LogQuery.begin, LogFilter(since_ns=wanted.since_ns))
        skip = 0 if wanted.cursor else max(wanted.start_line or 0, 0)
        with self._tail(job_id, position) as tail:
            while batch := await tail.next(position, complete):
                position = batch.end
                if not matches.takes_all or skip:
                    # In a thread: an expression may take its time.
                    entries: list[LogEntry] = await self._run(list, filter(matches, batch.entries))
                    skipped = min(skip, len(entries))
                    skip -= skipped
                    batch = Batch(entries[skipped:], batch.start, batch.end)
                if batch.entries:
                    yield batch

    async def download(self, job_id: str, sources: Collection[str]) -> Download:
        """The text of the log, to be read in blocks."""
        return await self._run(_retried, lambda: Download(self._paths(job_id), frozenset(sources), self._threads))

    @contextmanager
    def _tail(self, job_id: str, position: Position) -> Iterator[Tail]:
        """The one that all followers of the job share."""

        async def read(position: Position) -> Any:
            return await self._ask(job_id, LogQuery.after, position)

        tail = self._tails.get(job_id)
        if tail is None:
            tail = self._tails[job_id] = Tail(position, read, lambda position: self._grew(job_id, position))
        tail.followers += 1
        try:
            yield tail
        finally:
            tail.followers -= 1
            if not tail.followers and self._tails.get(job_id) is tail:
                del self._tails[job_id]

    def _grew(self, job_id: str, position: Position) -> bool:
        """Is there anything behind `position`? Two looks at small files."""
        job = read_counts(self.job_path(job_id))
        if position.file == "j":
            return job is not None and job.end > position.after
        build = read_counts(self.build_path(job_id))
        return (job is not None and job.end > 0) or (build is not None and build.end > position.after)

    def _paths(self, job_id: str) -> tuple[str, str]:
        return str(self.build_path(job_id)), str(self.job_path(job_id))

    async def _ask(
        self,
        job_id: str,
        question: Callable[[LogQuery, Any], T],
        argument: Any,
        threads: anyio.CapacityLimiter | None = None,
    ) -> T:
        def ask() -> T:
            with LogQuery.open(*self._paths(job_id)) as query:
                return question(query, argument)

        return await anyio.to_thread.run_sync(_retried, ask, limiter=threads or self._threads)

    async def _run(self, work: Callable[..., T], *args: Any) -> T:
        return await anyio.to_thread.run_sync(work, *args, limiter=self._threads)


def _retried(work: Callable[[], T]) -> T:
    for _ in range(_ATTEMPTS - 1):
        try:
            return work()
        except FileNotFoundError:
            continue  # dropped meanwhile: what is left begins later
    return work()
