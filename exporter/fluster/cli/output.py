"""A job's output as `fluster run` prints it: the bytes that the job wrote, in the order of its log, with its newlines and no other."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import IO, TYPE_CHECKING, Final

if TYPE_CHECKING:
    from fluster.logs import LogEntry

__all__ = ["JobOutput"]

_SETTLE_SECONDS: Final = 0.5
_POLL_SECONDS: Final = 0.002


class JobOutput:
    """Takes the entries of a whole log, batch by batch. `build` goes to `stderr`, too; the two may be one terminal.

    Entries have no newline, and only the last line of a stream may have had none. Whether it had is in the counts of the log,
    which are written right behind it: they are waited for, for a moment.
    """

    def __init__(self, stdout: IO[bytes], stderr: IO[bytes]) -> None:
        self._streams = {"stdout": stdout, "stderr": stderr, "build": stderr}
        self._bytes = {"stdout": 0, "stderr": 0}
        self._unfinished: set[str] = set()

    async def write(self, batch: Sequence[LogEntry], counted: Callable[[], Mapping[str, int]]) -> None:
        """`counted` gives the bytes of each stream of the log as they are now, newlines included."""
        last: dict[str, int] = {}
        for place, entry in enumerate(batch):
            if entry.source in self._bytes:
                last[entry.source] = place
                self._bytes[entry.source] += len(entry.data) + (not entry.goes_on)
        bare = {last[source] for source in await self._unended({s: batch[at].data for s, at in last.items()}, counted)}
        for place, entry in enumerate(batch):
            if entry.source in self._unfinished:
                # The counts came late: there is a line behind it, so it was a whole one.
                self._streams[entry.source].write(b"\n")
                self._unfinished.discard(entry.source)
            if entry.dropped:
                self._streams["stderr"].write(b"fluster: %d lines are missing here\n" % entry.dropped)
            self._streams[entry.source].write(entry.data + (b"" if place in bare or entry.goes_on else b"\n"))
            if place in bare:
                self._unfinished.add(entry.source)
        for stream in self._streams.values():
            stream.flush()

    async def _unended(self, lines: Mapping[str, bytes], counted: Callable[[], Mapping[str, int]]) -> set[str]:
        """The sources whose last line has no newline. An empty line is nothing but its newline."""
        import anyio

        asked = {source for source, line in lines.items() if line}
        found: set[str] = set()
        with anyio.move_on_after(_SETTLE_SECONDS):
            while asked:
                counts = counted()
                settled = {source for source in asked if counts.get(source, 0) >= self._bytes[source] - 1}
                found |= {source for source in settled if counts[source] == self._bytes[source] - 1}
                asked -= settled
                if asked:
                    await anyio.sleep(_POLL_SECONDS)
        return found
