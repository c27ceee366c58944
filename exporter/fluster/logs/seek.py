"""From one place in a log to another that is so many lines away, or at a time, where no line is stored in parts: no line is read as an entry."""

from __future__ import annotations

from typing import Final

from fluster.cri import format_time
from fluster.logs.log_file import LogFile
from fluster.logs.position import Position

__all__ = ["lines_before", "lines_behind", "lines_since"]

_BLOCK: Final = 128 * 1024
_LAST_NS: Final = 2**63 - 1


def lines_behind(file: LogFile, position: Position, count: int) -> Position:
    """`count` lines further; the end where there are not so many."""
    sequence = position.sequence + count
    at = position.after
    for begin, block in file.blocks(at, file.end):
        here = block.count(b"\n")
        if count < here:
            at = begin + _line(block, count)
            return Position(file.name, at, at, sequence)
        count -= here
        at = begin + len(block)
    return Position(file.name, at, at, sequence - count)


def lines_since(file: LogFile, position: Position, since_ns: int) -> Position:
    """Before the first line that is not older, whatever the order of the others; the end where there is none."""
    stamp = format_time(min(since_ns, _LAST_NS)).encode("ascii")
    sequence = position.sequence
    for begin, block in file.blocks(position.after, file.end):
        lines = block.split(b"\n")
        if max(lines) < stamp:  # of one length: in the order of time
            sequence += len(lines) - 1
            continue
        older = next(number for number, line in enumerate(lines) if line >= stamp)
        at = begin + sum(map(len, lines[:older])) + older
        return Position(file.name, at, at, sequence + older)
    return Position(file.name, file.end, file.end, sequence)


def lines_before(file: LogFile, count: int) -> Position:
    """Where the last `count` lines begin; before all of it where there are not so many."""
    at, missing = file.end, count + 1  # the newline before the first of them is one more
    while at > file.begin:
        start = max(at - _BLOCK, file.begin)
        block = file.read_all(start, at)
        here = block.count(b"\n")
        if here >= missing:
            place = start + _line(block, here - missing + 1)
            return Position(file.name, place, place, file.first + file.counts.lines - count)
        missing -= here
        at = start
    return Position(file.name, 0, 0, file.first)


def _line(block: bytes, number: int) -> int:
    """Where line `number` of a block begins."""
    total = block.count(b"\n")
    if number <= total // 2:
        at = 0
        for _ in range(number):
            at = block.index(b"\n", at) + 1
        return at
    at = len(block)
    for _ in range(total - number + 1):
        at = block.rindex(b"\n", 0, at)
    return at + 1
