"""Following one job's log: what comes is read once, whoever and however many follow.

There is no task in the background: the follower that has seen everything looks for more, the others wait for what it finds. One that is
behind what is kept in memory reads from the files at its own pace, and holds nobody up.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

import anyio

from fluster.logs.entry import LogEntry
from fluster.logs.position import Position

__all__ = ["Batch", "Tail"]

T = TypeVar("T")
_POLL_SECONDS: Final = 0.04
_FEW_ENTRIES: Final = 500
_KEPT_BYTES: Final = 4 * 1024 * 1024
Reader = Callable[[Position], Awaitable[tuple[list[LogEntry], Position]]]


class Batch:
    """Some entries that follow each other, and what the doors make of them, made once."""

    def __init__(self, entries: list[LogEntry], start: Position, end: Position) -> None:
        self.entries = entries
        self.start = start
        self.end = end
        self.size = sum(len(entry.data) for entry in entries)
        self._made: dict[Any, Any] = {}

    def made(self, make: Callable[[list[LogEntry]], T]) -> T:
        """`make(entries)`, for the first who asks; the same for the others."""
        if make not in self._made:
            self._made[make] = make(self.entries)
        return self._made[make]  # type: ignore[no-any-return] # what make gave


class Tail:
    """Belongs to the event loop. `read` gives what is behind a position, `grew` whether there is anything."""

    def __init__(self, position: Position, read: Reader, grew: Callable[[Position], bool]) -> None:
        self.followers = 0
        self._read = read
        self._grew = grew
        self._end = position
        self._kept: deque[Batch] = deque()
        self._size = 0
        self._lock = anyio.Lock()
        self._next_look = 0.0

    async def next(self, position: Position, complete: Callable[[], bool]) -> Batch | None:
        """What follows `position`; None once `complete()` is true and all is read."""
        while True:
            if _key(position) < _key(self._end):
                return self._find(position) or await self._read_batch(position)
            async with self._lock:
                if _key(position) < _key(self._end):
                    continue  # another one has found it meanwhile
                # A log that grows all the time is read by the pace of the looks, too: a line alone costs all followers as much as many.
                await anyio.sleep(max(self._next_look - anyio.current_time(), 0))
                over = complete()  # before the look, so that nothing is written between the two
                if self._grew(position):
                    batch = await self._read_batch(position)
                    if batch.entries or batch.end != position:
                        if len(batch.entries) < _FEW_ENTRIES:
                            self._next_look = anyio.current_time() + _POLL_SECONDS
                        self._keep(batch)
                        return batch
                if over:
                    return None
                await anyio.sleep(_POLL_SECONDS)

    async def _read_batch(self, position: Position) -> Batch:
        entries, end = await self._read(position)
        return Batch(entries, position, end)

    def _find(self, position: Position) -> Batch | None:
        for batch in reversed(self._kept):  # most followers are at the end
            if batch.start == position:
                return batch
            if _key(batch.start) < _key(position) < _key(batch.end):
                return Batch(
                    [entry for entry in batch.entries if _key(entry.after) > _key(position)], position, batch.end
                )
        return None

    def _keep(self, batch: Batch) -> None:
        if batch.start != self._end:
            self._kept.clear()
            self._size = 0
        self._kept.append(batch)
        self._size += batch.size
        self._end = batch.end
        while self._size > _KEPT_BYTES:
            self._size -= self._kept.popleft().size


def _key(position: Position) -> tuple[str, int]:
    """In the order of the log: "b" is before "j"."""
    return position.file, position.after
