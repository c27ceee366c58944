"""GPUs of this machine for jobs that ask for some: each is one job's alone."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["GpuAllocator"]


class GpuAllocator:
    """Hands out GPUs by uuid, in the machine's order.

    It knows of this worker's jobs only: two workers of one machine would hand out the same.
    """

    def __init__(self, uuids: Iterable[str] = ()) -> None:
        self._uuids = tuple(uuids)
        self._taken: set[str] = set()

    @property
    def free(self) -> int:
        return sum(uuid not in self._taken for uuid in self._uuids)

    def take(self, count: int) -> tuple[str, ...] | None:
        """`count` GPUs; None, and nothing is taken, where fewer are free."""
        free = [uuid for uuid in self._uuids if uuid not in self._taken]
        if count > len(free):
            return None
        taken = tuple(free[:count])
        self._taken.update(taken)
        return taken

    def adopt(self, uuids: Iterable[str]) -> None:
        """GPUs that a live job holds already; one that this machine has no more is held like the others."""
        self._taken.update(uuids)

    def give_back(self, uuids: Iterable[str]) -> None:
        self._taken.difference_update(uuids)
