"""From one place in a log to another that is so many lines away, where no line is stored in parts: newlines are counted, no line is read."""

from __future__ import annotations

from typing import Final

from fluster.logs.log_file import LogFile
from fluster.logs.position import Position

__all__ = ["lines_before", "lines_behind"]

_BLOCK: Final = 128 * 1024


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
