"""One line of the CRI log format: `2026-11-23T17:08:51.379364092Z stdout F text`.

The flag is P for a part of an over-long line and F for its end. Any bytes but a newline may stand in the text.
"""

from __future__ import annotations

import time
from calendar import timegm
from typing import NamedTuple

__all__ = ["CriLine", "format_time", "parse_line", "parse_time"]


class CriLine(NamedTuple):
    """A parsed line; `timestamp_ns` is UTC nanoseconds since the epoch, `data` has no newline."""

    timestamp_ns: int
    stream: str
    partial: bool
    data: bytes


_second = (-1, "")  # the second that was formatted last: nearly all lines of a batch share it


def format_time(timestamp_ns: int) -> str:
    """RFC 3339 in UTC with exactly nine digits, as the CRI has it."""
    global _second  # noqa: PLW0603 # a cache of one entry; a race between threads only costs its use
    seconds, nanoseconds = divmod(timestamp_ns, 1_000_000_000)
    cached, text = _second
    if cached != seconds:
        text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
        _second = (seconds, text)
    return f"{text}.{nanoseconds:09d}Z"


_parsed = (b"", 0)


def parse_time(text: bytes) -> int:
    """Nanoseconds since the epoch of an RFC 3339 time in UTC with up to nine digits. Raises ValueError."""
    global _parsed  # noqa: PLW0603 # as above
    head, tail = text[:19], text[19:]
    known, seconds = _parsed
    if known != head:
        seconds = timegm(time.strptime(head.decode("ascii"), "%Y-%m-%dT%H:%M:%S"))
        _parsed = (head, seconds)
    if tail == b"Z":
        return seconds * 1_000_000_000
    digits = tail[1:-1]
    if tail[:1] != b"." or tail[-1:] != b"Z" or not digits.isdigit() or len(digits) > 9:
        raise ValueError(f"{text!r} is not a time in UTC")
    return seconds * 1_000_000_000 + int(digits.ljust(9, b"0"))


def parse_line(line: bytes) -> CriLine:
    """The parts of one line, with or without its newline. Raises ValueError where it is not a CRI line."""
    parts = line.removesuffix(b"\n").split(b" ", 3)
    if len(parts) != 4 or parts[1] not in {b"stdout", b"stderr"} or parts[2] not in {b"P", b"F"}:
        raise ValueError(f"{line[:80]!r} is not a CRI log line")
    return CriLine(parse_time(parts[0]), parts[1].decode("ascii"), parts[2] == b"P", parts[3])
