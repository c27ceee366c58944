"""Whether the memory of any job may have changed: one look at the cgroup above them, which counts for all."""

from __future__ import annotations

import os

from fluster.cgroup.hierarchy import Hierarchy

__all__ = ["MemoryWatch"]


class MemoryWatch:
    """For one thread. What one job gives back and another takes between two looks, to the byte, goes unnoticed until the next one."""

    def __init__(self, hierarchy: Hierarchy) -> None:
        controller, name = ("memory", "memory.usage_in_bytes") if hierarchy.version == 1 else ("", "memory.current")
        directory = hierarchy.directories(hierarchy.base)[controller]
        self._seen = b""
        self._file = os.open(f"{directory}/{name}", os.O_RDONLY | os.O_CLOEXEC) if _counts_below(directory) else -1

    def changed(self) -> bool:
        """True where it cannot be told."""
        try:
            usage = os.pread(self._file, 32, 0)
        except OSError:
            return True
        if usage == self._seen:
            return False
        self._seen = usage
        return True

    def close(self) -> None:
        """Idempotent."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def _counts_below(directory: str) -> bool:
    """v1 can be told to count a cgroup without those below it."""
    try:
        with open(f"{directory}/memory.use_hierarchy") as file:
            return file.read().strip() == "1"
    except FileNotFoundError:
        return os.path.exists(f"{directory}/memory.current")
    except OSError:
        return False
