"""Places in a job's log, and their opaque form: the cursor. They stay right while the log grows."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from fluster.errors import InvalidArgumentError

__all__ = ["START", "Position", "parse_cursor"]

_CURSOR: Final = re.compile(r"([bj])([0-9a-f]{1,15})-([0-9a-f]{1,15})-([0-9a-f]{1,15})")


class Position(NamedTuple):
    """Before the entry number `sequence`, which ends after byte `after` of the file."""

    file: str
    """"b" for build.log, "j" for job.log."""
    scan: int
    """Where reading has to begin: earlier than `after` while a line of either stream is still in parts."""
    after: int
    sequence: int

    def cursor(self) -> str:
        return f"{self.file}{self.scan:x}-{self.after:x}-{self.sequence:x}"


START: Final = Position("b", 0, 0, 0)


def parse_cursor(text: str) -> Position:
    """Raises InvalidArgumentError for anything that is not a cursor."""
    match = _CURSOR.fullmatch(text)
    if not match or int(match[2], 16) > int(match[3], 16):
        raise InvalidArgumentError(
            "cursor", "it is not one that this worker gave; leave it out to start at the beginning"
        )
    return Position(match[1], int(match[2], 16), int(match[3], 16), int(match[4], 16))
