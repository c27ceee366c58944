"""The engine's log stream: frames of both streams, each with the engine's own time in front. Pure: bytes in, entries out."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator, Sequence
from typing import Final

from fluster.cri import parse_time
from fluster.runtime.docker.entries import Chunk, Lines

__all__ = ["FrameParser"]

_STREAMS: Final = {1: "stdout", 2: "stderr"}
_STDOUT: Final = b" stdout F "
_NAMES: Final = {b"\1": _STDOUT, b"\2": b" stderr F "}
_FRAME: Final = rb"([\x01\x02])\0\0\0(.{4})(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z) ([^\n]*\n)"
_PLAIN: Final = re.compile(_FRAME, re.DOTALL)
_CHUNKED: Final = re.compile(rb"[0-9a-f]+\r\n" + _FRAME + rb"\r\n", re.DOTALL)
_PAYLOAD_HEAD: Final = 31
"""Bytes of a frame's payload in front of its text: a time and a space."""
_FULL_PART: Final = 16 * 1024
"""Bytes of each part of a long line but its last."""


class FrameParser:
    """Takes the body of the engine's answer in any pieces. `chunked`: it comes in HTTP's chunks, which are not taken off yet.

    A frame is `<stream, 0, 0, 0, size as 4 bytes> <RFC 3339 time> <data>`. A line over 16 KiB comes in several frames with the
    same time; only the last one's data ends in a newline. The engine sends each frame as a chunk of its own. A piece in which
    nothing else stands than whole lines is taken at once; it must add up to the byte. Everything else is read frame by frame.
    """

    def __init__(self, *, chunked: bool, max_line: int) -> None:
        self._pattern = _CHUNKED if chunked else _PLAIN
        self._chunked = chunked
        self._max_line = max_line
        self._raw = b""  # what was fed and is no whole chunk, or where there are none, no whole frame
        self._rest = b""  # what chunks held that is no whole frame
        self._parts: dict[str, int] = {}  # streams that are in the middle of a long line, with its time
        self.ended = False
        """The last chunk was there."""

    def feed(self, data: bytes, *, simple: bool = True) -> list[Lines | Chunk]:
        """Lines only where `simple`: no stream may have a line unfinished. Raises ValueError where this is no such stream."""
        data = self._raw + data
        lines, used = self._take_lines(data) if simple and not self._rest and not self._parts else (None, 0)
        frames = self._take_frames(data[used:])
        return list(frames) if lines is None else [lines, *frames]

    def _take_lines(self, data: bytes) -> tuple[Lines | None, int]:
        """All of `data` but an unfinished end as whole lines, and how many bytes they are; None where it is not of that form."""
        end = data.rfind(b"\n\r\n") + 3 if self._chunked else data.rfind(b"\n") + 1
        found = self._pattern.split(data[:end])
        between, kinds, sizes, stamps, texts = (found[place::5] for place in range(5))
        count = len(kinds)
        if not count or any(between):
            return None, 0
        lengths = list(map(len, texts))
        announced = struct.unpack(f">{count}I", b"".join(sizes))
        if announced != tuple(map(_PAYLOAD_HEAD.__add__, lengths)) or max(lengths) > self._max_line:
            return None, 0
        kind = b"".join(kinds)
        errors = kind.count(b"\2")
        error_bytes = sum(length for stream, length in zip(kind, lengths, strict=True) if stream == 2) if errors else 0
        entries = [_STDOUT] * (3 * count)
        entries[::3], entries[2::3] = stamps, texts
        if errors:
            entries[1::3] = map(_NAMES.__getitem__, kinds)
        ends = [_end(stream, kind, stamps, lengths) for stream in (1, 2) if stream in kind]
        lines = Lines(
            b"".join(entries),
            (count - errors, sum(lengths) - error_bytes),
            (errors, error_bytes),
            parse_time(min(stamps)),
            parse_time(max(stamps)),
            tuple(ends),
        )
        return lines, end

    def _take_frames(self, data: bytes) -> Iterator[Chunk]:
        data = self._rest + (self._without_chunks(data) if self._chunked else data)
        at, end = 0, len(data)
        while end - at >= 8:
            size = int.from_bytes(data[at + 4 : at + 8], "big")
            if end - at - 8 < size:
                break
            payload = data[at + 8 : at + 8 + size]
            stamp, _, text = payload.partition(b" ")
            yield self._with_newline(Chunk(_STREAMS.get(data[at], "stdout"), parse_time(stamp), text))
            at += 8 + size
        if self._chunked:
            self._rest = data[at:]
        else:
            self._raw = data[at:]

    def _with_newline(self, chunk: Chunk) -> Chunk:
        """The `local` driver of some engines tells the last part of a long line without its newline: it is the one that is not full."""
        stream, timestamp_ns, data = chunk
        if len(data) == _FULL_PART and not data.endswith(b"\n"):
            self._parts[stream] = timestamp_ns
        elif self._parts.pop(stream, None) == timestamp_ns and not data.endswith(b"\n"):
            return chunk._replace(data=data + b"\n")
        return chunk

    def _without_chunks(self, data: bytes) -> bytes:
        """What the whole chunks of `data` hold; the rest of it is kept."""
        found = []
        at = 0
        while (line_end := data.find(b"\r\n", at)) >= 0:
            size = int(data[at:line_end].partition(b";")[0], 16)
            begin = line_end + 2
            if size == 0:
                self.ended = True
                break
            if len(data) < begin + size + 2:
                break
            found.append(data[begin : begin + size])
            at = begin + size + 2
        self._raw = data[at:]
        return b"".join(found)


def _end(stream: int, kinds: bytes, stamps: Sequence[bytes], lengths: Sequence[int]) -> tuple[str, int, int]:
    """A stream, its last time, and its bytes that have this time."""
    at = kinds.rfind(stream)
    stamp, size = stamps[at], 0
    while at >= 0 and stamps[at] == stamp:
        size += lengths[at]
        at = kinds.rfind(stream, 0, at)
    return _STREAMS[stream], parse_time(stamp), size
