"""One entry in the file of the engine's `local` log driver, read field by field: exact, and slow.

An entry is `<size: 4 bytes, big endian> <protobuf> <size>`. The protobuf has the fields source (1), time in nanoseconds (2), the
text without its newline (3, absent where it is empty), partial (4) and, of a part, {last: 1, id: 2, ordinal: 3} (5).
"""

from __future__ import annotations

from typing import Final

from fluster.runtime.docker.entries import Chunk

__all__ = ["TornError", "read_entry"]

_LARGEST: Final = 1024 * 1024
"""No engine writes an entry of this size: it parts lines at 16 KiB."""


class TornError(Exception):
    """This is no entry: what an engine left that was killed, or had no room, in the middle of writing one."""


def read_entry(block: bytes, at: int) -> tuple[Chunk, bool, int] | None:
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
