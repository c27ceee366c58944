"""Jobs in SQLite (WAL, synchronous=FULL): one thread writes, and everything that waits for it is committed together.

What a coroutine of this module returned from has reached the disk. Jobs are read once, at start: afterwards the manager's table is
the truth in memory. What is large and seldom asked for, pickled calls and samples, is read when it is wanted, by the same thread.
"""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

from loguru import logger

from fluster.errors import AlreadyExistsError, InfrastructureError, NotFoundError
from fluster.job import Job, Sample
from fluster.store import documents
from fluster.store import samples as sample_documents

__all__ = ["Store"]

T = TypeVar("T")

_SCHEMA_VERSION: Final = 1
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS jobs (
    sequence   INTEGER PRIMARY KEY AUTOINCREMENT,
    id         TEXT NOT NULL UNIQUE,
    document   BLOB NOT NULL,
    entrypoint BLOB
);
CREATE TABLE IF NOT EXISTS samples (
    job_id   TEXT PRIMARY KEY,
    document BLOB NOT NULL
) WITHOUT ROWID;
"""


class _Write:
    """One statement on its way to the thread, and the future that waits for its commit."""

    __slots__ = ("future", "work")

    def __init__(self, work: Callable[[sqlite3.Connection], Any], future: asyncio.Future[Any]) -> None:
        self.work = work
        self.future = future


class Store:
    """All methods belong to one event loop, the one that called open()."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._writes: queue.SimpleQueue[_Write | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def open(self) -> list[Job]:
        """Open or create the database; returns every remembered job in order of submission.

        Raises InfrastructureError in one sentence where the file is broken or from a newer Fluster.
        """
        try:
            connection = self._connect()
            rows = connection.execute("SELECT document, sequence, entrypoint IS NOT NULL FROM jobs ORDER BY sequence")
            jobs = [documents.load(row[0], sequence=row[1], has_entrypoint=bool(row[2])) for row in rows]
        except (sqlite3.Error, ValueError) as error:
            raise InfrastructureError(
                f"the store {self._path} cannot be read ({error}); move it away to start with an empty one"
            ) from error
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._serve, args=(connection,), name="fluster-store", daemon=True)
        self._thread.start()
        return jobs

    def close(self) -> None:
        """Finish what is queued, then close the database."""
        if self._thread is not None:
            self._writes.put(None)
            self._thread.join()
            self._thread = None

    async def insert(self, job: Job) -> Job:
        """Keep a new job; returns it with its sequence. Raises AlreadyExistsError."""
        document, entrypoint = documents.dump(job), job.request.entrypoint

        def work(connection: sqlite3.Connection) -> int:
            cursor = connection.execute(
                "INSERT INTO jobs (id, document, entrypoint) VALUES (?, ?, ?)", (job.id, document, entrypoint)
            )
            return cursor.lastrowid or 0

        try:
            sequence = await self._submit(work)
        except sqlite3.IntegrityError:
            raise AlreadyExistsError(
                f"job_id: there is a job {job.id!r} already; choose another id or leave it out", field="job_id"
            ) from None
        return job.evolve(
            sequence=sequence,
            request=job.request if entrypoint is None else job.request.evolve(entrypoint=b""),
        )

    async def save(self, job: Job, samples: Sequence[Sample] = ()) -> None:
        """Keep the job as it is now, and with it the samples of its last minute where two or more are given.

        Samples that cannot be written are left out: the job does not wait for them.
        """
        document = documents.dump(job)
        sampled = sample_documents.dump(samples) if len(samples) > 1 else None

        def work(connection: sqlite3.Connection) -> None:
            connection.execute("UPDATE jobs SET document = ? WHERE id = ?", (document, job.id))
            if sampled is not None:
                try:
                    connection.execute("INSERT OR REPLACE INTO samples VALUES (?, ?)", (job.id, sampled))
                except sqlite3.Error as error:
                    if not connection.in_transaction:
                        raise  # all of it was rolled back, the job, too
                    logger.warning("the samples of job {} are not kept: {}", job.id, error)

        await self._submit(work)

    async def samples(self, job_id: str) -> list[Sample]:
        """What save() kept of the job's last minute, oldest first. Raises InfrastructureError where it cannot be read."""
        row = await self._submit(
            lambda connection: connection.execute("SELECT document FROM samples WHERE job_id = ?", (job_id,)).fetchone()
        )
        try:
            return sample_documents.load(row[0]) if row else []
        except ValueError as error:
            raise InfrastructureError(f"the store {self._path} cannot be read: {error}") from error

    async def forget(self, job_ids: Iterable[str]) -> None:
        rows = [(job_id,) for job_id in job_ids]

        def work(connection: sqlite3.Connection) -> None:
            connection.executemany("DELETE FROM samples WHERE job_id = ?", rows)
            connection.executemany("DELETE FROM jobs WHERE id = ?", rows)

        await self._submit(work)

    async def entrypoint(self, job_id: str) -> bytes:
        """The pickled call of a job. Raises NotFoundError."""
        row = await self._submit(
            lambda connection: connection.execute("SELECT entrypoint FROM jobs WHERE id = ?", (job_id,)).fetchone()
        )
        if row is None or row[0] is None:
            raise NotFoundError(f"job {job_id} has no pickled call")
        return bytes(row[0])

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version > _SCHEMA_VERSION:
            connection.close()
            raise ValueError(f"it was written by a newer Fluster, schema {version}")
        connection.executescript(_SCHEMA)
        connection.execute(f"PRAGMA user_version={_SCHEMA_VERSION}")
        return connection

    async def _submit(self, work: Callable[[sqlite3.Connection], T]) -> T:
        assert self._loop is not None, "open() comes first"  # noqa: S101 # for the type checker
        future: asyncio.Future[T] = self._loop.create_future()
        self._writes.put(_Write(work, future))
        try:
            return await future
        except sqlite3.IntegrityError:
            raise
        except sqlite3.Error as error:
            raise InfrastructureError(f"the store {self._path} cannot be written: {error}") from error

    def _serve(self, connection: sqlite3.Connection) -> None:
        """The thread: takes all that waits, commits it at once, then answers all of it."""
        closing = False
        while not closing:
            batch = [self._writes.get()]
            while not self._writes.empty():
                batch.append(self._writes.get())
            closing = None in batch
            self._commit(connection, [write for write in batch if write is not None])
        connection.close()

    def _commit(self, connection: sqlite3.Connection, batch: list[_Write]) -> None:
        if not batch:
            return
        outcomes: list[tuple[asyncio.Future[Any], Any, BaseException | None]] = []
        try:
            connection.execute("BEGIN IMMEDIATE")
            for write in batch:
                try:
                    outcomes.append((write.future, write.work(connection), None))
                except sqlite3.IntegrityError as error:
                    outcomes.append((write.future, None, error))
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            outcomes = [(write.future, None, error) for write in batch]
        assert self._loop is not None  # noqa: S101 # for the type checker
        # A loop that is closed has nobody left to answer.
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(_answer, outcomes)


def _answer(outcomes: list[tuple[asyncio.Future[Any], Any, BaseException | None]]) -> None:
    for future, result, error in outcomes:
        if future.done():
            continue
        if error is None:
            future.set_result(result)
        else:
            future.set_exception(error)
