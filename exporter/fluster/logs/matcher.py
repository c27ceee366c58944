"""Which entries a filter wants, and how to find them without looking at every line.

A line that matches a regular expression mostly has to contain some literal text: RE2 finds that in whole blocks, at memory speed, and
only the lines around it are read as entries and asked the real question.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from heapq import merge
from typing import Any, Final

import re2

from fluster.errors import InvalidArgumentError
from fluster.logs.entry import SOURCES, LogEntry, LogFilter

__all__ = ["Matcher", "required_literals"]

_MOST_LITERALS: Final = 8
_SHORTEST_LITERAL: Final = 2
_parser: Any = re._parser  # type: ignore[attr-defined] # noqa: SLF001 # reads patterns; where it reads one otherwise than RE2, no literal comes of it


class Matcher:
    """Source, time and regex of a filter as one test. Raises InvalidArgumentError for a bad regex or source."""

    def __init__(self, wanted: LogFilter) -> None:
        if unknown := wanted.sources - set(SOURCES):
            raise InvalidArgumentError("source", f"{min(unknown)!r} is none; use build, stdout or stderr")
        self._sources = wanted.sources
        self._since = wanted.since_ns
        self._until = wanted.until_ns
        self._pattern: Any = _compiled(wanted.regex) if wanted.regex else None
        self._finders: list[Any] = []
        if wanted.regex:
            self._finders = [_compiled(re2.escape(each)) for each in required_literals(wanted.regex)]

    @property
    def takes_all(self) -> bool:
        """Nothing is filtered."""
        return not self._sources and self._since is None and self._until is None and self._pattern is None

    @property
    def searches(self) -> bool:
        """lines() finds all lines that can match."""
        return bool(self._finders)

    def wants(self, source: str) -> bool:
        return not self._sources or source in self._sources

    def __call__(self, entry: LogEntry) -> bool:
        return (
            (not self._sources or entry.source in self._sources)
            and (self._since is None or entry.timestamp_ns >= self._since)
            and (self._until is None or entry.timestamp_ns < self._until)
            and (self._pattern is None or self._pattern.search(entry.data.decode("utf-8", "replace")) is not None)
        )

    def lines(self, block: bytes) -> Iterator[tuple[int, int]]:
        """(begin, end behind the newline) of the lines of a block that may match, in order."""
        last = -1
        for begin, end in merge(*(_lines_with(finder, block) for finder in self._finders)):
            if begin > last:
                yield begin, end
                last = begin


def _lines_with(finder: Any, block: bytes) -> Iterator[tuple[int, int]]:
    at = 0
    while found := finder.search(block, at):
        hit = found.start()
        at = block.find(b"\n", hit) + 1 or len(block)
        yield block.rfind(b"\n", 0, hit) + 1, at


def _compiled(regex: str) -> Any:
    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(regex, options=options)
    except re2.error as error:
        raise InvalidArgumentError("regex", f"{regex[:80]!r} is not a regular expression: {_words(error)}") from None


def _words(error: Exception) -> str:
    detail = error.args[0] if error.args else error
    return detail.decode("utf-8", "replace") if isinstance(detail, bytes) else str(detail)


def required_literals(regex: str) -> list[str]:
    """Texts of which every match contains at least one; none where that cannot be told."""
    try:
        parsed = _parser.parse(regex)
    except (re.error, RecursionError, OverflowError):
        return []
    if parsed.state.flags & (re.IGNORECASE | re.VERBOSE):
        return []
    found = _required(parsed)
    return found if len(found) <= _MOST_LITERALS and all(_is_safe(each) for each in found) else []


def _is_safe(literal: str) -> bool:
    """Long enough to be rare, and found in the bytes of the log as it stands in their text."""
    return (
        len(literal) >= _SHORTEST_LITERAL and "\n" not in literal and "\ufffd" not in literal and literal.isprintable()
    )


def _required(sequence: Any) -> list[str]:
    """Of a sequence of nodes all have to match: the best of what they require is enough."""
    found: list[list[str]] = []
    run: list[str] = []
    for operation, argument in sequence:
        name = str(operation)
        if name == "LITERAL":
            run.append(chr(argument))
            continue
        found.append(["".join(run)])
        run = []
        if name == "SUBPATTERN" and not argument[1] and not argument[2]:
            found.append(_required(argument[3]))
        elif name == "BRANCH":
            each = [_required(branch) for branch in argument[1]]
            found.append([literal for literals in each for literal in literals] if all(each) else [])
        elif name == "MAX_REPEAT" and argument[0] >= 1:
            found.append(_required(argument[2]))
    found.append(["".join(run)])
    return max((each for each in found if each and all(each)), key=lambda each: min(map(len, each)), default=[])
