"""Places in a log as numbers, for whoever shows a part of it: the row of a line among those of its sources, and the lines that a search hits."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from fluster.logs.entry import LogEntry, LogFilter
from fluster.logs.matcher import Matcher
from fluster.logs.query import LogQuery
from fluster.logs.scan import Scan

__all__ = ["MAX_HITS", "Hits", "HitsFilter", "hits", "row"]

MAX_HITS: Final = 10_000
_STREAMS: Final = frozenset({"stdout", "stderr"})


@dataclass(frozen=True, slots=True)
class HitsFilter:
    """Which lines a search wants, and from where on: the nearest ones behind line `after`, else the last ones before `before` or the end."""

    wanted: LogFilter
    before: int | None = None
    after: int | None = None
    stop: threading.Event | None = None
    """Set once nobody waits any more: the search ends with what it has."""


@dataclass(frozen=True, slots=True)
class Hits:
    """The numbers of lines, lowest first, MAX_HITS at most. `more`: there are others in the direction that was asked for."""

    lines: list[int]
    more: bool


def hits(query: LogQuery, asked: HitsFilter) -> Hits:
    """Raises InvalidArgumentError for a bad expression or source."""
    matches = Matcher(asked.wanted, asked.stop)
    found: deque[int] = deque()
    if asked.after is not None:
        stretches = query.forward(query.place(asked.after + 1), asked.wanted)
        for line in _lines(query.entries(stretches, matches)):
            if len(found) == MAX_HITS:
                return Hits(list(found), more=True)
            found.append(line)
        return Hits(list(found), more=False)
    until = None if asked.before is None else query.place(asked.before)
    for stretch in query.backward(MAX_HITS, asked.wanted, matches, until):
        for line in reversed(list(_lines(query.entries([stretch], matches)))):
            if found and line >= found[0]:
                continue  # more of a line in pieces
            if len(found) == MAX_HITS:
                return Hits(list(found), more=True)
            found.appendleft(line)
    return Hits(list(found), more=False)


def _lines(entries: Iterable[LogEntry]) -> Iterator[int]:
    """The numbers of entries in order, each once: a line may come in several."""
    last = -1
    for entry in entries:
        if entry.sequence != last:
            last = entry.sequence
            yield last


def row(query: LogQuery, line: int, sources: frozenset[str]) -> int:
    """How many lines of these sources (all where empty), kept or not, are before line number `line` of the whole log."""
    rows = min(line, query.build.counts.lines) if not sources or "build" in sources else 0
    streams = sources & _STREAMS if sources else _STREAMS
    if line > query.job.first and streams:
        rows += _of_streams(query, line, streams)
    return rows


def _of_streams(query: LogQuery, line: int, streams: frozenset[str]) -> int:
    file = query.job
    if line >= file.first + file.counts.lines:
        return sum(getattr(file.counts, f"{stream}_lines") for stream in streams)
    if streams == _STREAMS:
        return line - file.first
    (stream,) = streams
    mark = file.index.at(file.index.last(lambda mark: file.first + mark.lines <= line))
    known, start = (file.floor, file.kept_from) if mark.offset < file.begin else (mark, file.at(mark))
    rows: int = getattr(known, f"{stream}_lines")
    for entry in Scan(file, start, file.end):
        if entry.sequence >= line:
            break
        rows += entry.source == stream and not entry.goes_on
    return rows
