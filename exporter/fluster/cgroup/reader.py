"""The figures of one cgroup through descriptors that stay open: a pass costs microseconds, and no path is walked.

A pass reads every file and parses only what changes from moment to moment; the rest is parsed when someone asks. Once the cgroup
is removed, what was read last stands.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from fluster.cgroup import v1, v2
from fluster.cgroup.group import JobCgroup
from fluster.cgroup.reading import Glance, Reading, pairs

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from fluster.cgroup.lookout import Lookout

__all__ = ["CgroupReader"]

_BYTES = 8192
"""More than any of the files holds."""


class CgroupReader:
    """Thread-safe: the sampling thread reads, and so does who collects the final figures.

    `lookout`: for jobs whose processes live in a cgroup below the job's, which someone else removes.
    """

    def __init__(self, group: JobCgroup, lookout: Lookout | None = None) -> None:
        version = group.hierarchy.version
        wanted = v1.FILES if version == 1 else v2.FILES
        self._glance: Callable[[Mapping[str, bytes]], Glance] = v1.glance if version == 1 else v2.glance
        self._parse: Callable[[Mapping[str, bytes], int], Reading] = v1.reading if version == 1 else v2.reading
        self._lock = threading.Lock()
        self._keys: list[str] = []
        self._files: list[int] = []
        self._raw: dict[str, bytes] = {}
        self._memory_seen = b""
        self._lookout = lookout if version == 1 else None
        self._watched: list[int] = []
        self._memory_directory = ""
        self._kills_below: dict[str, int] = {}
        for key, (controller, name) in wanted.items():
            directory = group.directories.get(controller)
            if directory is not None:
                self._open(key, f"{directory}/{name}")
        if self._lookout is not None and "oom" in self._keys:
            self._memory_directory = group.directories["memory"]
            self._watch_oom(self._lookout)

    def _open(self, key: str, path: str) -> None:
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return  # this kernel does not have it: the figure stays unknown
        try:
            self._raw[key] = os.pread(descriptor, _BYTES, 0)
        except OSError:  # EOPNOTSUPP: it has pressure accounting, and does none
            os.close(descriptor)
            return
        self._keys.append(key)
        self._files.append(descriptor)

    def _watch_oom(self, lookout: Lookout) -> None:
        """v1 counts a kill in the victim's own cgroup; an eventfd on the job's hears of those below, too, but not of each apart."""
        event = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        try:
            control = os.open(f"{self._memory_directory}/cgroup.event_control", os.O_WRONLY | os.O_CLOEXEC)
            try:
                os.write(control, f"{event} {self._files[self._keys.index('oom')]}".encode())
            finally:
                os.close(control)
        except OSError:
            os.close(event)
            return
        self._watched.append(event)
        lookout.add(event, self.look)
        self.look()

    def looked_at_closely(self) -> AbstractContextManager[None]:
        """While it lasts, nothing that only the cgroups below the job's own know is missed."""
        from contextlib import nullcontext  # the supervisor process of a job does without

        return self._lookout.closely(self.look) if self._lookout is not None else nullcontext()

    def look_when_ended(self, pid: int) -> None:
        """Look once more in the moment in which this process, the last of the job, has ended."""
        if self._lookout is None:
            return
        try:
            descriptor = os.pidfd_open(pid)
        except OSError:
            self.look()  # it is over already
            return
        with self._lock:
            self._watched.append(descriptor)
        self._lookout.add(descriptor, self.look)

    def look(self) -> None:
        """Take what only the cgroups below the job's own know, while they exist. Blocking for microseconds."""
        with self._lock:
            if not self._files:
                return
            try:
                with os.scandir(self._memory_directory) as entries:
                    below = [entry.name for entry in entries if entry.is_dir()]
                for name in below:
                    with open(f"{self._memory_directory}/{name}/memory.oom_control", "rb") as file:
                        self._kills_below[name] = pairs(file.read()).get("oom_kill", 0)
            except OSError:
                pass  # removed meanwhile: what was seen last stands
            self._keep_io(self._read("io"))

    def _read(self, key: str) -> bytes:
        try:
            return os.pread(self._files[self._keys.index(key)], _BYTES, 0)
        except (OSError, ValueError):
            return b""

    def _keep_io(self, text: bytes) -> None:
        """v1 forgets the bytes of a removed cgroup below: what was counted once stands."""
        have = self._raw.get("io", b"")
        if text != have and v1.io_total(text) > v1.io_total(have):
            self._raw["io"] = text

    def sample(self) -> Glance:
        """Read everything; what changes from moment to moment."""
        with self._lock:
            if not self._files:
                return self._glance(self._raw)
            try:
                raw = dict(zip(self._keys, [os.pread(each, _BYTES, 0) for each in self._files], strict=True))
            except OSError:
                return self._glance(self._raw)  # removed (ENODEV): what was read last stands
            if self._lookout is not None and "io" in raw:
                io, raw["io"] = raw["io"], self._raw.get("io", b"")
                self._raw = raw
                self._keep_io(io)
            else:
                self._raw = raw
            return self._glance(self._raw)

    def sample_memory(self) -> Glance | None:
        """Only what is cheap enough for ten times a second; None where memory is as it was, or gone.

        Who uses memory changes how much is used: while `usage` stays the same to the byte, the dear memory.stat is not read.
        """
        with self._lock:
            if self._keys[:2] != ["usage", "stat"]:
                return None
            try:
                usage = os.pread(self._files[0], _BYTES, 0)
                if usage == self._memory_seen:
                    return None
                raw = {"usage": usage, "stat": os.pread(self._files[1], _BYTES, 0)}
            except OSError:
                return None
            self._memory_seen = usage
            return self._glance(raw)

    def reading(self) -> Reading:
        """All that the last sample() read."""
        with self._lock:
            raw, kills_below = dict(self._raw), sum(self._kills_below.values())
        return self._parse(raw, kills_below)

    def close(self) -> None:
        """Idempotent. What was read last stands."""
        with self._lock:
            for descriptor in self._files:
                os.close(descriptor)
            self._keys, self._files = [], []
            watched, self._watched = self._watched, []
        for descriptor in watched:
            if self._lookout is not None:
                self._lookout.remove(descriptor)
            os.close(descriptor)
