"""The test of a log filter before anything is read: both doors refuse a bad one before a stream begins."""

from __future__ import annotations

from fluster.logs import LogFilter
from fluster.logs.matcher import Matcher
from fluster.logs.position import parse_cursor

__all__ = ["check"]


def check(wanted: LogFilter) -> None:
    """Raises InvalidArgumentError for a bad source, regex or cursor; its field is "source", "regex" or "cursor"."""
    Matcher(wanted)
    if wanted.cursor:
        parse_cursor(wanted.cursor)
