"""The text of a job's log as a stream of blocks, from any byte of it on."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator
from contextlib import ExitStack

import anyio

from fluster.logs.log_file import LogFile
from fluster.logs.query import LogQuery
from fluster.logs.text import text, text_size

__all__ = ["Download"]

_STREAMS = frozenset({"stdout", "stderr"})


class Download:
    """The log as it is at construction, which blocks: what is dropped later is read still. Its files stay open until close()."""

    def __init__(self, paths: tuple[str, str], sources: frozenset[str], threads: anyio.CapacityLimiter) -> None:
        self._threads = threads
        self._files = ExitStack()
        query = self._files.enter_context(LogQuery.open(*paths))
        try:
            self._texts = _texts(query, sources)
            for file, _ in self._texts:
                file.hold()
        except OSError:
            self.close()
            raise
        sizes = [text_size(*each) for each in self._texts]
        self.size: int | None = None if None in sizes else sum(size or 0 for size in sizes)
        """In bytes; None where it is not known before."""

    def close(self) -> None:
        """Idempotent."""
        self._files.close()

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
        for file, streams in self._texts:
            size = text_size(file, streams)
            if size is not None and skip >= size:
                skip -= size
                continue
            yield from text(file, streams, skip)
            skip = 0


def _texts(query: LogQuery, sources: frozenset[str]) -> list[tuple[LogFile, frozenset[str]]]:
    found = [(query.build, _STREAMS)] if not sources or "build" in sources else []
    if of_job := sources & _STREAMS if sources else _STREAMS:
        found.append((query.job, of_job))
    return found
