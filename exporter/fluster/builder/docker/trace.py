"""BuildKit's progress (`moby.buildkit.trace`): the few fields of its protobuf messages that a build log needs, decoded by hand.

Field numbers are those of moby.buildkit.v1 StatusResponse: vertexes 1 (digest 1, name 3, cached 4, started 5, completed 6, error 7),
logs 3 (vertex 1, timestamp 2, stream 3, msg 4); a Timestamp has seconds 1 and nanos 2.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

__all__ = ["TraceLog", "Vertex", "decode", "fields"]


class Vertex(NamedTuple):
    """One step of a build; times are nanoseconds, 0 while unknown."""

    digest: str
    name: str
    cached: bool
    started_ns: int
    completed_ns: int
    error: str


class TraceLog(NamedTuple):
    """Output of one step."""

    vertex: str
    timestamp_ns: int
    stream: int
    data: bytes


def fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """(field number, value) of a protobuf message. Raises ValueError where it is cut off or no message."""
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        number, kind = key >> 3, key & 7
        if kind == 0:
            value, at = _varint(data, at)
            yield number, value
        elif kind == 2:
            size, at = _varint(data, at)
            if at + size > len(data):
                raise ValueError("the message is cut off")
            yield number, data[at : at + size]
            at += size
        elif kind in {1, 5}:
            size = 8 if kind == 1 else 4
            if at + size > len(data):
                raise ValueError("the message is cut off")
            yield number, data[at : at + size]
            at += size
        else:
            raise ValueError(f"wire type {kind} is not known")


def decode(data: bytes) -> Iterator[Vertex | TraceLog]:
    """The steps and outputs of one StatusResponse, in its order."""
    for number, value in fields(data):
        if number == 1 and isinstance(value, bytes):
            yield _vertex(value)
        elif number == 3 and isinstance(value, bytes):
            yield _log(value)


def _vertex(data: bytes) -> Vertex:
    found = dict(fields(data))
    return Vertex(
        _text(found.get(1)),
        _text(found.get(3)),
        bool(found.get(4, 0)),
        _time(found.get(5)),
        _time(found.get(6)),
        _text(found.get(7)),
    )


def _log(data: bytes) -> TraceLog:
    found = dict(fields(data))
    stream = found.get(3, 0)
    message = found.get(4, b"")
    return TraceLog(
        _text(found.get(1)),
        _time(found.get(2)),
        stream if isinstance(stream, int) else 0,
        message if isinstance(message, bytes) else b"",
    )


def _text(value: int | bytes | None) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else ""


def _time(value: int | bytes | None) -> int:
    if not isinstance(value, bytes):
        return 0
    found = dict(fields(value))
    seconds, nanos = found.get(1, 0), found.get(2, 0)
    return (seconds if isinstance(seconds, int) else 0) * 10**9 + (nanos if isinstance(nanos, int) else 0)


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if at >= len(data) or shift > 63:
            raise ValueError("the message is cut off")
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if not byte & 0x80:
            return value, at
        shift += 7
