"""From the lines of a log's files to its entries, forward from any position. Memory stays constant."""

from __future__ import annotations

import re
import sys
import time
from calendar import timegm
from collections.abc import Iterable, Iterator
from itertools import accumulate, count
from time import strptime
from typing import Final

from fluster.cri import OpenLines, parse_line
from fluster.errors import InvalidArgumentError
from fluster.logs.entry import LogEntry, LogFilter
from fluster.logs.log_file import LogFile
from fluster.logs.matcher import Matcher
from fluster.logs.position import Position

__all__ = ["Scan", "count_entries"]

_SECONDS: Final = 60
"""Whoever waits has gone by then, and the thread is wanted by others."""
_LINES: Final = re.compile(rb"([0-9T:-]{19})\.([0-9]{9})Z (std(?:out|err)) F ([^\n]*)\n")
_Line = tuple[bytes, bytes, bytes, bytes]
"""Second, fraction of it, stream, text."""
_HEAD_BYTES: Final = 41
"""Of a line, without its text and with its newline."""
_PART: Final = re.compile(rb"^[^ \n]+ std(?:out|err) P ", re.MULTILINE)
_NO_GAP: Final = (sys.maxsize, 0)
_ALL: Final = Matcher(LogFilter())


def _nanoseconds(second: bytes) -> int:
    return timegm(strptime(second.decode(), "%Y-%m-%dT%H:%M:%S")) * 1_000_000_000


def count_entries(file: LogFile, start: int, end: int) -> int:
    """How many entries end between two boundaries of lines."""
    parts = file.counts.part_lines > 0
    return sum(block.count(b"\n") - (len(_PART.findall(block)) if parts else 0) for _, block in file.blocks(start, end))


class Scan:
    """The entries that match, behind `position` and up to byte `end` of a log.

    A line that is no CRI line (a disk that lied) is passed over. Unfinished parts at the end are no entry yet. Where lines were
    lost or are not kept any more, the next entry says how many.
    """

    def __init__(self, file: LogFile, position: Position, end: int, matches: Matcher = _ALL) -> None:
        self._file = file
        self._end = end
        self._matches = matches
        self._dropped = self._missing = 0
        cut: set[str] = set()
        if position.after < file.begin:
            self._dropped = max(file.kept_from.sequence - position.sequence, 0)
            position = file.kept_from
        elif position.scan < file.begin:  # of a line in parts the beginning is not kept any more
            position = position._replace(scan=file.begin)
            cut = {"stdout", "stderr"}
        self.position = position
        """Behind what was looked at: a scan from there gives what this one has not given."""
        self._held: dict[str, list[bytes]] = {"stdout": [], "stderr": []}
        self._held_ns = {"stdout": 0, "stderr": 0}
        self._open = OpenLines()
        self._cut = cut  # streams of whose line the beginning is not kept
        self._gaps = self._find_gaps()
        self._gap = next(self._gaps, _NO_GAP)
        self._whole_to = 0
        self._deadline = time.monotonic() + _SECONDS

    def __iter__(self) -> Iterator[LogEntry]:
        counted = True  # `position` is where the block begins, however little of what is before it was looked at
        for offset, block in self._file.blocks(self.position.scan, self._end):
            if self._matches.stop.is_set():
                return
            if time.monotonic() > self._deadline:
                raise InvalidArgumentError(
                    "regex", f"the search takes longer than {_SECONDS} s; narrow it by since, until or source"
                )
            if not self._is_simple(offset, offset + len(block)):
                if not counted:
                    self.position = Position(self._file.name, offset, offset, self._sequence_at(offset))
                    counted = True
                yield from self._wanted(self._exact(offset, block))
            elif self._matches.searches:
                yield from self._wanted(self._searched(offset, block))
                counted = self.position.after == offset + len(block)
            else:
                found = _LINES.findall(block)
                sizes = [_HEAD_BYTES + len(line[3]) for line in found]
                whole = sum(sizes) == len(block)
                yield from self._wanted(self._plain(offset, found, sizes) if whole else self._exact(offset, block))

    def _is_simple(self, begin: int, end: int) -> bool:
        """These bytes hold neither parts of lines nor ends of such lines nor gaps, and nothing that was given before."""
        if self._open or begin < self.position.after or self._gap[0] < end:
            return False
        if end > self._whole_to:
            self._whole_to = self._file.whole_lines_to(begin)
        return end <= self._whole_to

    def _wanted(self, entries: Iterable[LogEntry]) -> Iterable[LogEntry]:
        return entries if self._matches.takes_all else self._matching(entries)

    def _matching(self, entries: Iterable[LogEntry]) -> Iterator[LogEntry]:
        """Those that match. What is missing before another one is missing before the next of them."""
        for entry in entries:
            if not self._matches(entry):
                self._missing += entry.dropped
            elif self._missing:
                yield entry._replace(dropped=entry.dropped + self._missing)
                self._missing = 0
            else:
                yield entry

    def _plain(self, offset: int, found: list[_Line], sizes: list[int]) -> list[LogEntry]:
        """Neither parts nor gaps nor anything else than lines. All of a block at once: a third faster than one by one."""
        name, source, sequence = self._file.name, self._file.source, self.position.sequence
        streams = {b"stdout": source or "stdout", b"stderr": source or "stderr"}
        bases = {second: _nanoseconds(second) for second in {line[0] for line in found}}
        new = tuple.__new__  # what a NamedTuple's own does, without a call of its own
        ends = accumulate(sizes, initial=offset)
        next(ends)
        entries = [
            new(
                LogEntry,
                (
                    bases[second] + int(fraction), streams[stream], text, number,
                    new(Position, (name, end, end, number + 1)), False, 0,
                ),
            )
            for (second, fraction, stream, text), end, number in zip(found, ends, count(sequence))
        ]  # fmt: skip
        if entries and self._dropped:
            entries[0] = entries[0]._replace(dropped=self._dropped)
            self._dropped = 0
        if entries:
            self.position = entries[-1].after
        return entries

    def _searched(self, offset: int, block: bytes) -> Iterator[LogEntry]:
        """The lines that may match; the others are not even counted while there is none."""
        name, counted_to, sequence = self._file.name, -1, 0
        for begin, end in self._matches.lines(block):
            try:
                line = parse_line(block[begin:end])
            except ValueError:
                continue
            if counted_to < 0:
                sequence, counted_to = self._sequence_at(offset), 0
            sequence += block.count(b"\n", counted_to, begin)
            counted_to = begin
            after = Position(name, offset + end, offset + end, sequence + 1)
            source = self._file.source or line.stream
            yield LogEntry(line.timestamp_ns, source, line.data, sequence, after, dropped=self._dropped)
            self._dropped = 0
        at = offset + len(block)
        if counted_to >= 0:
            self.position = Position(name, at, at, sequence + block.count(b"\n", counted_to))

    def _sequence_at(self, offset: int) -> int:
        known = self._file.at(self._file.mark_before(offset))
        start, sequence = max(self.position[2:], known[2:])
        return sequence + count_entries(self._file, start, offset)

    def _exact(self, offset: int, block: bytes) -> Iterator[LogEntry]:
        for raw in block.split(b"\n")[:-1]:
            start, offset = offset, offset + len(raw) + 1
            while start >= self._gap[0]:
                yield from self._cross_gap()
            try:
                line = parse_line(raw)
            except ValueError:
                continue
            parts = self._held[line.stream]
            if line.partial:
                parts.append(line.data)
                self._held_ns[line.stream] = line.timestamp_ns
                if not self._open.part(line.stream, start, len(line.data)):
                    continue
                data, truncated = self._take_held(line.stream), True
            else:
                data, truncated = line.data, line.stream in self._cut
                if self._open.end(line.stream):
                    truncated = True
                if parts:
                    data = self._take_held(line.stream) + data
                self._cut.discard(line.stream)
            if (
                offset > self.position.after
            ):  # else it was given before, and read again only for the other stream's parts
                lines = int(not line.partial)
                yield self._entry(line.timestamp_ns, line.stream, data, offset, truncated=truncated, lines=lines)

    def _take_held(self, stream: str) -> bytes:
        data = b"".join(self._held[stream])
        self._held[stream].clear()
        return data

    def _entry(
        self, timestamp_ns: int, stream: str, data: bytes, offset: int, *, truncated: bool, lines: int
    ) -> LogEntry:
        sequence = self.position.sequence
        self.position = Position(self._file.name, self._open.scan(offset), offset, sequence + lines)
        dropped, self._dropped = self._dropped, 0
        return LogEntry(timestamp_ns, self._file.source or stream, data, sequence, self.position, truncated, dropped)

    # Where lines are missing

    def _find_gaps(self) -> Iterator[tuple[int, int]]:
        """(offset, lines) of each gap at or behind where the scan begins."""
        if self._file.counts.lost == 0:
            return
        index, begin = self._file.index, self.position.scan
        number = index.last(lambda mark: mark.offset < begin)
        lost = index.at(number).lost
        for mark in index.after(number):
            if mark.lost > lost:
                yield mark.offset, mark.lost - lost
            lost = mark.lost

    def _cross_gap(self) -> Iterator[LogEntry]:
        """What is held has no end; it is given as it is. The next entry is the first behind the gap."""
        at, lost = self._gap
        self._open.clear()
        for stream in [stream for stream, parts in self._held.items() if parts]:
            data = self._take_held(stream)
            if at >= self.position.after:
                yield self._entry(self._held_ns[stream], stream, data, at, truncated=True, lines=0)
        self._cut.clear()
        if at >= self.position.after:
            self._dropped += lost
        self._gap = next(self._gaps, _NO_GAP)
