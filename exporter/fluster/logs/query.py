"""One query on one job's log, blocking; the store runs it in a thread."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Final, NamedTuple

from fluster.errors import InvalidArgumentError
from fluster.logs.entry import DEFAULT_LINES, MAX_LINES, LogEntry, LogFilter, LogPage
from fluster.logs.log_file import LogFile
from fluster.logs.matcher import Matcher
from fluster.logs.position import Position, parse_cursor
from fluster.logs.scan import Scan
from fluster.logs.seek import lines_before, lines_behind, lines_since
from fluster.logs.tail import Batch

__all__ = ["LogQuery"]

_PAGE_BYTES: Final = 8 * 1024 * 1024


class _Stretch(NamedTuple):
    """A piece of one of the two files in which a scan may look."""

    file: LogFile
    start: Position
    end: int


class LogQuery:
    """The two files of one job's log, open as long as they were at that moment."""

    def __init__(self, build: LogFile, job: LogFile) -> None:
        self.build = build
        self.job = job

    @classmethod
    @contextmanager
    def open(cls, build_path: str, job_path: str) -> Iterator[LogQuery]:
        """Raises OSError where a file cannot be read."""
        build = LogFile(build_path, "b")
        try:
            job = LogFile(job_path, "j", build.counts.lines)
            try:
                yield cls(build, job)
            finally:
                job.close()
        finally:
            build.close()

    def page(self, wanted: LogFilter) -> LogPage:
        """One page. Raises InvalidArgumentError."""
        matches = Matcher(wanted)
        limit = MAX_LINES if wanted.max_lines is None and wanted.tail else wanted.max_lines or DEFAULT_LINES
        limit = min(max(limit, 1), MAX_LINES)
        if wanted.cursor:
            return self._collect(self.forward(self.position(wanted.cursor), wanted), matches, limit)
        tail = wanted.tail
        if tail is None and wanted.start_line is not None and wanted.start_line < 0:
            tail = -wanted.start_line
        if tail is not None:
            found = self._last(min(tail, MAX_LINES), wanted, matches)
            if wanted.start_line:
                return LogPage(found[:limit], found[limit - 1].cursor if len(found) > limit else "")
            return LogPage(found[-limit:], "")
        skip = wanted.start_line or 0
        if skip and wanted.since_ns is None and wanted.until_ns is None and not wanted.regex:
            position, skip = self._seek(skip, wanted.sources)
            return self._collect(self.forward(position, wanted), matches, limit, skip=skip)
        return self._collect(self.forward(Position("b", 0, 0, 0), wanted), matches, limit, skip=skip)

    def position(self, cursor: str) -> Position:
        """What a cursor stands for. Raises InvalidArgumentError: no follower may wait for what never comes, least of all before others."""
        position = parse_cursor(cursor)
        if position.after > (self.build if position.file == "b" else self.job).end:
            raise InvalidArgumentError(
                "cursor", "it points behind the end of this log; leave it out to start at the beginning"
            )
        return position

    def last(self, wanted: LogFilter) -> tuple[Batch, Position]:
        """The last entries as the filter asks for, and the position behind all that is there now."""
        end = self._end()
        entries = self.page(wanted).entries
        return Batch(entries, end, end), end

    def _end(self) -> Position:
        file = self.job if self.job.end else self.build
        return Position(file.name, file.counts.scan, file.end, file.first + file.counts.lines)

    def begin(self, wanted: LogFilter) -> Position:
        """Where the first entry that the filter's time asks for may be."""
        start = Position("b", 0, 0, 0)
        return next((each.start for each in self.forward(start, wanted)), start)

    def after(self, position: Position) -> tuple[list[LogEntry], Position]:
        """What came behind `position`, a block at most, and the position behind that (nothing new: the same)."""
        found: list[LogEntry] = []
        size = 0
        wanted = LogFilter()
        for entry in self.entries(self.forward(position, wanted), Matcher(wanted)):
            found.append(entry)
            size += len(entry.data)
            if len(found) >= DEFAULT_LINES or size >= _PAGE_BYTES:
                break
        if found:
            return found, found[-1].after
        end = self._end()  # behind what is no entry yet, too: it needs no second look until there is more
        return found, max(position, end, key=lambda each: (each.file, each.after))

    # Where to look

    def forward(self, position: Position, wanted: LogFilter) -> Iterator[_Stretch]:
        """All stretches that are behind a position and may hold what is wanted, in order."""
        if position.file == "b" and (not wanted.sources or "build" in wanted.sources):
            yield from self._in_time(self.build, position, wanted)
        if not wanted.sources or wanted.sources & {"stdout", "stderr"}:
            start = position if position.file == "j" else Position("j", 0, 0, self.job.first)
            for stretch in self._in_time(self.job, start, wanted):
                yield from _with_lines(stretch, _sparse(self.job, wanted.sources))

    def _in_time(self, file: LogFile, start: Position, wanted: LogFilter) -> Iterator[_Stretch]:
        """Without what is certainly too early or too late."""
        index = file.index
        if wanted.since_ns is not None:
            since = wanted.since_ns
            mark = index.at(index.last(lambda mark: mark.latest_ns < since))
            if mark.offset > start.after:
                start = file.at(mark)
            if file.begin <= start.scan == start.after and not file.counts.part_lines and not file.counts.lost:
                start = lines_since(file, start, since)
        if wanted.until_ns is None:
            yield _Stretch(file, start, file.end)
            return
        begin = last = start.after
        for mark in index.after(index.last(lambda mark: mark.offset <= begin)):
            if mark.earliest_ns >= wanted.until_ns:
                if last > start.after:
                    yield _Stretch(file, start, last)
                start = file.at(mark)
            last = mark.offset
        yield _Stretch(file, start, file.end)

    def place(self, line: int) -> Position:
        """Right before line number `line`; before the first that is kept, or behind the last, where there is none."""
        file = self.build if line < self.build.counts.lines else self.job
        # Not the mark at the line itself: it may stand between the pieces of the line.
        mark = file.index.at(file.index.last(lambda mark: file.first + mark.lines < line))
        position = file.kept_from if mark.offset < file.begin else file.at(mark)
        if not file.counts.part_lines and not file.counts.lost:
            return lines_behind(file, position, max(line - position.sequence, 0))
        for entry in Scan(file, position, file.end):
            if entry.sequence >= line:
                break
            position = entry.after
        return position

    def _seek(self, skip: int, sources: frozenset[str]) -> tuple[Position, int]:
        """A position that so many entries of some sources lie before, but for a rest that is given, too."""
        if not sources or "build" in sources:
            if skip < self.build.counts.lines:
                return self._seek_in(self.build, "lines", skip)
            skip -= self.build.counts.lines
        streams = sources & {"stdout", "stderr"}
        return self._seek_in(self.job, f"{min(streams)}_lines" if len(streams) == 1 else "lines", skip)

    def _seek_in(self, file: LogFile, key: str, skip: int) -> tuple[Position, int]:
        mark = file.index.at(file.index.last(lambda mark: getattr(mark, key) < skip))  # as in place()
        if mark.offset < file.begin:  # what is wanted may be dropped
            return Position(file.name, 0, 0, file.first), max(skip - getattr(file.floor, key), 0)
        skip -= getattr(mark, key)
        if key == "lines" and not file.counts.part_lines and not file.counts.lost:
            return lines_behind(file, file.at(mark), skip), 0
        return file.at(mark), skip

    # What is there

    def entries(self, stretches: Iterable[_Stretch], matches: Matcher) -> Iterator[LogEntry]:
        for file, start, end in stretches:
            yield from Scan(file, start, end, matches)

    def _collect(self, stretches: Iterator[_Stretch], matches: Matcher, limit: int, *, skip: int = 0) -> LogPage:
        found: list[LogEntry] = []
        size = 0
        for entry in _behind(skip, self.entries(stretches, matches)):
            if len(found) == limit or size >= _PAGE_BYTES:
                return LogPage(found, found[-1].cursor)
            found.append(entry)
            size += len(entry.data)
        return LogPage(found, "")

    def _last(self, count: int, wanted: LogFilter, matches: Matcher) -> list[LogEntry]:
        """The last `count` entries that match, oldest first."""
        found: deque[LogEntry] = deque()
        size = 0
        for stretch in self.backward(count, wanted, matches):
            if len(found) == count:
                break
            newest = self._newest(stretch, count - len(found), _PAGE_BYTES - size, matches)
            found.extendleft(reversed(newest))
            size += sum(len(entry.data) for entry in newest)
            if size >= _PAGE_BYTES:
                break
        return list(found)

    def _newest(self, stretch: _Stretch, count: int, room: int, matches: Matcher) -> deque[LogEntry]:
        """The last entries of a stretch, as many as there is room for, and one at least."""
        entries = self.entries([stretch], matches)
        if stretch.end - stretch.start.scan <= room:
            return deque(entries, maxlen=count)
        found: deque[LogEntry] = deque()
        size = 0
        for entry in entries:
            found.append(entry)
            size += len(entry.data)
            while len(found) > 1 and (len(found) > count or size > room):
                size -= len(found.popleft().data)
        return found

    def backward(
        self, count: int, wanted: LogFilter, matches: Matcher, until: Position | None = None
    ) -> Iterator[_Stretch]:
        """From the end, or from `until`: pieces that may hold the last `count` entries that match."""
        for file, sources in ((self.job, {"stdout", "stderr"}), (self.build, {"build"})):
            if (wanted.sources and not wanted.sources & sources) or (until and until.file < file.name):
                continue
            if matches.takes_all and until is None and not file.counts.part_lines and not file.counts.lost:
                yield _Stretch(file, lines_before(file, count), file.end)
                continue
            end = scanned = until.after if until and until.file == file.name else file.end
            key = _sparse(file, wanted.sources)
            here = getattr(file.counts, key) if key and until is None else None
            for mark in file.index.before(end):
                if mark.offset <= file.begin:
                    break
                if mark.offset > scanned:
                    continue  # in a long line that is read from its beginning anyway
                there = getattr(mark, key) if key else None
                if there is None or there != here:
                    yield _Stretch(file, file.at(mark), end)
                end, scanned, here = mark.offset, mark.scan, there
            if here is None or getattr(file.floor, key) != here:
                yield _Stretch(file, Position(file.name, 0, 0, file.first), end)


def _behind(lines: int, entries: Iterator[LogEntry]) -> Iterator[LogEntry]:
    """Without so many lines, each with all its entries."""
    while lines and (entry := next(entries, None)):
        lines -= not entry.goes_on
    return entries


def _sparse(file: LogFile, sources: frozenset[str]) -> str:
    """What marks count of these sources, where that tells between which of them no such line is; else empty."""
    streams = sources & {"stdout", "stderr"}
    if file.source or len(streams) != 1 or file.counts.part_lines or file.counts.lost:
        return ""
    return f"{min(streams)}_lines"


def _with_lines(stretch: _Stretch, key: str) -> Iterator[_Stretch]:
    """Those parts of a stretch in which lines are that `key` counts."""
    file, at, end = stretch
    if not key or at.after < file.begin:
        yield stretch
        return
    number = file.index.last(lambda mark: mark.offset <= at.after)
    here = getattr(file.index.at(number), key)
    for mark in file.index.after(number):
        if mark.offset >= end:
            break
        if getattr(mark, key) != here:
            yield _Stretch(file, at, mark.offset)
        at, here = file.at(mark), getattr(mark, key)
    if end < file.end or getattr(file.counts, key) != here:
        yield _Stretch(file, at, end)
