"""The test of a log filter before anything is read: both doors refuse a bad one before a stream begins."""

from __future__ import annotations

from fluster.logs import LogFilter
from fluster.logs.position import parse_cursor
from fluster.logs.query import matcher

__all__ = ["check"]


def check(wanted: LogFilter) -> None:
    """Raises InvalidArgumentError for a bad source, regex or cursor; its field is "source", "regex" or "cursor"."""
    matcher(wanted)
    if wanted.cursor:
        parse_cursor(wanted.cursor)
