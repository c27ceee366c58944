"""What was written to a log, kept in a small file beside it: whoever wants the counts of a live log reads 64 bytes, not the log."""

from __future__ import annotations

import os
import struct
from typing import NamedTuple

__all__ = ["Counts", "counts_path", "dump_counts", "parse_counts", "read_counts"]

_LAYOUT = struct.Struct("<4sI7q")
_MAGIC = b"FLC1"


class Counts(NamedTuple):
    """Lines and bytes (newlines included) by stream; `size` is the log file's size that the counts stand for."""

    size: int = 0
    stdout_lines: int = 0
    stdout_bytes: int = 0
    stderr_lines: int = 0
    stderr_bytes: int = 0
    dropped_lines: int = 0
    last_timestamp_ns: int = 0


def counts_path(path: str | os.PathLike[str]) -> str:
    """`.job.log.counts` beside `job.log`: hidden, so that no agent's `*.log` takes it."""
    head, slash, tail = os.fspath(path).rpartition("/")
    return f"{head}{slash}.{tail}.counts"


def dump_counts(counts: Counts) -> bytes:
    return _LAYOUT.pack(_MAGIC, 0, *counts)


def parse_counts(data: bytes) -> Counts | None:
    """None where these are none."""
    try:
        magic, _, *numbers = _LAYOUT.unpack_from(data)
    except struct.error:
        return None
    return Counts(*numbers) if magic == _MAGIC else None


def read_counts(path: str | os.PathLike[str]) -> Counts | None:
    """The counts of the log at `path`; None where there are none yet, or none that can be read."""
    try:
        descriptor = os.open(counts_path(path), os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        return parse_counts(os.read(descriptor, _LAYOUT.size))
    except OSError:
        return None
    finally:
        os.close(descriptor)
