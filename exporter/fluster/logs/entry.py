"""What is asked of a log and what comes back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

from fluster.logs.position import Position

__all__ = ["DEFAULT_LINES", "MAX_LINES", "SOURCES", "LogEntry", "LogFilter", "LogPage"]

SOURCES: Final = ("build", "stdout", "stderr")
DEFAULT_LINES: Final = 1000
MAX_LINES: Final = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class LogFilter:
    """Applied in the order source, time, regex, then line window."""

    sources: frozenset[str] = frozenset()
    """Any of "build", "stdout", "stderr"; empty is all."""
    since_ns: int | None = None
    """Entries at or after this time, UTC nanoseconds."""
    until_ns: int | None = None
    """Entries before this time."""
    regex: str | None = None
    """RE2 syntax, found anywhere in the text; linear in time whatever it says."""
    start_line: int | None = None
    """Skip so many lines of what is left; negative: start that many from the end."""
    max_lines: int | None = None
    tail: int | None = None
    """Only the last so many of what is left."""
    cursor: str = ""
    """Go on after the entry that carried this; start_line and tail then mean nothing."""


class LogEntry(NamedTuple):
    """One line of a log, its parts joined. `data` has no newline."""

    timestamp_ns: int
    source: str
    data: bytes
    sequence: int
    """0-based place in the job's whole log: build.log, then job.log. Lines that are not kept any more count, too."""
    after: Position
    truncated: bool = False
    """Not the whole line: it goes on in the next entry, or its beginning or its end is lost."""
    dropped: int = 0
    """Lines that are missing right before this one."""

    @property
    def cursor(self) -> str:
        """The position after this entry."""
        return self.after.cursor()

    @property
    def goes_on(self) -> bool:
        """The line has no end yet: the next entry of its source belongs to it, unless lines are missing before that one."""
        return self.after.sequence == self.sequence


@dataclass(frozen=True, slots=True)
class LogPage:
    """`next_cursor` is empty where nothing more is known to come."""

    entries: list[LogEntry]
    next_cursor: str
