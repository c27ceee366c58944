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
_PIECE_BYTES: Final = 64 * 1024
"""What is unpacked at once: no more than is read, and the allocator gives the same memory again and again."""
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
    end: int


class PackedFile:
    """An open compressed file. Not thread-safe. read() raises OSError where it is none that pack() made."""

    def __init__(self, file: int) -> None:
        """Takes the descriptor over."""
        self._file = file
        self._members = self._walk()
        self._places: list[_Place] = []
        self._starts: list[int] = []
        """Of the members up to the one that was wanted, as far as they were walked."""
        self._number = -1
        """Of the member that is being unpacked."""
        self._pieces: Iterator[bytes] = iter(())
        self._piece, self._at = b"", 0
        """What of it was unpacked last, and where in what was compressed that begins."""

    def close(self) -> None:
        os.close(self._file)

    def read(self, offset: int, size: int) -> bytes:
        """At least one and at most `size` bytes of what was compressed, from `offset` on; none at its end."""
        while not self._places or offset >= self._places[-1].end:
            place = next(self._members, None)
            if place is None:
                return b""
            self._places.append(place)
            self._starts.append(place.start)
        number = bisect_right(self._starts, offset) - 1
        if self._number != number or offset < self._at:
            self._number, self._pieces = number, self._unpack(self._places[number])
            self._piece, self._at = b"", self._starts[number]
        while offset >= self._at + len(self._piece):
            self._at += len(self._piece)
            self._piece = next(self._pieces, b"")
            if not self._piece:
                self._number = -1
                return b""
        at = offset - self._at
        return self._piece[at : at + size]

    def _unpack(self, place: _Place) -> Iterator[bytes]:
        data = os.pread(self._file, place.size, place.offset)[_HEAD.size : -_TAIL.size]
        inflate = isal_zlib.decompressobj(wbits=-15)
        try:
            while piece := inflate.decompress(data, _PIECE_BYTES):
                yield piece
                data = inflate.unconsumed_tail
        except isal_zlib.error as error:  # type: ignore[misc] # the stub does not know what it is
            raise OSError(f"a compressed log is damaged: {error}") from error
        if not inflate.eof:
            raise OSError("a compressed log is damaged: a member has no end")

    def _walk(self) -> Iterator[_Place]:
        offset = start = 0
        end = os.fstat(self._file).st_size
        while offset < end:
            head = os.pread(self._file, _HEAD.size, offset)
            if len(head) < _HEAD.size or not head.startswith(_MAGIC) or head[12:14] != b"Fl":
                raise OSError("a compressed log is damaged: a member does not begin where the one before it ends")
            *_, packed, size = _HEAD.unpack(head)
            yield _Place(offset, packed, start, start + size)
            offset += packed
            start += size
