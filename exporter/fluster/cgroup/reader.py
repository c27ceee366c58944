"""The figures of one cgroup through descriptors that stay open: a pass costs microseconds, and no path is walked.

A pass reads only what changes from moment to moment; the rest is read and parsed when someone asks, once for each pass at most.
Once the cgroup is removed, what was read last stands.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping

from fluster.cgroup import v1, v2
from fluster.cgroup.group import JobCgroup
from fluster.cgroup.reading import GLANCED, Glance, Reading

__all__ = ["CgroupReader"]

_BYTES = 8192
"""More than any of the files holds."""
_NUMBER_BYTES = 32
"""More than a file of one number holds: a buffer that costs nothing to get."""
_STAT_PASSES = 10
"""After so many passes memory.stat is read in any case: pages may have become inactive while usage stayed."""


class CgroupReader:
    """Thread-safe: the sampling thread reads, and so does who collects the final figures."""

    def __init__(self, group: JobCgroup) -> None:
        version = group.hierarchy.version
        wanted = v1.FILES if version == 1 else v2.FILES
        numbers = v1.NUMBERS if version == 1 else v2.NUMBERS
        self._glance: Callable[[Mapping[str, bytes]], Glance] = v1.glance if version == 1 else v2.glance
        self._parse: Callable[[Mapping[str, bytes], int], Reading] = v1.reading if version == 1 else v2.reading
        self._lock = threading.Lock()
        self._glanced: list[tuple[str, int, int]] = []
        """What every pass reads: key, descriptor and buffer size."""
        self._rest: list[tuple[str, int, int]] = []
        """What is read when it is asked for."""
        self._rest_read = False
        self._usage = self._stat = -1
        """Descriptors of what a look at memory reads; -1 where it is not there."""
        self._raw: dict[str, bytes] = {}
        self._memory_seen = self._stat_seen = b""
        """Usage at the last look at memory, and when memory.stat was read last by a full pass."""
        self._stat_passes = 0
        self._oom_event = -1
        self._oom_seen = 0
        for key, (controller, name) in wanted.items():
            directory = group.directories.get(controller)
            descriptor = -1 if directory is None else self._open(key, f"{directory}/{name}")
            if descriptor < 0:
                continue
            size = _NUMBER_BYTES if key in numbers else _BYTES
            (self._glanced if key in GLANCED else self._rest).append((key, descriptor, size))
        opened = {key: descriptor for key, descriptor, _ in (*self._glanced, *self._rest)}
        if {"usage", "stat"} <= opened.keys():
            self._usage, self._stat = opened["usage"], opened["stat"]
        if version == 1 and "oom" in opened:
            self._watch_oom(group.directories["memory"], opened["oom"])

    def _open(self, key: str, path: str) -> int:
        """The descriptor, -1 where this kernel does not have it: the figure stays unknown."""
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return -1
        try:
            self._raw[key] = os.pread(descriptor, _BYTES, 0)
        except OSError:  # EOPNOTSUPP: it has pressure accounting, and does none
            os.close(descriptor)
            return -1
        return descriptor

    def _watch_oom(self, directory: str, oom_control: int) -> None:
        """v1 counts a kill in the victim's own cgroup; an eventfd hears of those in children, an engine's container, too."""
        event = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        try:
            control = os.open(f"{directory}/cgroup.event_control", os.O_WRONLY | os.O_CLOEXEC)
            try:
                os.write(control, f"{event} {oom_control}".encode())
            finally:
                os.close(control)
        except OSError:
            os.close(event)
        else:
            self._oom_event = event

    def sample(self) -> Glance:
        """What changes from moment to moment.

        memory.stat costs as much as all the rest. Who uses memory changes how much is used: while `usage` stays the same to the
        byte it is read at every tenth pass only.
        """
        with self._lock:
            try:
                for key, descriptor, size in self._glanced:
                    if key != "stat" or self._stat_is_due():
                        self._raw[key] = os.pread(descriptor, size, 0)
            except OSError:
                pass  # removed (ENODEV): what was read last stands
            self._rest_read = False
            return self._glance(self._raw)

    def _stat_is_due(self) -> bool:
        """Asked after `usage` was read."""
        usage = self._raw.get("usage", b"")
        self._stat_passes += 1
        if usage == self._stat_seen and self._stat_passes < _STAT_PASSES:
            return False
        self._stat_seen, self._stat_passes = usage, 0
        return True

    def sample_memory(self) -> Glance | None:
        """Only what is cheap enough for ten times a second; None where memory is as it was, or gone."""
        with self._lock:
            if self._usage < 0:
                return None
            try:
                usage = os.pread(self._usage, _NUMBER_BYTES, 0)
                if usage == self._memory_seen:
                    return None
                raw = {"usage": usage, "stat": os.pread(self._stat, _BYTES, 0)}
            except OSError:
                return None
            self._memory_seen = usage
            return self._glance(raw)

    def reading(self) -> Reading:
        """What the last sample() read, and the rest as of now."""
        with self._lock:
            self._read_rest()
            raw, events = dict(self._raw), self._oom_events()
        return self._parse(raw, events)

    def _read_rest(self) -> None:
        if self._rest_read:
            return
        try:
            for key, descriptor, size in self._rest:
                self._raw[key] = os.pread(descriptor, size, 0)
        except OSError:
            pass  # as above
        self._rest_read = True

    def close(self) -> None:
        """Idempotent. What was read last stands."""
        with self._lock:
            self._read_rest()
            for _, descriptor, _ in (*self._glanced, *self._rest):
                os.close(descriptor)
            self._glanced, self._rest, self._usage = [], [], -1
            if self._oom_event >= 0:
                self._oom_events()
                os.close(self._oom_event)
                self._oom_event = -1

    def _oom_events(self) -> int:
        if self._oom_event >= 0:
            try:
                self._oom_seen += os.eventfd_read(self._oom_event)
            except BlockingIOError:
                pass
        return self._oom_seen
