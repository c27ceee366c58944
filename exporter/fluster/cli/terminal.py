"""What commands print: text for people on stderr or stdout, JSON for programs, colour only on terminals."""

from __future__ import annotations

import os
import sys
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

__all__ = ["coloured", "print_json", "printable", "run_async", "say", "state_colour"]

T = TypeVar("T")
_COLOURS = {
    "succeeded": "32",
    "failed": "31",
    "killed": "33",
    "worker_failed": "31",
    "unschedulable": "31",
    "running": "36",
    "building": "36",
}


def say(text: str) -> None:
    """Fluster's own words."""
    print(text, file=sys.stderr, flush=True)


def printable(text: str) -> str:
    """`text` of a job on one line, without what would steer a terminal."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)


def coloured(text: str, code: str, stream: Any) -> str:
    """`text` in colour where `stream` is a terminal and NO_COLOR is not set."""
    if not stream.isatty() or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return text
    return f"\x1b[{code}m{text}\x1b[0m"


def state_colour(state: str) -> str:
    return _COLOURS.get(state, "0")


def print_json(document: Any) -> None:
    import orjson

    sys.stdout.buffer.write(orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
    sys.stdout.buffer.flush()


def run_async(work: Callable[[], Awaitable[T]]) -> T:
    """Run a coroutine function to its end; an error that a task group carried comes out as itself."""
    import asyncio

    import uvloop

    async def alone() -> T:
        return await work()

    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(alone())
    except BaseExceptionGroup as group:
        raise _innermost(group) from None


def _innermost(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
