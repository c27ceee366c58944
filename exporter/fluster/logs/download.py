"""The text of a job's log as a stream of blocks, from any byte of it on."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack

import anyio

from fluster.logs.query import LogQuery
from fluster.logs.text import text, text_size

__all__ = ["Download"]


class Download:
    """An open log; blocks() closes it at its end, whatever that is. Construction blocks."""

    def __init__(self, paths: tuple[str, str], sources: frozenset[str], threads: anyio.CapacityLimiter) -> None:
        self._threads = threads
        self._open = ExitStack()
        query = self._open.enter_context(LogQuery.open(*paths))
        streams = frozenset({"stdout", "stderr"})
        self._texts = [(query.build, streams)] if not sources or "build" in sources else []
        if of_job := sources & streams if sources else streams:
            self._texts.append((query.job, of_job))
        sizes = [text_size(*each) for each in self._texts]
        self._sizes = sizes
        self.size: int | None = None if None in sizes else sum(size or 0 for size in sizes)
        """In bytes; None where it is not known before."""

    def close(self) -> None:
        """Idempotent."""
        self._open.close()

    async def blocks(self, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """The bytes from `start` to `end`, where the size is known; else all."""
        pieces = self._pieces(start)
        left = end - start if end is not None else None
        try:
            while left is None or left > 0:
                piece = await anyio.to_thread.run_sync(next, pieces, None, limiter=self._threads)
                if piece is None:
                    return
                if left is not None:
                    piece = piece[:left]
                    left -= len(piece)
                yield piece
        finally:
            self.close()

    def _pieces(self, skip: int) -> Iterator[bytes]:
        for (file, streams), size in zip(self._texts, self._sizes, strict=True):
            if size is not None and skip >= size:
                skip -= size
                continue
            yield from text(file, streams, skip)
            skip = 0
