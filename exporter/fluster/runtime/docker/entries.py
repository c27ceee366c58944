"""What the engine kept of a container's output, on its way into the log."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Chunk", "Lines"]


class Chunk(NamedTuple):
    """Some bytes of one stream, its newlines as the job wrote them. `timestamp_ns` is the engine's."""

    stream: str
    timestamp_ns: int
    data: bytes


class Lines(NamedTuple):
    """Whole lines of both streams, in order, ready as CRI text.

    `stdout` and `stderr` are lines and bytes, newlines counted; `first_ns` and `last_ns` the lowest and the highest time.
    `ends` says for each stream in it how many bytes have its last time; empty where nobody asks for it.
    """

    text: bytes
    stdout: tuple[int, int]
    stderr: tuple[int, int]
    first_ns: int
    last_ns: int
    ends: tuple[tuple[str, int, int], ...] = ()
