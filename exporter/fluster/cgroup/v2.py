"""The files of cgroup v2 and what stands in them (Documentation/admin-guide/cgroup-v2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from fluster.cgroup.reading import Glance, Reading, number, pairs, value_after

__all__ = ["FILES", "NUMBERS", "glance", "reading"]

FILES: Final = {
    "usage": ("", "memory.current"),
    "stat": ("", "memory.stat"),
    "cpu": ("", "cpu.stat"),
    "pids": ("", "pids.current"),
    "peak": ("", "memory.peak"),
    "events": ("", "memory.events"),
    "pids_peak": ("", "pids.peak"),
    "io": ("", "io.stat"),
    "pressure_cpu": ("", "cpu.pressure"),
    "pressure_memory": ("", "memory.pressure"),
    "pressure_io": ("", "io.pressure"),
}
"""Key -> controller (there is one tree) and file name."""
NUMBERS: Final = frozenset({"usage", "pids", "peak", "pids_peak"})
"""Files that hold one number."""
_STAT: Final = (b"\ninactive_file ", b"\nanon ", b"\nfile ")


def glance(raw: Mapping[str, bytes]) -> Glance:
    usage, text = number(raw.get("usage")), b"\n" + raw.get("stat", b"")
    inactive = value_after(text, b"\ninactive_file ")
    return Glance(
        _thousandfold(value_after(raw.get("cpu", b""), b"usage_usec ")),
        usage,
        None if usage is None or inactive is None else max(usage - inactive, 0),
        value_after(text, b"\nanon "),
        number(raw.get("pids")),
    )


def reading(raw: Mapping[str, bytes], _kills_below: int = 0) -> Reading:
    """Nothing has to be added here: memory.events counts kills below this cgroup, too."""
    text = b"\n" + raw.get("stat", b"")
    inactive, anon, cache = (value_after(text, key) for key in _STAT)
    events, cpu = pairs(raw.get("events")), pairs(raw.get("cpu"))
    read, written = _io(raw.get("io"))
    return Reading(
        memory_usage=number(raw.get("usage")),
        memory_inactive_file=inactive,
        memory_anon=anon,
        memory_cache=cache,
        memory_peak=number(raw.get("peak")),
        memory_limit_hits=events.get("max"),
        oom_kills=events.get("oom_kill"),
        cpu_user_ns=_thousandfold(cpu.get("user_usec")),
        cpu_system_ns=_thousandfold(cpu.get("system_usec")),
        cpu_periods=cpu.get("nr_periods"),
        cpu_throttled_periods=cpu.get("nr_throttled"),
        cpu_throttled_ns=_thousandfold(cpu.get("throttled_usec")),
        pids_current=number(raw.get("pids")),
        pids_peak=number(raw.get("pids_peak")),
        io_read=read,
        io_written=written,
        pressure_cpu_us=_pressure(raw.get("pressure_cpu")),
        pressure_memory_us=_pressure(raw.get("pressure_memory")),
        pressure_io_us=_pressure(raw.get("pressure_io")),
    )


def _pressure(text: bytes | None) -> int | None:
    """Microseconds in which at least one task waited ("some")."""
    for line in (text or b"").split(b"\n"):
        if line.startswith(b"some "):
            return int(line.rsplit(b"total=", 1)[1])
    return None


def _io(text: bytes | None) -> tuple[int | None, int | None]:
    if text is None:
        return None, None
    read = written = 0
    for word in text.decode("ascii", "replace").split():
        key, _, value = word.partition("=")
        read += int(value) if key == "rbytes" else 0
        written += int(value) if key == "wbytes" else 0
    return read, written


def _thousandfold(value: int | None) -> int | None:
    return None if value is None else value * 1000
