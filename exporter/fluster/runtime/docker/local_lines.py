"""Whole lines in the file of the engine's `local` log driver, at full speed: thousands of them become CRI text by one format.

A piece is what stands behind the beginning that all entries share: `out` or `err`, the tag of the time, the time, the tag of the
text, its length, the text, the size of this entry and that of the next one.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final

from fluster.cri import format_time
from fluster.runtime.docker.entries import Chunk, Lines

__all__ = ["LineRun"]

_STDERR: Final = b"err\x10"
_STREAMS: Final = frozenset({b"out\x10", _STDERR})
"""How a piece begins: the end of the stream's name, the tag of the time."""
_TEXT: Final = 0x1A
"""The tag of the text."""
_EMPTY: Final = b"\0\0\0\x12"
"""Both sizes around an entry without text."""
_SECOND: Final = 1_000_000_000
_CRI_HEAD: Final = 40
"""Bytes of a CRI line in front of its text."""

# A time between 1972 and 2262 is a varint of nine bytes. Its first four, two by two, index _LOW; a pair that no such number begins
# with gives a time that is never in the second at hand. The last five change four times a second.
_LOW: Final = [
    (pair & 0x7F) | (pair >> 8 & 0x7F) << 7 if pair & 0x8080 == 0x8080 else -(1 << 70) for pair in range(1 << 16)
]
_HEAD: Final = struct.Struct("<4sHH5sBB")


class LineRun:
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
