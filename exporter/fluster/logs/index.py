"""Searching the marks of a log, without reading all of them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Final

from fluster.cri.marks import SIZE, START, Mark, marks_path, parse_mark

__all__ = ["Index"]

_BLOCK: Final = 256 * SIZE


class Index:
    """The marks up to `end`, a byte of the log, as they were when it was opened. The one before the first is the log's start."""

    def __init__(self, path: str, end: int) -> None:
        try:
            self._file = os.open(marks_path(path), os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            self._file = -1
            self._count = 0
            return
        self._count = os.fstat(self._file).st_size // SIZE
        while self._count and self.at(self._count - 1).offset > end:
            self._count -= 1

    def close(self) -> None:
        if self._file >= 0:
            os.close(self._file)

    def at(self, number: int) -> Mark:
        """Mark `number`; START before the first and for one that cannot be read."""
        if number < 0:
            return START
        return parse_mark(os.pread(self._file, SIZE, number * SIZE)) or START

    def last(self, wanted: Callable[[Mark], bool]) -> int:
        """The number of the last mark for which `wanted` is true, where it is true for all before it; -1 where there is none."""
        low, high = -1, self._count - 1
        while low < high:
            middle = (low + high + 1) // 2
            if wanted(self.at(middle)):
                low = middle
            else:
                high = middle - 1
        return low

    def after(self, number: int) -> Iterator[Mark]:
        """The marks behind `number`, in order."""
        at = (number + 1) * SIZE
        while at < self._count * SIZE:
            block = os.pread(self._file, min(_BLOCK, self._count * SIZE - at), at)
            if not block:
                return
            for each in range(0, len(block), SIZE):
                if mark := parse_mark(block, each):
                    yield mark
            at += len(block)

    def before(self, offset: int) -> Iterator[Mark]:
        """The marks before a byte of the log, the last one first."""
        for number in range(self.last(lambda mark: mark.offset < offset), -1, -1):
            yield self.at(number)
