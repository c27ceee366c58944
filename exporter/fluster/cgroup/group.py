"""The cgroup of one job: made with its limits, joined by its processes, ended, and removed."""

from __future__ import annotations

import errno
import os
import signal
import time
from typing import NamedTuple

from fluster.cgroup.hierarchy import Hierarchy, write

__all__ = ["Bounds", "JobCgroup"]

CPU_PERIOD_US = 100_000
LARGEST_CHARGE_BYTES = 2 * 1024 * 1024
"""A huge page."""
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


class Bounds(NamedTuple):
    """Limits of a cgroup; None is no limit. Memory in bytes, cpu in thousandths of a core, processes with threads."""

    memory_bytes: int | None = None
    cpu_millicores: int | None = None
    max_processes: int | None = None

    def in_pages(self) -> Bounds:
        """As the kernel will hold them: it rounds memory down to whole pages, and tells the rounded limit."""
        if self.memory_bytes is None:
            return self
        return self._replace(memory_bytes=self.memory_bytes - self.memory_bytes % PAGE_BYTES)


class JobCgroup:
    """`<base>/<job_id>` in every tree of the hierarchy."""

    def __init__(self, hierarchy: Hierarchy, job_id: str) -> None:
        self.hierarchy = hierarchy
        self.path = f"{hierarchy.base}/{job_id}"
        self.parent = self.path
        """As engines want it for `--cgroup-parent`."""
        self.directories = hierarchy.directories(self.path)

    def create(self, bounds: Bounds) -> None:
        """Make it, with its limits. Idempotent. Raises OSError; what was made is removed again."""
        try:
            for directory in self.directories.values():
                os.makedirs(directory, exist_ok=True)
            for controller, name, value in self._settings(bounds):
                write(f"{self.directories[controller]}/{name}", value)
        except OSError:
            self.remove()
            raise

    def exists(self) -> bool:
        """True where it is in some tree: made, and not removed yet."""
        return any(os.path.isdir(directory) for directory in self.directories.values())

    def _settings(self, bounds: Bounds) -> list[tuple[str, str, str]]:
        bounds = bounds.in_pages()
        quota = None if bounds.cpu_millicores is None else max(bounds.cpu_millicores * CPU_PERIOD_US // 1000, 1000)
        settings: list[tuple[str, str, str]] = []
        if self.hierarchy.version == 2:
            if bounds.memory_bytes is not None:
                settings.append(("", "memory.max", str(bounds.memory_bytes)))
                if os.path.exists(f"{self.directories['']}/memory.swap.max"):
                    settings.append(("", "memory.swap.max", "0"))
            if quota is not None:
                settings.append(("", "cpu.max", f"{quota} {CPU_PERIOD_US}"))
            if bounds.max_processes is not None:
                settings.append(("", "pids.max", str(bounds.max_processes)))
            return settings
        if bounds.memory_bytes is not None:
            memory = self.directories["memory"]
            settings.append(("memory", "memory.limit_in_bytes", str(bounds.memory_bytes)))
            if os.path.exists(f"{memory}/memory.memsw.limit_in_bytes"):
                # Swap is off; the bound on memory with swap holds where the whole machine is short of memory. It is charged first,
                # and Linux 6.14 and later counts no hit of it: the distance leaves the hits to the limit of memory alone.
                settings.append(("memory", "memory.swappiness", "0"))
                with_swap = bounds.memory_bytes + LARGEST_CHARGE_BYTES
                settings.append(("memory", "memory.memsw.limit_in_bytes", str(with_swap)))
        if quota is not None:
            settings += [
                ("cpu", "cpu.cfs_period_us", str(CPU_PERIOD_US)),
                ("cpu", "cpu.cfs_quota_us", str(quota)),
            ]
        if bounds.max_processes is not None:
            settings.append(("pids", "pids.max", str(bounds.max_processes)))
        return settings

    def procs_files(self) -> list[str]:
        """A process joins by writing 0 to each of them."""
        return list(dict.fromkeys(f"{directory}/cgroup.procs" for directory in self.directories.values()))

    def pids(self) -> set[int]:
        """All processes in it and below it."""
        found: set[int] = set()
        for directory in set(self.directories.values()):
            for each, _, _ in os.walk(directory):
                try:
                    with open(f"{each}/cgroup.procs") as file:
                        found.update(int(line) for line in file)
                except OSError:
                    continue  # it went away, and its processes with it
        return found

    def kill(self, *, deadline_seconds: float = 10.0) -> bool:
        """SIGKILL to everything in it, until nothing is left. Blocking; False where something was left at the deadline."""
        deadline = time.monotonic() + deadline_seconds
        pause = 0.0005
        while pids := self.pids():
            if self.hierarchy.version == 2 and os.path.exists(f"{self.directories['']}/cgroup.kill"):
                write(f"{self.directories['']}/cgroup.kill", "1")
            else:
                for pid in pids:
                    try:
                        os.kill(pid, signal.SIGKILL)
                    except ProcessLookupError:
                        continue
            if time.monotonic() > deadline:
                return False
            time.sleep(pause)
            pause = min(pause * 2, 0.05)
        self._await_release()
        return True

    def _await_release(self) -> None:
        """The kernel counts the last process a moment longer than it lists it."""
        directory = self.directories.get("pids" if self.hierarchy.version == 1 else "", "")
        for _ in range(50):
            try:
                with open(f"{directory}/pids.current") as file:
                    if int(file.read()) == 0:
                        return
            except OSError:
                return  # removed, or nobody counts
            time.sleep(0.002)

    def remove(self) -> None:
        """Remove it and what is below it from every tree. Idempotent. Raises OSError (EBUSY) while it has processes."""
        for directory in self.hierarchy.every_directory(self.path):
            if not os.path.isdir(directory):
                continue
            for each, _, _ in os.walk(directory, topdown=False):
                _remove_directory(each)


def _remove_directory(path: str) -> None:
    # The kernel lets go of the last process a moment after it was reaped.
    for attempt in range(50):
        try:
            os.rmdir(path)
        except FileNotFoundError:
            return
        except OSError as error:
            if error.errno != errno.EBUSY or attempt == 49:
                raise
            time.sleep(0.002)
        else:
            return
