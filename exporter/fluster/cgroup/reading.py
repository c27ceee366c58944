"""What the kernel tells of one cgroup: the full account, and the glance that is taken at every pass."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Glance", "Reading", "number", "pairs", "value_after"]


class Glance(NamedTuple):
    """The few figures that change from moment to moment: nanoseconds, bytes, counts; None where the kernel does not tell."""

    cpu_ns: int | None = None
    memory_usage: int | None = None
    memory_working_set: int | None = None
    memory_anon: int | None = None
    pids_current: int | None = None


class Reading(NamedTuple):
    """Bytes, nanoseconds and counts of a cgroup and all below it; None where the kernel does not tell."""

    memory_usage: int | None = None
    memory_inactive_file: int | None = None
    memory_anon: int | None = None
    memory_cache: int | None = None
    memory_peak: int | None = None
    memory_limit_hits: int | None = None
    oom_kills: int | None = None
    cpu_user_ns: int | None = None
    cpu_system_ns: int | None = None
    cpu_periods: int | None = None
    cpu_throttled_periods: int | None = None
    cpu_throttled_ns: int | None = None
    pids_current: int | None = None
    pids_peak: int | None = None
    io_read: int | None = None
    io_written: int | None = None
    pressure_cpu_us: int | None = None
    pressure_memory_us: int | None = None
    pressure_io_us: int | None = None


def number(text: bytes | None) -> int | None:
    """A file of one number; None where it is missing or says something else ("max")."""
    return int(text) if text and text.strip().isdigit() else None


def pairs(text: bytes | None) -> dict[str, int]:
    """A file of lines `key number`."""
    words = (text or b"").decode("ascii", "replace").split()
    return {words[at]: int(words[at + 1]) for at in range(0, len(words) - 1, 2) if words[at + 1].isdigit()}


def value_after(text: bytes, key: bytes) -> int | None:
    r"""The number after `key` (`b"\nanon "`) in a file of such lines: without splitting the rest of it."""
    at = text.find(key)
    if at < 0:
        return None
    at += len(key)
    return int(text[at : text.find(b"\n", at)])
