"""The log of this process, set up once: where its lines go, in which shape, and who else uses the way."""

from __future__ import annotations

import asyncio
import atexit
import os
import sys
from contextlib import ExitStack
from functools import partial
from typing import IO, TYPE_CHECKING, Final

from loguru import logger

from fluster.worker_log.line import Line, json_line, text_line
from fluster.worker_log.sources import StandIn, report_loop_error, take_over
from fluster.worker_log.writer import Writer

if TYPE_CHECKING:
    from loguru import Record

__all__ = ["WorkerLog", "configure"]

_FLUSH_SECONDS: Final = 1.0
"""How long an end waits for who reads the log."""


def configure(level: str, *, alone: bool = False, stream: IO[str] | None = None) -> WorkerLog:
    """Send all logging, of libraries too, to `stream` (stderr). `alone`: nothing but the log is printed there."""
    return WorkerLog(level, stream or sys.stderr, alone=alone)


class WorkerLog:
    def __init__(self, level: str, stream: IO[str] | None, *, alone: bool) -> None:
        self._undo = ExitStack()
        descriptor = self._descriptor(stream)
        self._terminal = stream is not None and stream.isatty()
        plain = bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"
        self._render = partial(text_line, colour=not plain) if self._terminal else json_line
        self._writer = Writer(descriptor, self._note)
        self._undo.callback(self._writer.close, _FLUSH_SECONDS)
        self._undo.enter_context(take_over())
        logger.remove()
        handler = logger.add(
            lambda _message: None, level=level, format="{message}", filter=self._take,
        )  # fmt: skip
        self._undo.callback(logger.remove, handler)
        if alone and not self._terminal:
            self._undo.callback(setattr, sys, "stderr", sys.stderr)
            sys.stderr = StandIn(descriptor, partial(self._print, "ERROR"))
        self._undo.callback(atexit.unregister, self.flush)
        atexit.register(self.flush)

    def announce(self, text: str) -> None:
        """Said whatever the level: as it is on a terminal, otherwise a line like any."""
        if self._terminal:
            self._writer.put(f"{text}\n".encode())
        else:
            self._print("INFO", text)

    def watch_loop(self) -> None:
        """Of the running event loop, too, all errors that nobody caught."""
        asyncio.get_running_loop().set_exception_handler(report_loop_error)

    def flush(self) -> None:
        """Wait for a moment until all lines are written: before others print, and before the end."""
        self._writer.flush(_FLUSH_SECONDS)

    def close(self) -> None:
        """Flush, and give back what was taken over."""
        self._undo.close()

    def _take(self, record: Record) -> bool:
        # As a filter, and nothing is left for the sink: those are called under a lock, where loguru refuses a line that comes
        # in the middle of another, as a destructor's may.
        self._writer.put(self._render(Line.of(record)))
        return False

    def _print(self, level: str, text: str) -> None:
        # Not by loguru, which may be what prints: what fails in it, it tells on stderr.
        self._writer.put(self._render(Line(level=level, message=text)))

    def _note(self, count: int) -> bytes:
        return self._render(Line(level="WARNING", message=f"{count} lines of this log were dropped"))

    def _descriptor(self, stream: IO[str] | None) -> int:
        try:
            if stream is not None:
                return stream.fileno()
        except OSError:  # a stand-in of someone else's
            pass
        # Python has no stderr where it was started with a closed one; its number may be another file's by now.
        descriptor = os.open(os.devnull, os.O_WRONLY)
        self._undo.callback(os.close, descriptor)
        return descriptor
