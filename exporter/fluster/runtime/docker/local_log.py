"""The file of the engine's `local` log driver, parsed in blocks. Pure: bytes in, entries out.

An entry is `<size: 4 bytes, big endian> <protobuf> <size>`. The protobuf has the fields source (1), time in nanoseconds (2), the
text without its newline (3, absent where it is empty), partial (4) and, of a part, {last: 1, id: 2, ordinal: 3} (5). Nearly all
entries are one whole line of up to 16 KiB: these are cut out by their common beginning and formatted at once. A text may hold
that beginning, too, so each must have exactly the length that it says. What is not of this simple form is read field by field.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from typing import Final

from fluster.cri import format_time
from fluster.runtime.docker.entries import Chunk, Lines

__all__ = ["parse_entries"]

_MARK: Final = b"\n\x06std"
"""How the protobuf of every entry begins: field 1, six bytes, stdout or stderr."""
_STDOUT: Final = b"out\x10"
"""What follows it, with the tag of the time."""
_STDERR: Final = b"err\x10"
_STREAMS: Final = frozenset({_STDOUT, _STDERR})
_TEXT: Final = 0x1A
"""The tag of the text."""
_EMPTY: Final = b"\0\0\0\x12"
"""Both sizes around an entry without text."""
_LARGEST: Final = 1024 * 1024
"""No engine writes an entry of this size: it parts lines at 16 KiB."""
_SECOND: Final = 1_000_000_000
_CRI_HEAD: Final = 40
"""Bytes of a CRI line in front of its text."""

# A time between 1972 and 2262 is a varint of nine bytes. Its first four, two by two, index _LOW; a pair that no such number begins
# with gives a time that is never in the second at hand. The last five change four times a second.
_LOW: Final = [
    (pair & 0x7F) | (pair >> 8 & 0x7F) << 7 if pair & 0x8080 == 0x8080 else -(1 << 70) for pair in range(1 << 16)
]
_HEAD: Final = struct.Struct("<4sHH5sBB")


class TornError(Exception):
    """This is no entry: what an engine left that was killed, or had no room, in the middle of writing one."""


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
            entry = _read_entry(self._block, self._at)
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
                if _read_entry(self._block, mark - 4) is not None:
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
        run = _Run(self._max_line)
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


class _Run:
    """Simple entries, one after the other, on their way to CRI text: one format for all of them, and what goes into it."""

    def __init__(self, max_line: int) -> None:
        self._max_line = max_line
        self._values: list[int | bytes] = []  # of each line its nanoseconds of the second and its text
        self._forms: list[bytes] = []
        self._errors = self._error_bytes = 0
        self._first_ns = self._last_ns = 0

    @property
    def count(self) -> int:
        return len(self._values) // 2

    def take(self, pieces: Iterator[bytes]) -> bool:
        """Take pieces up to one that is not a simple entry, which is taken from `pieces` and left out; True where there is none."""
        add, unpack, low, max_line = self._values.append, _HEAD.unpack_from, _LOW, self._max_line
        text_tag, a_second = _TEXT, _SECOND  # looked up once, not for each line
        known_stream, is_error, errors, error_bytes = b"", False, 0, 0
        values, forms = self._values, self._forms
        second, form, begun = 0, b"", 0  # the values since `begun` are lines of this form
        form_of: dict[bytes, bytes] = {}
        known_high, base, latest = b"", 0, _SECOND  # `latest`: the last line's nanoseconds of its second
        lowest, highest = 1 << 63, 0
        complete = False
        try:
            for piece in pieces:
                stream, pair, next_pair, high, tag, size = unpack(piece)
                if tag != text_tag:
                    if len(piece) != 21 or piece[13:17] != _EMPTY:
                        break
                    text = b""
                    size = 0
                elif size < 128:
                    if len(piece) != 23 + size:
                        break
                    text = piece[15:-8]
                else:
                    size += (piece[15] << 7) - 128
                    if len(piece) != 24 + size or size > max_line or piece[15] > 127:
                        break
                    text = piece[16:-8]
                if high != known_high:
                    base = _high(high) - second
                    known_high = high
                now = base + low[pair] + (low[next_pair] << 14)
                if not latest <= now < a_second:  # the first line, another second, or the clock stepped back
                    if now < -second or stream not in _STREAMS:
                        break
                    if latest < a_second:
                        highest = max(highest, second + latest)
                    now += second
                    lowest = min(lowest, now)
                    if not second <= now < second + a_second:
                        base += second
                        second = now // a_second * a_second
                        base -= second
                        stamp = format_time(second)[:20].encode("ascii")
                        form_of = {each: b"%b%%09dZ std%b F %%b\n" % (stamp, each[:3]) for each in _STREAMS}
                        known_stream = b""
                    now -= second
                if stream != known_stream:
                    if stream not in _STREAMS:
                        break
                    if form:
                        forms.append(form * (len(values) - begun >> 1))
                    known_stream, is_error = stream, stream == _STDERR
                    form, begun = form_of[stream], len(values)
                if is_error:
                    error_bytes += size + 1
                    errors += 1
                add(now)
                add(text)
                latest = now
            else:
                complete = True
        except (struct.error, IndexError):
            pass  # too short for a simple entry
        forms.append(form * (len(values) - begun >> 1))
        self._errors, self._error_bytes = errors, error_bytes
        self._first_ns = lowest
        self._last_ns = max(highest, second + latest) if latest < a_second else highest
        return complete

    def move_to(self, found: list[Lines | Chunk]) -> bool:
        """Hand over what was taken, and begin anew. False where a text holds a newline, as none should: nothing is handed over."""
        count = self.count
        text = b"".join(self._forms) % tuple(self._values)
        good = text.count(b"\n") == count
        if count and good:
            size = len(text) - _CRI_HEAD * count
            stdout, stderr = (count - self._errors, size - self._error_bytes), (self._errors, self._error_bytes)
            found.append(Lines(text, stdout, stderr, self._first_ns, self._last_ns))
        self._values.clear()
        self._forms.clear()
        return good


def _high(data: bytes) -> int:
    """What the last five bytes of a time's varint stand for; hopelessly small where it does not end with them."""
    if min(data[:4]) < 128 or data[4] > 127:
        return -(1 << 70)
    return sum((byte & 127) << 28 + 7 * place for place, byte in enumerate(data))


def _read_entry(block: bytes, at: int) -> tuple[Chunk, bool, int] | None:
    """The entry that begins at `at`, whether it ends its line, and where the next one begins; None where it is not complete.

    Raises TornError.
    """
    size = int.from_bytes(block[at : at + 4], "big")
    end = at + 4 + size
    if len(block) - at >= 4 and size > _LARGEST:
        raise TornError
    if len(block) < end + 4 or len(block) - at < 8:
        return None
    if int.from_bytes(block[end : end + 4], "big") != size:
        raise TornError
    fields = _read_fields(block[at + 4 : end])
    stream = fields.get(1, b"")
    now, text, more = fields.get(2), fields.get(3, b""), fields.get(5, b"")
    if stream not in {b"stdout", b"stderr"} or not isinstance(now, int) or not isinstance(text, bytes):
        raise TornError
    ends_line = not fields.get(4) or (isinstance(more, bytes) and bool(_read_fields(more).get(1)))
    return Chunk(str(stream, "ascii"), now, text + b"\n" if ends_line else text), ends_line, end + 4


def _read_fields(message: bytes) -> dict[int, int | bytes]:
    """The fields of a protobuf message, numbers as they are, by field number. Raises TornError."""
    fields: dict[int, int | bytes] = {}
    at = 0
    while at < len(message):
        tag, at = _read_varint(message, at)
        kind = tag & 7
        number, at = _read_varint(message, at) if kind in {0, 2} else (0, at)
        if kind == 0:
            fields[tag >> 3] = number
            continue
        size = {1: 8, 2: number, 5: 4}.get(kind, -1)
        if size < 0 or at + size > len(message):
            raise TornError
        fields[tag >> 3] = message[at : at + size]
        at += size
    return fields


def _read_varint(message: bytes, at: int) -> tuple[int, int]:
    """The number, and where it ends. Raises TornError."""
    number = shift = 0
    while at < len(message) and shift < 70:
        byte = message[at]
        at += 1
        number |= (byte & 127) << shift
        if byte < 128:
            return number, at
        shift += 7
    raise TornError
