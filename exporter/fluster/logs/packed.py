"""Closed files of a log, compressed: gzip that every tool reads, cut into members that can be read one by one.

Each member holds at most 256 KiB of the log and says in its header how long it is, packed and unpacked: a reader finds its place
by walking over the headers, and unpacks what it needs.
"""

from __future__ import annotations

import os
import struct
import zlib
from bisect import bisect_right
from collections.abc import Iterator
from typing import Final, NamedTuple

from isal import isal_zlib

__all__ = ["MEMBER_BYTES", "PackedFile", "pack"]

MEMBER_BYTES: Final = 256 * 1024
_LEVEL: Final = 1
_HEAD: Final = struct.Struct("<4sIBB H 2sH II")
"""gzip's header with one extra field, `Fl`: the size of the whole member and of what is in it."""
_MAGIC: Final = b"\x1f\x8b\x08\x04"
_TAIL: Final = struct.Struct("<II")


def pack(source: str, target: str) -> None:
    """Write `target` as the compressed `source`, durable before it returns. Raises OSError; then there is no `target`."""
    try:
        with open(source, "rb", buffering=0) as plain, open(target, "wb") as packed:
            while data := plain.read(MEMBER_BYTES):
                packed.write(_member(data))
            packed.flush()
            os.fsync(packed.fileno())
    except OSError:
        if os.path.exists(target):
            os.unlink(target)
        raise


def _member(data: bytes) -> bytes:
    deflate = isal_zlib.compressobj(_LEVEL, wbits=-15)
    body = deflate.compress(data) + deflate.flush()
    size = _HEAD.size + len(body) + _TAIL.size
    head = _HEAD.pack(_MAGIC, 0, 0, 255, 12, b"Fl", 8, size, len(data))
    return head + body + _TAIL.pack(zlib.crc32(data), len(data))


class _Place(NamedTuple):
    offset: int
    """In the file."""
    size: int
    start: int
    """In what was compressed."""


class PackedFile:
    """An open compressed file. Not thread-safe. Raises OSError where it is none that pack() made."""

    def __init__(self, path: str) -> None:
        self._file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            self._places = list(self._walk())
        except OSError:
            os.close(self._file)
            raise
        self._starts = [place.start for place in self._places]
        self._kept: tuple[int, bytes] = (-1, b"")

    def close(self) -> None:
        os.close(self._file)

    def read(self, offset: int, size: int) -> bytes:
        """At least one and at most `size` bytes of what was compressed, from `offset` on; none at its end."""
        number = bisect_right(self._starts, offset) - 1
        if number < 0:
            return b""
        if self._kept[0] != number:
            self._kept = (number, self._unpack(self._places[number]))
        at = offset - self._starts[number]
        return self._kept[1][at : at + size]

    def _unpack(self, place: _Place) -> bytes:
        data = os.pread(self._file, place.size, place.offset)
        try:
            return isal_zlib.decompress(data[_HEAD.size : -_TAIL.size], wbits=-15, bufsize=MEMBER_BYTES)
        except isal_zlib.error as error:  # type: ignore[misc] # the stub does not know what it is
            raise OSError(f"a compressed log is damaged: {error}") from error

    def _walk(self) -> Iterator[_Place]:
        offset = start = 0
        end = os.fstat(self._file).st_size
        while offset < end:
            head = os.pread(self._file, _HEAD.size, offset)
            if len(head) < _HEAD.size or not head.startswith(_MAGIC) or head[12:14] != b"Fl":
                raise OSError("a compressed log is damaged: a member does not begin where the one before it ends")
            *_, packed, size = _HEAD.unpack(head)
            yield _Place(offset, packed, start)
            offset += packed
            start += size
