"""The text of a log, without times: what the job wrote, byte by byte."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from fluster.logs.entry import LogFilter
from fluster.logs.log_file import LogFile
from fluster.logs.matcher import Matcher
from fluster.logs.position import Position
from fluster.logs.scan import Scan

__all__ = ["text", "text_size"]

_BATCH_BYTES: Final = 256 * 1024
_LINES: Final = {
    stream: re.compile(rb"^[^ \n]+ %b F ([^\n]*\n)" % stream, re.MULTILINE)
    for stream in (b"std(?:out|err)", b"stdout", b"stderr")
}


def text_size(file: LogFile, streams: frozenset[str]) -> int | None:
    """How many bytes text() gives; None where that is not known before."""
    counts = file.counts
    ends_open = (counts.stdout_open or counts.stderr_open) and len(streams) > 1
    if counts.lost or file.floor.lines or counts.part_lines or ends_open:
        return None
    return sum(int(getattr(counts, f"{stream}_bytes")) for stream in streams)


def text(file: LogFile, streams: frozenset[str], skip: int = 0) -> Iterator[bytes]:
    """Each line of `streams` with its newline, but a last one that the job gave none; `skip` bytes of it are left out.

    Where lines are missing a line in brackets says so.
    """
    if not file.counts.part_lines and not file.counts.lost and not file.floor.lines:
        pieces = _plain(file, streams, skip)
    else:
        pieces = _skipped(_joined(file, streams), skip)
    last = b""
    for piece in _gathered(pieces):
        if last:
            yield last
        last = piece
    ends_open = len(streams) == 1 and getattr(file.counts, f"{min(streams)}_open")
    if last := last.removesuffix(b"\n") if ends_open else last:
        yield last


def _gathered(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Of a size at which the way to a reader costs little."""
    batch: list[bytes] = []
    size = 0
    for piece in pieces:
        batch.append(piece)
        size += len(piece)
        if size >= _BATCH_BYTES:
            yield b"".join(batch)
            batch, size = [], 0
    if size:
        yield b"".join(batch)


def _plain(file: LogFile, streams: frozenset[str], skip: int) -> Iterator[bytes]:
    def before(mark: object) -> int:
        return sum(getattr(mark, f"{stream}_bytes") for stream in streams)

    mark = file.index.at(file.index.last(lambda mark: before(mark) <= skip))
    pattern = _LINES[min(streams).encode() if len(streams) == 1 else b"std(?:out|err)"]
    pieces = (b"".join(pattern.findall(block)) for _, block in file.blocks(mark.offset, file.end))
    return _skipped(pieces, skip - before(mark))


def _joined(file: LogFile, streams: frozenset[str]) -> Iterator[bytes]:
    batch: list[bytes] = []
    size, goes_on = 0, False
    of_streams = Matcher(LogFilter(sources=frozenset() if file.source else streams))
    for entry in Scan(file, Position(file.name, 0, 0, file.first), file.end, of_streams):
        if entry.dropped:
            batch.append(b"%b[%d lines are missing here]\n" % (b"\n" if goes_on else b"", entry.dropped))
        goes_on = entry.goes_on
        batch.append(entry.data if goes_on else entry.data + b"\n")
        size += len(entry.data)
        if size >= _BATCH_BYTES:
            yield b"".join(batch)
            batch, size = [], 0
    yield b"".join(batch)


def _skipped(pieces: Iterator[bytes], skip: int) -> Iterator[bytes]:
    for piece in pieces:
        if skip < len(piece):
            yield piece[skip:] if skip else piece
        skip = max(skip - len(piece), 0)
