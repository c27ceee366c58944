"""The files of cgroup v1 and what stands in them (Documentation/admin-guide/cgroup-v1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from fluster.cgroup.reading import Glance, Reading, number, pairs, value_after

__all__ = ["FILES", "NUMBERS", "glance", "io_total", "reading"]

FILES: Final = {
    "usage": ("memory", "memory.usage_in_bytes"),
    "stat": ("memory", "memory.stat"),
    "cpu": ("cpuacct", "cpuacct.usage"),
    "pids": ("pids", "pids.current"),
    "peak": ("memory", "memory.max_usage_in_bytes"),
    "hits": ("memory", "memory.failcnt"),
    "hits_swap": ("memory", "memory.memsw.failcnt"),
    "oom": ("memory", "memory.oom_control"),
    "cpu_user": ("cpuacct", "cpuacct.usage_user"),
    "cpu_system": ("cpuacct", "cpuacct.usage_sys"),
    "throttling": ("cpu", "cpu.stat"),
    "pids_peak": ("pids", "pids.peak"),
    "io": ("blkio", "blkio.throttle.io_service_bytes_recursive"),
}
"""Key -> controller and file name."""
NUMBERS: Final = frozenset({"usage", "cpu", "pids", "peak", "hits", "hits_swap", "cpu_user", "cpu_system", "pids_peak"})
"""Files that hold one number."""
_STAT: Final = tuple(f"\ntotal_{name} ".encode() for name in ("inactive_file", "rss", "cache"))


def glance(raw: Mapping[str, bytes]) -> Glance:
    usage, text = number(raw.get("usage")), raw.get("stat", b"")
    inactive = value_after(text, b"\ntotal_inactive_file ")
    return Glance(
        number(raw.get("cpu")),
        usage,
        None if usage is None or inactive is None else max(usage - inactive, 0),
        value_after(text, b"\ntotal_rss "),
        number(raw.get("pids")),
    )


def reading(raw: Mapping[str, bytes], kills_below: int) -> Reading:
    """`kills_below`: kills for memory in the cgroups below this one, which its own file does not count."""
    inactive, anon, cache = (value_after(raw.get("stat", b""), key) for key in _STAT)
    throttling = pairs(raw.get("throttling"))
    user, system = _split(number(raw.get("cpu")), number(raw.get("cpu_user")), number(raw.get("cpu_system")))
    read, written = _io(raw.get("io"))
    oom_kills = pairs(raw.get("oom")).get("oom_kill")
    return Reading(
        memory_usage=number(raw.get("usage")),
        memory_inactive_file=inactive,
        memory_anon=anon,
        memory_cache=cache,
        memory_peak=number(raw.get("peak")),
        memory_limit_hits=_hits(raw),
        oom_kills=None if oom_kills is None else oom_kills + kills_below,
        cpu_user_ns=user,
        cpu_system_ns=system,
        cpu_periods=throttling.get("nr_periods"),
        cpu_throttled_periods=throttling.get("nr_throttled"),
        cpu_throttled_ns=throttling.get("throttled_time"),
        pids_current=number(raw.get("pids")),
        pids_peak=number(raw.get("pids_peak")),
        io_read=read,
        io_written=written,
    )


def _split(total: int | None, user: int | None, system: int | None) -> tuple[int | None, int | None]:
    """The kernel keeps the exact total and estimates the modes from ticks: scale them so that they add up to the total."""
    if total is None:
        return None, None
    if user is None or system is None or user + system == 0:
        return total, 0
    scaled = total * user // (user + system)
    return scaled, total - scaled


def _hits(raw: Mapping[str, bytes]) -> int | None:
    """Memory with swap is charged first: what is refused there is not counted again without."""
    known = [each for each in (number(raw.get("hits")), number(raw.get("hits_swap"))) if each is not None]
    return sum(known) if known else None


def io_total(text: bytes) -> int:
    """All bytes of all devices."""
    return sum(_io(text))  # type: ignore[arg-type] # a text is no None


def _io(text: bytes | None) -> tuple[int | None, int | None]:
    if text is None:
        return None, None
    read = written = 0
    for line in text.decode("ascii", "replace").splitlines():
        words = line.split()
        if len(words) == 3:
            read += int(words[2]) if words[1] == "Read" else 0
            written += int(words[2]) if words[1] == "Write" else 0
    return read, written
