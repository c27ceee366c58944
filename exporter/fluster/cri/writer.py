"""Writes a log file as CRI lines: whole lines, in blocks, with counts and a sparse index beside it, a new file where one is full.

A line has the time of the chunk that completed it, as Docker stamps it. A line that is not complete is held back, up to the
longest line that is kept in one entry; beyond that it is written in parts. A write that fails (disk full) never raises: what was
half written is cut off again, and the writer's user says whether to try again or to drop the lines, which are then counted.
"""

from __future__ import annotations

import os
import time
from typing import NamedTuple

from fluster.cri.counts import Counts, Resume, counted
from fluster.cri.files import LogFiles
from fluster.cri.line import format_time
from fluster.cri.open_lines import OpenLines

__all__ = ["CriWriter", "LogBounds"]

_SECOND_NS = 1_000_000_000
_SAME_CLOCK_NS = _SECOND_NS
"""A time that is further back than this is that of a clock that was set back."""


class LogBounds(NamedTuple):
    """How a log is kept."""

    max_line_bytes: int = 1024 * 1024
    """The longest line in one entry; a longer one is stored in parts."""
    segment_bytes: int = 64 * 1024 * 1024
    """The size at which a file is closed and a new one begun."""
    limit_bytes: int = 4 * 1024 * 1024 * 1024
    """What all files of the log may take on the disk: the oldest are dropped beyond it."""


DEFAULT = LogBounds()


class CriWriter:
    """One writer per file. Not thread-safe.

    Reopening goes on where the file ends. What a crash left of a torn last line is cut off: half a stamp or half a text
    would be shown as if the job had written it.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        max_line_bytes: int = DEFAULT.max_line_bytes,
        segment_bytes: int = DEFAULT.segment_bytes,
        limit_bytes: int = DEFAULT.limit_bytes,
    ) -> None:
        """The sizes are those of LogBounds."""
        self._max_line = max_line_bytes
        self._files = LogFiles(os.fspath(path), segment_bytes=segment_bytes, limit_bytes=limit_bytes)
        self._new = self._files.counts
        self._held = {"stdout": bytearray(), "stderr": bytearray()}
        self._held_ns = {"stdout": 0, "stderr": 0}
        self._last_ns = {"stdout": 0, "stderr": 0}
        self._open = OpenLines()
        for stream in self._held:
            if parts := getattr(self._new, f"{stream}_parts"):
                self._open.adopt(stream, parts - 1)
        self._text: list[bytes] = []
        self._text_bytes = 0
        self._earliest_ns = 0
        self._closed = False

    def __enter__(self) -> CriWriter:  # noqa: PYI034 # typing_extensions would cost the supervisor process its start
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def counts(self) -> Counts:
        """As last committed."""
        return self._files.counts

    @property
    def resume(self) -> Resume | None:
        """As given to the last commit, of an earlier writer, too."""
        return self._files.counts.resume

    @property
    def surplus(self) -> list[tuple[str, int, int]]:
        """(stream, time, bytes with newline) of each entry that stood in the file behind the last commit when it was opened."""
        return self._files.surplus

    def held(self, stream: str) -> int:
        """How many bytes of an unfinished line are held back."""
        return len(self._held[stream])

    # Whole ways: for whoever cannot read again what was not written

    def write(self, stream: str, timestamp_ns: int, data: bytes) -> None:
        """Take any chunk of a stream, written at `timestamp_ns`. What the disk does not take is dropped and counted."""
        self.add(stream, timestamp_ns, data)
        if self._text and not self.commit():
            self.drop_pending()

    def line(self, text: str, *, stream: str = "stdout", timestamp_ns: int | None = None) -> None:
        """One or more whole lines of text."""
        self.write(
            stream,
            time.time_ns() if timestamp_ns is None else timestamp_ns,
            text.encode("utf-8", "surrogateescape") + b"\n",
        )

    def flush_tails(self) -> None:
        """Write unfinished last lines as they are: no more of them is to come."""
        self.take_tails()
        if (self._text or self.surplus) and not self.commit(self.resume):
            self.drop_pending()

    def close(self) -> None:
        """Idempotent; unfinished lines are written first."""
        if not self._closed:
            self.flush_tails()
            self.abandon()

    def abandon(self) -> None:
        """Close without writing what is held back or was not committed: another writer goes on from the last commit. Idempotent."""
        if not self._closed:
            self._closed = True
            self._files.close()

    # The steps of it: for whoever can read again what was not written

    def add(self, stream: str, timestamp_ns: int, data: bytes) -> None:
        """Take any chunk of a stream; its whole lines wait for commit()."""
        held = self._held[stream]
        end = data.rfind(b"\n")
        if end < 0:
            if data:
                held += data
                self._held_ns[stream] = timestamp_ns
        else:
            if held:
                block = bytes(held) + data[:end]
                held.clear()
            else:
                block = data[:end]
            held += data[end + 1 :]
            if held:
                self._held_ns[stream] = timestamp_ns
            self._add_block(stream, timestamp_ns, block)
        if len(held) > self._max_line:
            self._spill(stream, timestamp_ns)

    def add_lines(
        self, text: bytes, *, stdout: tuple[int, int], stderr: tuple[int, int], first_ns: int, last_ns: int
    ) -> None:
        """Take ready entries, none of them a part, while no line is held back.

        For each stream its lines and bytes, newlines included; the lowest and the highest of their times.
        """
        new = self._new
        self._new = new._replace(
            stdout_lines=new.stdout_lines + stdout[0],
            stdout_bytes=new.stdout_bytes + stdout[1] + (new.stdout_open if stdout[0] else 0),
            stderr_lines=new.stderr_lines + stderr[0],
            stderr_bytes=new.stderr_bytes + stderr[1] + (new.stderr_open if stderr[0] else 0),
            stdout_open=0 if stdout[0] else new.stdout_open,
            stderr_open=0 if stderr[0] else new.stderr_open,
            last_timestamp_ns=max(new.last_timestamp_ns, last_ns),
        )
        self._add_text(text, first_ns)

    def take_tails(self) -> None:
        """Take unfinished last lines as they are: no more is to come."""
        for stream, held in self._held.items():
            if held:
                block = bytes(held)
                held.clear()
                self._add_block(stream, self._held_ns[stream], block, newline=False)

    def commit(self, resume: Resume | None = None) -> bool:
        """Write what was taken since the last commit. False: the disk is full, nothing was written, all of it still waits."""
        text = self._text[0] if len(self._text) == 1 else b"".join(self._text)
        if not self._files.commit(text, self._new._replace(resume=resume), self._earliest_ns):
            self._text = [text]
            return False
        self._begin_anew()
        return True

    def drop_pending(self) -> None:
        """Give up what waits for commit(); its lines are counted as lost."""
        old, new = self._files.counts, self._new
        self._files.lose(
            max(new.stdout_lines - old.stdout_lines, int(new.stdout_bytes > old.stdout_bytes)),
            max(new.stderr_lines - old.stderr_lines, int(new.stderr_bytes > old.stderr_bytes)),
        )
        self._open.clear()
        self._begin_anew()

    def _begin_anew(self) -> None:
        self._new = self._files.counts
        self._text.clear()
        self._text_bytes = 0

    # Entries from lines

    def _add_block(self, stream: str, timestamp_ns: int, block: bytes, *, newline: bool = True) -> None:
        """`block` holds whole lines without the last newline; `newline` says whether the job wrote that one.

        Each line is a nanosecond after the one before it: whoever sorts by time keeps their order, and takes no two for one.
        """
        lines = block.split(b"\n")
        last_ns = self._last_ns[stream]
        if 0 <= last_ns - timestamp_ns < _SAME_CLOCK_NS:
            timestamp_ns = last_ns + 1
        last_ns = self._last_ns[stream] = timestamp_ns + len(lines) - 1
        name = stream.encode("ascii")
        if len(block) <= self._max_line and timestamp_ns // _SECOND_NS == last_ns // _SECOND_NS:
            second = format_time(timestamp_ns)[:20].encode("ascii")
            text = b"".join(
                [
                    b"%b%09dZ %b F %b\n" % (second, at, name, line)
                    for at, line in enumerate(lines, timestamp_ns % _SECOND_NS)
                ]
            )
        else:
            text = b"".join(self._entries(name, at, line) for at, line in enumerate(lines, timestamp_ns))
        if self._open:
            self._open.end(stream)
        self._new = counted(
            self._new, stream, len(lines), len(block) + newline, last_ns,
            part_lines=text.count(b"\n") - len(lines) if len(block) > self._max_line else 0, open_end=not newline,
        )  # fmt: skip
        self._add_text(text, timestamp_ns)

    def _entries(self, stream: bytes, timestamp_ns: int, line: bytes) -> bytes:
        """One line, in parts where it is too long for one entry."""
        stamp = b"%b %b " % (format_time(timestamp_ns).encode("ascii"), stream)
        pieces = [line[at : at + self._max_line] for at in range(0, len(line), self._max_line)] or [b""]
        return b"".join(stamp + b"P " + piece + b"\n" for piece in pieces[:-1]) + stamp + b"F " + pieces[-1] + b"\n"

    def _spill(self, stream: str, timestamp_ns: int) -> None:
        """An unfinished line outgrew memory: take what is full of it as parts."""
        held = self._held[stream]
        part = f"{format_time(timestamp_ns)} {stream} P ".encode("ascii")
        # One byte stays back: the end of the line must have something to end.
        whole = (len(held) - 1) // self._max_line * self._max_line
        entries = [part + bytes(held[at : at + self._max_line]) + b"\n" for at in range(0, whole, self._max_line)]
        del held[:whole]
        at = self._files.counts.end + self._text_bytes
        for entry in entries:
            self._open.part(stream, at, len(entry) - len(part) - 1)
            at += len(entry)
        parts = self._open.scan_of(stream) + 1
        self._new = counted(self._new, stream, 0, whole, timestamp_ns, part_lines=len(entries), parts=parts)
        self._add_text(b"".join(entries), timestamp_ns)

    def _add_text(self, text: bytes, earliest_ns: int) -> None:
        self._earliest_ns = min(self._earliest_ns, earliest_ns) if self._text else earliest_ns
        self._text.append(text)
        self._text_bytes += len(text)
