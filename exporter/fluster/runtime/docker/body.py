"""The body of an engine's endless answer, read in gulps."""

from __future__ import annotations

import select
import time
from collections.abc import Iterator
from http.client import HTTPException
from typing import Any, Final

import requests

__all__ = ["BodyReader"]

_BLOCK: Final = 256 * 1024
"""So much is given at once."""
_READ: Final = 64 * 1024
"""The room for one read; a larger one costs more to make than it saves."""
_ROUND_SECONDS: Final = 0.001
"""Between two reads, so that one has more than a line. Never longer: the engine would wait for its reader, and the job for the engine."""
_ROUNDS: Final = 8
"""So many reads are written at once, if more keeps coming."""


class BodyReader:
    """Reads the body below the libraries, which give at most one HTTP chunk, and that is one frame, a call."""

    def __init__(self, response: requests.Response) -> None:
        answer: Any = response.raw._fp  # noqa: SLF001 # no public way through urllib3
        self.chunked: bool = answer.chunked
        """What is read still is in HTTP's chunks."""
        self._source: Any = answer.fp if answer.chunked else answer
        self._more = select.poll()
        self._pieces: Iterator[bytes] | None = None
        try:
            self._more.register(answer.fp.fileno(), select.POLLIN)
            self._source.read1  # noqa: B018 # is there one?
        except (AttributeError, OSError):  # a tunnel's own file
            self.chunked, self._pieces = False, response.raw.stream(_BLOCK)

    def read(self) -> bytes:
        """Wait for some bytes; all that are there, and a little more where more is coming. b"" at the end, which may be a break."""
        if self._pieces is not None:
            return next(self._pieces, b"")
        data = self._read()
        if not data:
            return data
        found, size = [data], len(data)
        for _ in range(_ROUNDS):
            time.sleep(_ROUND_SECONDS)
            if size >= _BLOCK or not self._more.poll(0) or not (data := self._read()):
                break
            found.append(data)
            size += len(data)
        return b"".join(found)

    def _read(self) -> bytes:
        try:
            return bytes(self._source.read1(_READ))
        except (OSError, ValueError, HTTPException):
            return b""  # it broke off, or was cut
