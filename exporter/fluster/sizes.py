"""Sizes and durations as people write them: `512m`, `1.5g`, `2GiB`, `90s`, `1h30m`.

A bare number is refused: nobody can tell bytes from mebibytes, or seconds from minutes.
Single letters and `KiB`-style units are powers of 1024, as `docker run --memory` has them; `kB`-style units are powers of 1000.
"""

from __future__ import annotations

import re
from typing import Final

__all__ = ["format_bytes", "format_duration", "parse_duration", "parse_size"]

_SIZE: Final = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([A-Za-z]*)\s*", re.ASCII)
_UNITS: Final = {
    "b": 1,
    **{f"{letter}{tail}": 1024**power for power, letter in enumerate("kmgt", 1) for tail in ("", "i", "ib")},
    **{f"{letter}b": 1000**power for power, letter in enumerate("kmgt", 1)},
}
_DURATION_PART: Final = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)", re.ASCII)
_SECONDS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_MAX_SIZE: Final = 2**63 - 1


def parse_size(text: str) -> int:
    """Bytes of `text`. Raises ValueError with a sentence that says how to write it."""
    match = _SIZE.fullmatch(text)
    if not match:
        raise ValueError(f"{text!r} is not a size; write it like 512m, 1.5g or 2GiB")
    number, unit = match[1], match[2].lower()
    if not unit:
        raise ValueError(f"{text!r} has no unit; write {number.strip()}m or {number.strip()}MiB for mebibytes")
    if unit not in _UNITS:
        raise ValueError(f"{text!r} has the unknown unit {match[2]!r}; use b, k, m, g or t, or KiB, MiB, GiB, TiB")
    size: int = round(float(number) * _UNITS[unit])
    if not 0 < size <= _MAX_SIZE:
        raise ValueError(f"{text!r} is out of range; a size is at least one byte and below 8 EiB")
    return size


def parse_duration(text: str) -> float:
    """Seconds of `text`. Raises ValueError with a sentence that says how to write it."""
    compact = text.replace(" ", "")
    parts = _DURATION_PART.findall(compact)
    if not parts or "".join(number + unit for number, unit in parts) != compact:
        raise ValueError(f"{text!r} is not a duration; write it like 90s, 10m or 1h30m")
    return sum(float(number) * _SECONDS[unit] for number, unit in parts)


def format_bytes(size: float) -> str:
    """`1.5 GiB`: three significant digits at most, the largest unit that keeps the number at or above 1."""
    value = float(size)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if abs(value) < 1024:
            return f"{value:.0f} {unit}" if unit == "B" or abs(value) >= 100 else f"{value:.1f} {unit}"
        value /= 1024
    return f"{value:.1f} TiB"


def format_duration(seconds: float) -> str:
    """`85 ms`, `3.2 s`, `3 min 12 s`, `2 h 5 min`, `3 d 4 h`: two units at most."""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    for size, big, small_size, small in ((86400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s")):
        if whole >= size:
            rest = whole % size // small_size
            return f"{whole // size} {big} {rest} {small}" if rest else f"{whole // size} {big}"
    return f"{whole} s"
