"""The file of the engine's `local` log driver, parsed in blocks. Pure: bytes in, entries out.

Nearly all entries are one whole line of up to 16 KiB: these are cut out by their common beginning and formatted at once. A text may
hold that beginning, too, so each must have exactly the length that it says. What is not of this simple form is read field by field.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from typing import Final

from fluster.runtime.docker.entries import Chunk, Lines
from fluster.runtime.docker.local_entry import TornError, read_entry
from fluster.runtime.docker.local_lines import LineRun

__all__ = ["parse_entries"]

_MARK: Final = b"\n\x06std"
"""How the protobuf of every entry begins: field 1, six bytes, stdout or stderr."""


def parse_entries(
    block: bytes,
    *,
    max_line: int,
    simple: bool = True,
    unfinished: AbstractSet[str] = frozenset(),
    last: bool = False,
) -> tuple[list[Lines | Chunk], int]:
    """The entries at the beginning of `block`, and how many of its bytes they are. Torn entries are left out.

    Lines holds no line of more than `max_line` bytes and none of the streams that are `unfinished`, which have the beginning of a
    line before this block; nothing does where not `simple`. `last`: an entry that is not complete never will be.
    """
    return _Parser(block, max_line, unfinished, last=last).parse(simple=simple and max_line >= 128)


class _Parser:
    def __init__(self, block: bytes, max_line: int, unfinished: AbstractSet[str], *, last: bool) -> None:
        self._block = block
        self._max_line = max_line
        self._unfinished = set(unfinished)
        self._last = last
        self._found: list[Lines | Chunk] = []
        self._at = 0

    def parse(self, *, simple: bool) -> tuple[list[Lines | Chunk], int]:
        if simple:
            while self._unfinished and self._take_one():
                pass
            if not self._unfinished:
                self._take_simple()
        while self._take_one():
            pass
        return self._found, self._at

    def _take_one(self) -> bool:
        """Take the entry at hand, field by field. False where none is complete."""
        try:
            entry = read_entry(self._block, self._at)
        except TornError:
            return self._skip_torn()
        if entry is None:
            return self._last and self._at < len(self._block) and self._skip_torn()
        chunk, ends_line, self._at = entry
        (self._unfinished.discard if ends_line else self._unfinished.add)(chunk.stream)
        self._found.append(chunk)
        return True

    def _skip_torn(self) -> bool:
        """Go to the next entry: the first place that looks like one in all respects. False where there is none yet."""
        mark = self._at + 4
        while (mark := self._block.find(_MARK, mark + 1)) >= 0:
            try:
                if read_entry(self._block, mark - 4) is not None:
                    self._at = mark - 4
                    return True
            except TornError:
                continue
        if self._last:
            self._at = len(self._block)
        return False

    def _take_simple(self) -> None:
        """Take entries up to the last one of the block, which need not be complete."""
        pieces = (self._block[self._at :] if self._at else self._block).split(_MARK)
        if len(pieces[0]) != 4 or len(pieces) < 3:
            return
        run = LineRun(self._max_line)
        rest = iter(pieces[1:-1])
        index, begin = 1, self._at + 9  # of the first piece of a run: its number, and where it stands in the block
        while True:
            complete = run.take(rest)
            count = run.count
            if not run.move_to(self._found):
                for _ in range(count):
                    self._take_one()
            elif complete:
                self._at = len(self._block) - len(pieces[-1]) - 9
            if complete:
                return
            begin += sum(map(len, pieces[index : index + count])) + 5 * count
            index += count
            self._at = begin - 9
            if not self._take_one():
                return
            while self._unfinished or not self._block.startswith(_MARK, self._at + 4):
                if not self._take_one():
                    return
            begin += len(pieces[index]) + 5
            index += 1
            while begin < self._at + 9:
                if next(rest, None) is None:
                    return
                begin += len(pieces[index]) + 5
                index += 1
