"""The figures of one cgroup through descriptors that stay open: a pass costs microseconds, and no path is walked.

A pass over a job that does something reads every file and parses only what changes from moment to moment; the rest is parsed when
someone asks. Once the cgroup is removed, what was read last stands.
"""

from __future__ import annotations

import errno
import os
import threading
import time
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
_NUMBER_BYTES = 32
"""More than a file of one number holds: a buffer that costs nothing to get."""
_THOROUGH_SECONDS = 10.0
"""After so long everything is read, whatever it looks like: pages become inactive while usage stays, writes reach a disk late."""
_ABSENT = frozenset({errno.ENOENT, errno.EOPNOTSUPP, errno.EACCES, errno.EPERM, errno.ENODEV})
"""This kernel has no such file, keeps no such account, does not show it to us; the cgroup is just being removed."""
_FULL = frozenset({errno.EMFILE, errno.ENFILE})
"""This process, or the machine, has no descriptor left."""


class CgroupReader:
    """Thread-safe: the sampling thread reads, and so does who collects the final figures.

    `lookout`: for jobs whose processes live in a cgroup below the job's, which someone else removes. Raises OSError where its files
    cannot be opened though they are there, as without descriptors; nothing is left open then. `clock` is monotonic seconds.
    """

    def __init__(
        self, group: JobCgroup, lookout: Lookout | None = None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        version = group.hierarchy.version
        wanted, numbers = (v1.FILES, v1.NUMBERS) if version == 1 else (v2.FILES, v2.NUMBERS)
        self._glance: Callable[[Mapping[str, bytes]], Glance] = v1.glance if version == 1 else v2.glance
        self._parse: Callable[[Mapping[str, bytes], int], Reading] = v1.reading if version == 1 else v2.reading
        self._lock = threading.Lock()
        self._files: dict[str, tuple[int, int]] = {}
        """Descriptor and buffer size of each file that this kernel has."""
        self._rest: list[tuple[str, int, int]] = []
        """Key, descriptor and buffer size of what is read after CPU time, usage and memory.stat."""
        self._raw: dict[str, bytes] = {}
        """Never changed, but replaced: `_parsed` stands as long as it is the same."""
        self._parsed = Reading()
        self._parsed_raw: dict[str, bytes] | None = None
        self._parsed_kills = 0
        self._clock = clock
        self._thorough_at = clock()
        """When everything was read the last time."""
        self._memory_seen = b""
        """Usage at the last look at memory."""
        self._lookout = lookout if version == 1 else None
        self._watched: list[int] = []
        self._memory_directory = ""
        self._kills_below: dict[str, int] = {}
        try:
            for key, (controller, name) in wanted.items():
                directory = group.directories.get(controller)
                if directory is not None:
                    self._open(key, f"{directory}/{name}", _NUMBER_BYTES if key in numbers else _BYTES)
            self._rest = [(key, *file) for key, file in self._files.items() if key not in {"cpu", "usage", "stat"}]
            self._glanced = self._glance(self._raw)
            if self._lookout is not None and "oom" in self._files:
                self._memory_directory = group.directories["memory"]
                self._watch_oom(self._lookout)
        except BaseException:
            self.close()
            raise

    def _open(self, key: str, path: str, size: int) -> None:
        """What is absent stays unknown. Raises OSError where it is there and cannot be opened."""
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            self._files[key] = (descriptor, size)
            self._raw[key] = os.pread(descriptor, size, 0)
        except OSError as error:
            if error.errno not in _ABSENT:
                raise
            if key in self._files:
                os.close(self._files.pop(key)[0])

    def _watch_oom(self, lookout: Lookout) -> None:
        """v1 counts a kill in the victim's own cgroup; an eventfd on the job's hears of those below, too, but not of each apart."""
        event = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._watched.append(event)
        try:
            control = os.open(f"{self._memory_directory}/cgroup.event_control", os.O_WRONLY | os.O_CLOEXEC)
            try:
                os.write(control, f"{event} {self._files['oom'][0]}".encode())
            finally:
                os.close(control)
        except OSError as error:
            if error.errno in _FULL:
                raise
            self._watched.remove(event)
            os.close(event)
            return
        lookout.add(event, self.look)
        self.look()

    def looked_at_closely(self) -> AbstractContextManager[None]:
        """While it lasts, nothing that only the cgroups below the job's own know is missed."""
        from contextlib import nullcontext  # the supervisor process of a job does without

        return self._lookout.closely(self.look) if self._lookout is not None else nullcontext()

    def look_when_ended(self, pid: int) -> None:
        """Look once more in the moment in which this process, the last of the job, has ended. Raises OSError without descriptors."""
        if self._lookout is None:
            return
        try:
            descriptor = os.pidfd_open(pid)
        except OSError as error:
            if error.errno in _FULL:
                raise
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
            if "io" in self._files:
                try:
                    self._raw = {**self._raw, "io": self._lasting_io(self._read("io"))}
                except OSError:
                    pass  # as above

    def _read(self, key: str) -> bytes:
        descriptor, size = self._files[key]
        return os.pread(descriptor, size, 0)

    def _lasting_io(self, text: bytes) -> bytes:
        """v1 forgets the bytes of a removed cgroup below: what was counted once stands."""
        have = self._raw.get("io", b"")
        return text if text != have and v1.io_total(text) > v1.io_total(have) else have

    def sample(self) -> Glance:
        """What changes from moment to moment, cheaply.

        A job whose CPU time and memory usage stand still does nothing: nothing else is read. memory.stat costs as much as all the
        rest: it is read where usage has changed. Every ten seconds a pass is thorough.
        """
        return self._pass(thorough=False)

    def read(self) -> Glance:
        """Everything as it is now: for final figures."""
        return self._pass(thorough=True)

    def _pass(self, *, thorough: bool) -> Glance:
        with self._lock:
            try:
                if self._files and self._read_all(thorough=thorough):
                    self._glanced = self._glance(self._raw)
            except OSError:
                pass  # removed (ENODEV): what was read last stands
            return self._glanced

    def _read_all(self, *, thorough: bool) -> bool:
        """True where anything was new."""
        now = self._clock()
        thorough = thorough or now - self._thorough_at >= _THOROUGH_SECONDS
        before = self._raw
        raw: dict[str, bytes] = {key: self._read(key) for key in ("cpu", "usage") if key in self._files}
        moved = [key for key in raw if raw[key] != before[key]]
        if not (thorough or moved) and len(raw) == 2:
            return False
        # A comprehension: what surrounds the system calls costs as much as some of them.
        pread = os.pread
        raw |= {key: pread(descriptor, size, 0) for key, descriptor, size in self._rest}
        if "stat" in self._files:
            raw["stat"] = self._read("stat") if thorough or "usage" in moved else before["stat"]
        if self._lookout is not None and "io" in raw:
            raw["io"] = self._lasting_io(raw["io"])
        self._raw = raw
        if thorough:
            self._thorough_at = now
        return True

    def sample_memory(self) -> Glance | None:
        """Only what is cheap enough for ten times a second; None where memory is as it was, or gone."""
        with self._lock:
            if not {"usage", "stat"} <= self._files.keys():
                return None
            try:
                usage = self._read("usage")
                if usage == self._memory_seen:
                    return None
                raw = {"usage": usage, "stat": self._read("stat")}
            except OSError:
                return None
            self._memory_seen = usage
            return self._glance(raw)

    def reading(self) -> Reading:
        """All that was read last."""
        with self._lock:
            raw, kills_below = self._raw, sum(self._kills_below.values())
            if raw is not self._parsed_raw or kills_below != self._parsed_kills:
                self._parsed = self._parse(raw, kills_below)
                self._parsed_raw, self._parsed_kills = raw, kills_below
            return self._parsed

    def close(self) -> None:
        """Idempotent. What was read last stands."""
        with self._lock:
            for descriptor, _ in self._files.values():
                os.close(descriptor)
            self._files, self._rest = {}, []
            watched, self._watched = self._watched, []
        for descriptor in watched:
            if self._lookout is not None:
                self._lookout.remove(descriptor)
            os.close(descriptor)
