"""Query parameters, checked: each error names its parameter and how to write it."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime
from typing import Final

from starlette.requests import Request

from fluster.errors import InvalidArgumentError
from fluster.job import JobState
from fluster.logs import SOURCES, LogFilter
from fluster.sizes import parse_duration
from fluster.web.errors import fields_named
from fluster.web.log_filter import check

__all__ = ["byte_range", "integer", "log_filter", "moment", "sources", "states"]

_RANGE: Final = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")
_RFC3339: Final = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+ -]\d\d:\d\d)?)?", re.ASCII | re.IGNORECASE
)
_STATES: Final = {state.label: state for state in JobState if state}


def integer(request: Request, name: str, *, default: int | None = None, low: int, high: int) -> int | None:
    text = request.query_params.get(name)
    if text is None or text == "":
        return default
    if not re.fullmatch(r"-?\d{1,15}", text, re.ASCII) or not low <= int(text) <= high:
        raise InvalidArgumentError(name, f"{text[:40]!r} is not a whole number from {low} to {high}")
    return int(text)


def states(request: Request) -> frozenset[JobState]:
    """`state=running,failed` or the parameter several times."""
    names = [each for value in request.query_params.getlist("state") for each in value.split(",") if each]
    for name in names:
        if name not in _STATES:
            raise InvalidArgumentError("state", f"{name[:40]!r} is none; use {', '.join(_STATES)}")
    return frozenset(_STATES[name] for name in names)


def sources(request: Request) -> frozenset[str]:
    """`source=stdout,stderr` or the parameter several times; `all` is no filter."""
    names = [each for value in request.query_params.getlist("source") for each in value.split(",") if each]
    for name in names:
        if name not in {*SOURCES, "all"}:
            raise InvalidArgumentError("source", f"{name[:40]!r} is none; use build, stdout or stderr")
    return frozenset() if "all" in names else frozenset(names)


def moment(request: Request, name: str) -> int | None:
    """Nanoseconds since the epoch: milliseconds since the epoch, RFC 3339, or a duration ago like 10m."""
    text = request.query_params.get(name)
    if not text:
        return None
    if re.fullmatch(r"\d{1,15}", text, re.ASCII):
        return int(text) * 1_000_000
    try:
        return time.time_ns() - int(parse_duration(text) * 1e9)
    except (ValueError, OverflowError):
        pass
    try:
        return _rfc3339(text)
    except (ValueError, OverflowError):
        raise InvalidArgumentError(
            name,
            f"{text[:40]!r} is no time; write milliseconds since the epoch, 2026-11-23T17:08:51Z, or 10m for ten minutes ago",
        ) from None


def _rfc3339(text: str) -> int:
    """Exact to the nanosecond, as the log's own times are. A zone that is left out is UTC; ' ' before it is a '+' that a form ate."""
    match = _RFC3339.fullmatch(text)
    if not match:
        raise ValueError(text)
    day, clock, fraction, zone = match.groups()
    found = datetime.fromisoformat(f"{day}T{clock or '00:00:00'}{(zone or 'Z').upper().replace(' ', '+')}")
    since_epoch = found.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    return (since_epoch.days * 86400 + since_epoch.seconds) * 10**9 + int((fraction or "").ljust(9, "0"))


def log_filter(request: Request, *, resume: str = "") -> LogFilter:
    """The filter of a log query; `resume` is a cursor that wins over the parameter."""
    wanted = LogFilter(
        sources=sources(request),
        since_ns=moment(request, "since"),
        until_ns=moment(request, "until"),
        regex=request.query_params.get("grep") or None,
        start_line=integer(request, "start", low=-(10**12), high=10**12),
        max_lines=integer(request, "limit", low=1, high=10_000),
        tail=integer(request, "tail", low=0, high=10_000),
        cursor=resume or request.query_params.get("cursor", ""),
    )
    with fields_named({"regex": "grep"}):
        check(wanted)
    return wanted


def byte_range(header: str | None, size: int) -> range | None:
    """The one range that a Range header asks for; empty where there are no such bytes, None where all are to be sent."""
    match = _RANGE.fullmatch(header.strip()) if header else None
    if not match or not (match[1] or match[2]) or (match[1] and match[2] and int(match[2]) < int(match[1])):
        return None  # several, other units, nonsense: a server may ignore them
    if not match[1]:
        return range(max(size - int(match[2]), 0), size)
    return range(int(match[1]), min(int(match[2]) + 1, size) if match[2] else size)
