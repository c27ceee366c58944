"""Everything else that would print on stderr: it goes the way of the log."""

from __future__ import annotations

import asyncio
import io
import logging
import sys
import threading
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any, Final

from loguru import logger

__all__ = ["StandIn", "report_loop_error", "take_over"]


def take_over() -> ExitStack:
    """Standard logging (uvicorn, docker, urllib3, asyncio), warnings, and errors that nobody caught. Closing it gives them back."""
    back = ExitStack()
    root = logging.getLogger()
    back.callback(setattr, root, "handlers", root.handlers)
    back.callback(root.setLevel, root.level)
    root.handlers = [_Intercept()]
    root.setLevel(logging.WARNING)
    logging.captureWarnings(True)
    back.callback(logging.captureWarnings, False)
    for module, name, hook in (
        (sys, "excepthook", _uncaught),
        (sys, "unraisablehook", _unraisable),
        (threading, "excepthook", _uncaught_in_thread),
    ):
        back.callback(setattr, module, name, getattr(module, name))
        setattr(module, name, hook)
    return back


def report_loop_error(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """For loop.set_exception_handler: without the arguments of callbacks, which asyncio's own words show."""
    what = "a callback of the event loop failed" if "handle" in context else context["message"]
    logger.opt(exception=context.get("exception")).error("{}", what)


_LEVELS: Final = ((50, "CRITICAL"), (40, "ERROR"), (30, "WARNING"), (20, "INFO"))
_LONGEST: Final = 4_000


class StandIn(io.TextIOBase):
    """Stands in for sys.stderr: what is printed there becomes lines, each given to `take`."""

    encoding = "utf-8"

    def __init__(self, descriptor: int, take: Callable[[str], None]) -> None:
        self._descriptor = descriptor
        self._take = take
        self._unfinished = ""

    def write(self, text: str) -> int:
        *lines, self._unfinished = (self._unfinished + text).split("\n")
        if len(self._unfinished) > _LONGEST:
            lines.append(self._unfinished)
            self._unfinished = ""
        for line in filter(str.strip, lines):
            self._take(line)
        return len(text)

    def flush(self) -> None:
        """A line is taken when it is finished."""

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._descriptor


class _Intercept(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        try:
            message = record.getMessage()
        except Exception:  # noqa: BLE001 # a library's bad format string must not come back to it as an error
            message = str(record.msg)
        logger.opt(exception=record.exc_info).log(_level(record.levelno), "{}", message.strip())


def _level(number: int) -> str:
    return next((name for least, name in _LEVELS if number >= least), "DEBUG")


def _uncaught(kind: type[BaseException], error: BaseException, trace: Any) -> None:
    logger.opt(exception=(kind, error, trace)).critical("the worker ends with an error that nobody caught")


def _uncaught_in_thread(failed: threading.ExceptHookArgs) -> None:
    if failed.exc_type is SystemExit:
        return
    name = failed.thread.name if failed.thread else "of no name"
    trace = (failed.exc_type, failed.exc_value or failed.exc_type(), failed.exc_traceback)
    logger.opt(exception=trace).error("the thread {} ended with an error that nobody caught", name)


def _unraisable(failed: sys.UnraisableHookArgs) -> None:
    """An error in a destructor or a callback of the collector. The object is not shown: its repr may hold anything."""
    what = failed.err_msg or "an error that could not be raised"
    logger.opt(exception=failed.exc_value).error("{} in {}", what, type(failed.object).__name__)
