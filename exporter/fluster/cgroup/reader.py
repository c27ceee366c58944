"""The figures of one cgroup through descriptors that stay open: a reading costs microseconds, and no path is walked.

Once the cgroup is removed a reading gives what was known last.
"""

from __future__ import annotations

import os
from typing import NamedTuple

from fluster.cgroup.group import JobCgroup

__all__ = ["CgroupReader", "Reading"]


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


_V1_FILES = {
    "usage": ("memory", "memory.usage_in_bytes"),
    "stat": ("memory", "memory.stat"),
    "peak": ("memory", "memory.max_usage_in_bytes"),
    "hits": ("memory", "memory.failcnt"),
    "oom": ("memory", "memory.oom_control"),
    "cpu": ("cpuacct", "cpuacct.usage"),
    "cpu_user": ("cpuacct", "cpuacct.usage_user"),
    "cpu_system": ("cpuacct", "cpuacct.usage_sys"),
    "throttling": ("cpu", "cpu.stat"),
    "pids": ("pids", "pids.current"),
    "pids_peak": ("pids", "pids.peak"),
    "io": ("blkio", "blkio.throttle.io_service_bytes_recursive"),
}
_V2_FILES = {
    "usage": ("", "memory.current"),
    "stat": ("", "memory.stat"),
    "peak": ("", "memory.peak"),
    "events": ("", "memory.events"),
    "cpu": ("", "cpu.stat"),
    "pids": ("", "pids.current"),
    "pids_peak": ("", "pids.peak"),
    "io": ("", "io.stat"),
    "pressure_cpu": ("", "cpu.pressure"),
    "pressure_memory": ("", "memory.pressure"),
    "pressure_io": ("", "io.pressure"),
}


class CgroupReader:
    """Readings of one cgroup. Not thread-safe."""

    def __init__(self, group: JobCgroup) -> None:
        self._version = group.hierarchy.version
        self._last = Reading()
        self._oom_event = -1
        self._oom_seen = 0
        self._files: dict[str, int] = {}
        for key, (controller, name) in (_V1_FILES if self._version == 1 else _V2_FILES).items():
            directory = group.directories.get(controller)
            if directory is None:
                continue
            try:
                self._files[key] = os.open(f"{directory}/{name}", os.O_RDONLY | os.O_CLOEXEC)
            except OSError:
                continue  # this kernel does not have it: the figure stays unknown
        if self._version == 1:
            self._watch_oom(group.directories["memory"])

    def _watch_oom(self, directory: str) -> None:
        """v1 counts a kill in the victim's own cgroup; an eventfd hears of those in children, an engine's container, too."""
        if "oom" not in self._files:
            return
        event = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        try:
            control = os.open(f"{directory}/cgroup.event_control", os.O_WRONLY | os.O_CLOEXEC)
            try:
                os.write(control, f"{event} {self._files['oom']}".encode())
            finally:
                os.close(control)
        except OSError:
            os.close(event)
        else:
            self._oom_event = event

    def read(self) -> Reading:
        """All that is known now."""
        try:
            self._last = self._read_v1() if self._version == 1 else self._read_v2()
        except OSError:
            pass  # removed (ENODEV): the last reading stands
        return self._last

    def read_memory(self) -> tuple[int, int] | None:
        """(working set, anonymous) in bytes; None once the cgroup is gone."""
        try:
            usage = int(self._text("usage"))
            stat = _pairs(self._text("stat"))
        except (OSError, KeyError, ValueError):
            return None
        if self._version == 1:
            return max(usage - stat.get("total_inactive_file", 0), 0), stat.get("total_rss", 0)
        return max(usage - stat.get("inactive_file", 0), 0), stat.get("anon", 0)

    def close(self) -> None:
        """Idempotent."""
        for descriptor in self._files.values():
            os.close(descriptor)
        self._files.clear()
        if self._oom_event >= 0:
            os.close(self._oom_event)
            self._oom_event = -1

    def _text(self, key: str) -> bytes:
        return os.pread(self._files[key], 16384, 0)

    def _number(self, key: str) -> int | None:
        if key not in self._files:
            return None
        text = self._text(key).strip()
        return int(text) if text.isdigit() else None

    def _table(self, key: str) -> dict[str, int]:
        return _pairs(self._text(key)) if key in self._files else {}

    def _read_v1(self) -> Reading:
        stat = self._table("stat")
        throttling = self._table("throttling")
        user, system = _split(self._number("cpu"), self._number("cpu_user"), self._number("cpu_system"))
        read, written = _v1_io(self._text("io")) if "io" in self._files else (None, None)
        return Reading(
            memory_usage=self._number("usage"),
            memory_inactive_file=stat.get("total_inactive_file"),
            memory_anon=stat.get("total_rss"),
            memory_cache=stat.get("total_cache"),
            memory_peak=self._number("peak"),
            memory_limit_hits=self._number("hits"),
            oom_kills=self._oom_kills(),
            cpu_user_ns=user,
            cpu_system_ns=system,
            cpu_periods=throttling.get("nr_periods"),
            cpu_throttled_periods=throttling.get("nr_throttled"),
            cpu_throttled_ns=throttling.get("throttled_time"),
            pids_current=self._number("pids"),
            pids_peak=self._number("pids_peak"),
            io_read=read,
            io_written=written,
        )

    def _read_v2(self) -> Reading:
        stat, events, cpu = self._table("stat"), self._table("events"), self._table("cpu")
        read, written = _v2_io(self._text("io")) if "io" in self._files else (None, None)
        return Reading(
            memory_usage=self._number("usage"),
            memory_inactive_file=stat.get("inactive_file"),
            memory_anon=stat.get("anon"),
            memory_cache=stat.get("file"),
            memory_peak=self._number("peak"),
            memory_limit_hits=events.get("max"),
            oom_kills=events.get("oom_kill"),
            cpu_user_ns=_thousandfold(cpu.get("user_usec")),
            cpu_system_ns=_thousandfold(cpu.get("system_usec")),
            cpu_periods=cpu.get("nr_periods"),
            cpu_throttled_periods=cpu.get("nr_throttled"),
            cpu_throttled_ns=_thousandfold(cpu.get("throttled_usec")),
            pids_current=self._number("pids"),
            pids_peak=self._number("pids_peak"),
            io_read=read,
            io_written=written,
            pressure_cpu_us=self._pressure("pressure_cpu"),
            pressure_memory_us=self._pressure("pressure_memory"),
            pressure_io_us=self._pressure("pressure_io"),
        )

    def _oom_kills(self) -> int | None:
        if "oom" not in self._files:
            return None
        if self._oom_event >= 0:
            try:
                self._oom_seen += os.eventfd_read(self._oom_event)
            except BlockingIOError:
                pass
        return max(self._oom_seen, self._table("oom").get("oom_kill", 0))

    def _pressure(self, key: str) -> int | None:
        """Microseconds in which at least one task waited ("some")."""
        if key not in self._files:
            return None
        try:
            text = self._text(key)
        except OSError:  # EOPNOTSUPP: pressure accounting is off
            return None
        for line in text.split(b"\n"):
            if line.startswith(b"some "):
                return int(line.rsplit(b"total=", 1)[1])
        return None


def _pairs(text: bytes) -> dict[str, int]:
    words = text.decode("ascii").split()
    return {words[at]: int(words[at + 1]) for at in range(0, len(words) - 1, 2) if words[at + 1].isdigit()}


def _split(total: int | None, user: int | None, system: int | None) -> tuple[int | None, int | None]:
    """v1 keeps the exact total and estimates the modes from ticks: scale them so that they add up to the total."""
    if total is None:
        return None, None
    if user is None or system is None or user + system == 0:
        return total, 0
    scaled = total * user // (user + system)
    return scaled, total - scaled


def _thousandfold(value: int | None) -> int | None:
    return None if value is None else value * 1000


def _v1_io(text: bytes) -> tuple[int, int]:
    read = written = 0
    for line in text.decode("ascii").splitlines():
        words = line.split()
        if len(words) == 3:
            read += int(words[2]) if words[1] == "Read" else 0
            written += int(words[2]) if words[1] == "Write" else 0
    return read, written


def _v2_io(text: bytes) -> tuple[int, int]:
    read = written = 0
    for word in text.decode("ascii").split():
        key, _, value = word.partition("=")
        read += int(value) if key == "rbytes" else 0
        written += int(value) if key == "wbytes" else 0
    return read, written
