"""Reading one CRI file in blocks: forward as entries, and backward to find where the last ones begin. Memory stays constant."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import Final

from fluster.cri import CriLine, parse_line
from fluster.logs.entry import LogEntry
from fluster.logs.position import Position

__all__ = ["count_entries", "entries", "find_time", "lines_backward"]

_BLOCK: Final = 256 * 1024
_PART: Final = re.compile(rb"^[^ \n]+ std(?:out|err) P ", re.MULTILINE)


def lines(file: int, start: int, end: int) -> Iterator[tuple[int, bytes]]:
    """(offset behind it, line without newline) of each whole line from `start` to `end`."""
    rest, at, offset = b"", start, start
    while at < end:
        block = os.pread(file, min(_BLOCK, end - at), at)
        if not block:
            return
        at += len(block)
        *whole, rest = (rest + block).split(b"\n")
        for line in whole:
            offset += len(line) + 1
            yield offset, line


def entries(file: int, position: Position, end: int, source: str = "") -> Iterator[LogEntry]:
    """The entries behind `position`, their parts joined. `source` names all of them ("build"), else the streams do.

    A line that is no CRI line (a disk that lied) is passed over. Unfinished parts at the end are no entry yet.
    """
    held: dict[str, list[bytes]] = {"stdout": [], "stderr": []}
    held_from: dict[str, int] = {}
    sequence, before = position.sequence, position.scan
    for offset, raw in lines(file, position.scan, end):
        line_start, before = before, offset
        try:
            line = parse_line(raw)
        except ValueError:
            continue
        if line.partial:
            held_from.setdefault(line.stream, line_start)
            held[line.stream].append(line.data)
            continue
        data = line.data
        if parts := held[line.stream]:
            data = b"".join((*parts, data))
            parts.clear()
            del held_from[line.stream]
        if offset <= position.after:
            continue  # seen before the cursor; read again only for the other stream's parts
        after = Position(position.file, min(held_from.values(), default=offset), offset, sequence + 1)
        yield LogEntry(line.timestamp_ns, source or line.stream, data, sequence, after.cursor())
        sequence += 1


def lines_backward(file: int, end: int) -> Iterator[tuple[int, CriLine]]:
    """(offset of its start, line) of each CRI line, from the end to the beginning."""
    at, rest = end, b""
    last = True
    while at > 0:
        size = min(64 * 1024, at)
        at -= size
        pieces = (os.pread(file, size, at) + rest).split(b"\n")
        rest = pieces[0]
        offset = at + sum(map(len, pieces)) + len(pieces) - 1
        for piece in reversed(pieces[1:]):
            offset -= len(piece)
            if not (last and not piece):
                try:
                    yield offset, parse_line(piece)
                except ValueError:
                    pass
            last = False
            offset -= 1
    if rest:
        try:
            yield 0, parse_line(rest)
        except ValueError:
            return


def count_entries(file: int, start: int, end: int) -> int:
    """How many entries end between two line boundaries."""
    total, at, rest = 0, start, b""
    while at < end:
        block = os.pread(file, min(_BLOCK, end - at), at)
        if not block:
            break
        at += len(block)
        text = rest + block
        cut = text.rfind(b"\n") + 1
        whole, rest = text[:cut], text[cut:]
        total += whole.count(b"\n")
        if b" P " in whole:
            total -= len(_PART.findall(whole))
    return total


def find_time(file: int, end: int, timestamp_ns: int, *, margin: int = _BLOCK) -> int:
    """A line boundary before the first entry at or after `timestamp_ns`.

    The two streams of a file are only nearly in order of time: the boundary lies a margin earlier than the search says.
    """
    low, high = 0, end
    while high - low > margin:
        middle = (low + high) // 2
        found = _time_behind(file, middle, end)
        if found is None or found >= timestamp_ns:
            high = middle
        else:
            low = middle
    return _boundary(file, max(low - margin, 0), end)


def _boundary(file: int, at: int, end: int) -> int:
    """The first line boundary at or behind `at`."""
    if at == 0:
        return 0
    for offset, _ in lines(file, at - 1, end):
        return offset
    return end


def _time_behind(file: int, at: int, end: int) -> int | None:
    start = _boundary(file, at, end)
    for _, raw in lines(file, start, end):
        try:
            return parse_line(raw).timestamp_ns
        except ValueError:
            continue
    return None
