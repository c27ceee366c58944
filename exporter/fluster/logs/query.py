"""One query on one job's log, blocking; the store runs it in a thread."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import re2

from fluster.cri import read_counts
from fluster.errors import InvalidArgumentError
from fluster.logs.entry import DEFAULT_LINES, MAX_LINES, LogEntry, LogFilter, LogPage
from fluster.logs.position import START, Position, parse_cursor
from fluster.logs.scan import count_entries, entries, find_time, lines_backward

__all__ = ["LogQuery", "matcher"]

_PAGE_BYTES: Final = 8 * 1024 * 1024
_PARTS_MARGIN: Final = 4 * 1024 * 1024
"""How far before the last entries reading begins, so that a line stored in parts is found whole."""


def matcher(wanted: LogFilter) -> Callable[[LogEntry], bool]:
    """Source, time and regex of a filter as one test. Raises InvalidArgumentError for a bad regex or source."""
    if unknown := wanted.sources - {"build", "stdout", "stderr"}:
        raise InvalidArgumentError("source", f"{min(unknown)!r} is none; use build, stdout or stderr")
    pattern: Any = None
    if wanted.regex:
        options = re2.Options()
        options.log_errors = False
        try:
            pattern = re2.compile(wanted.regex, options=options)
        except re2.error as error:
            raise InvalidArgumentError(
                "regex", f"{wanted.regex[:80]!r} is not a regular expression: {_words(error)}"
            ) from None
    sources, since, until = wanted.sources, wanted.since_ns, wanted.until_ns

    def matches(entry: LogEntry) -> bool:
        return (
            (not sources or entry.source in sources)
            and (since is None or entry.timestamp_ns >= since)
            and (until is None or entry.timestamp_ns < until)
            and (pattern is None or pattern.search(entry.data.decode("utf-8", "replace")) is not None)
        )

    return matches


def _words(error: Exception) -> str:
    detail = error.args[0] if error.args else error
    return detail.decode("utf-8", "replace") if isinstance(detail, bytes) else str(detail)


@dataclass(slots=True)
class _File:
    """One open file of a log, as long as it was when the query began."""

    name: str
    descriptor: int
    end: int
    entries: int
    """How many entries it has up to `end`."""

    @property
    def source(self) -> str:
        return "build" if self.name == "b" else ""


class LogQuery:
    """The two files of one job's log."""

    def __init__(self, build_log: Path, job_log: Path) -> None:
        self._paths = {"b": build_log, "j": job_log}

    def page(self, wanted: LogFilter) -> LogPage:
        """One page. Raises InvalidArgumentError."""
        matches = matcher(wanted)
        limit = MAX_LINES if wanted.max_lines is None and wanted.tail else wanted.max_lines or DEFAULT_LINES
        limit = min(max(limit, 1), MAX_LINES)
        with self._open() as files:
            if wanted.cursor:
                return self._collect(files, parse_cursor(wanted.cursor), matches, limit)
            tail = wanted.tail
            if tail is None and wanted.start_line is not None and wanted.start_line < 0:
                tail = -wanted.start_line
            if tail is not None:
                found = self._last(files, min(tail, MAX_LINES), matches)
                return LogPage(found[:limit] if wanted.start_line else found[-limit:], "")
            start = self._start(files, wanted)
            return self._collect(files, start, matches, limit, skip=wanted.start_line or 0)

    def end(self) -> Position:
        """The position behind all that is there now."""
        with self._open() as files:
            build, job = files
            if job.end:
                return Position("j", job.end, job.end, build.entries + job.entries)
            return Position("b", build.end, build.end, build.entries)

    def after(self, position: Position) -> tuple[list[LogEntry], Position]:
        """What came behind `position`, a block at most, and the position behind that (nothing new: the same)."""
        with self._open() as files:
            found: list[LogEntry] = []
            size = 0
            for entry in self._walk(files, position):
                found.append(entry)
                size += len(entry.data)
                if len(found) >= DEFAULT_LINES or size >= _PAGE_BYTES:
                    break
            return found, parse_cursor(found[-1].cursor) if found else position

    @contextmanager
    def _open(self) -> Iterator[list[_File]]:
        files: list[_File] = []
        try:
            for name, path in self._paths.items():
                try:
                    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
                except FileNotFoundError:
                    descriptor = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
                size = os.fstat(descriptor).st_size
                counts = read_counts(path)
                if counts is not None and counts.size <= size:
                    size, total = counts.size, counts.stdout_lines + counts.stderr_lines
                else:
                    total = count_entries(descriptor, 0, size)
                files.append(_File(name, descriptor, size, total))
            yield files
        finally:
            for file in files:
                os.close(file.descriptor)

    def _walk(self, files: list[_File], start: Position) -> Iterator[LogEntry]:
        """All entries behind `start`: build.log, then job.log."""
        build, job = files
        if start.file == "b":
            yield from entries(build.descriptor, start, build.end, build.source)
            start = Position("j", 0, 0, build.entries)
        yield from entries(job.descriptor, start, job.end)

    def _start(self, files: list[_File], wanted: LogFilter) -> Position:
        """Where reading may begin, given what is certainly not wanted."""
        build, job = files
        if wanted.since_ns is None:
            return START if not wanted.sources or "build" in wanted.sources else Position("j", 0, 0, build.entries)
        at = find_time(build.descriptor, build.end, wanted.since_ns)
        if at < build.end:
            return Position("b", at, at, count_entries(build.descriptor, 0, at))
        at = find_time(job.descriptor, job.end, wanted.since_ns)
        return Position("j", at, at, build.entries + count_entries(job.descriptor, 0, at))

    def _collect(
        self,
        files: list[_File],
        start: Position,
        matches: Callable[[LogEntry], bool],
        limit: int,
        *,
        skip: int = 0,
    ) -> LogPage:
        found: list[LogEntry] = []
        size = 0
        for entry in self._walk(files, start):
            if not matches(entry):
                continue
            if skip:
                skip -= 1
                continue
            if len(found) == limit or size >= _PAGE_BYTES:
                return LogPage(found, found[-1].cursor)
            found.append(entry)
            size += len(entry.data)
        return LogPage(found, "")

    def _last(self, files: list[_File], count: int, matches: Callable[[LogEntry], bool]) -> list[LogEntry]:
        """The last `count` entries that match, oldest first."""
        build, job = files
        found = self._last_of(job, count, matches, build.entries)
        if len(found) < count:
            found = self._last_of(build, count - len(found), matches, 0) + found
        return found

    def _last_of(self, file: _File, count: int, matches: Callable[[LogEntry], bool], before: int) -> list[LogEntry]:
        if not file.end or not count:
            return []
        seen, start = 0, 0
        for offset, line in lines_backward(file.descriptor, file.end):
            if line.partial:
                continue
            entry = LogEntry(line.timestamp_ns, file.source or line.stream, line.data, 0, "")
            if matches(entry):
                seen += 1
                if seen > count:
                    start = offset
                    break
        start = self._with_parts(file, start)
        position = Position(
            file.name, start, start, before + file.entries - count_entries(file.descriptor, start, file.end)
        )
        return list(deque(filter(matches, entries(file.descriptor, position, file.end, file.source)), maxlen=count))

    def _with_parts(self, file: _File, start: int) -> int:
        """A boundary some way before `start`: a line stored in parts is then read whole."""
        if start == 0 or not _has_parts(file, start):
            return start
        return _line_boundary_before(file, max(start - _PARTS_MARGIN, 0))


def _has_parts(file: _File, start: int) -> bool:
    margin = max(start - _PARTS_MARGIN, 0)
    return b" P " in os.pread(file.descriptor, start - margin, margin)


def _line_boundary_before(file: _File, at: int) -> int:
    if at == 0:
        return 0
    block = os.pread(file.descriptor, 2 * 1024 * 1024, at)
    cut = block.find(b"\n")
    return at + cut + 1 if cut >= 0 else 0
