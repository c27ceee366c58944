"""The text of a job's log as a stream of blocks, from any byte of it on."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator

import anyio

from fluster.logs.log_file import LogFile
from fluster.logs.query import LogQuery
from fluster.logs.text import text, text_size

__all__ = ["Download"]

_STREAMS = frozenset({"stdout", "stderr"})


class Download:
    """Construction blocks; nothing stays open but while blocks() is read."""

    def __init__(self, paths: tuple[str, str], sources: frozenset[str], threads: anyio.CapacityLimiter) -> None:
        self._paths = paths
        self._sources = sources
        self._threads = threads
        with LogQuery.open(*paths) as query:
            sizes = [text_size(*each) for each in self._texts(query)]
        self.size: int | None = None if None in sizes else sum(size or 0 for size in sizes)
        """In bytes; None where it is not known before."""

    async def blocks(self, start: int = 0, end: int | None = None) -> AsyncGenerator[bytes, None]:
        """The bytes from `start` to `end`, where the size is known; else all. Raises OSError."""
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
            pieces.close()

    def _pieces(self, skip: int) -> Generator[bytes, None, None]:
        with LogQuery.open(*self._paths) as query:
            for file, streams in self._texts(query):
                size = text_size(file, streams)
                if size is not None and skip >= size:
                    skip -= size
                    continue
                yield from text(file, streams, skip)
                skip = 0

    def _texts(self, query: LogQuery) -> list[tuple[LogFile, frozenset[str]]]:
        found = [(query.build, _STREAMS)] if not self._sources or "build" in self._sources else []
        if of_job := self._sources & _STREAMS if self._sources else _STREAMS:
            found.append((query.job, of_job))
        return found
