"""Writes a log file as CRI lines: whole lines, in blocks, with counts beside it.

A line has the time of the chunk that completed it, as Docker stamps it. A line that is not complete is held back, up to the
longest line that is kept in one entry; beyond that it is written in parts. A write that fails (disk full) never raises: the
lines of that block are dropped and counted, what was half written is cut off again, and the next block is tried afresh.
"""

from __future__ import annotations

import os
import time

from fluster.cri.counts import Counts, counts_path, dump_counts, read_counts
from fluster.cri.line import format_time, parse_line

__all__ = ["CriWriter"]


class CriWriter:
    """One writer per file. Not thread-safe.

    Reopening goes on where the file ends. What a crash left of a torn last line is cut off: half a stamp or half a text
    would be shown as if the job had written it.
    """

    def __init__(self, path: str | os.PathLike[str], *, max_line_bytes: int = 1024 * 1024) -> None:
        self._max_line = max_line_bytes
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o640)
        try:
            self._counts_file = os.open(counts_path(path), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
        except OSError:
            os.close(self._file)
            raise
        self._tails: dict[str, bytearray] = {"stdout": bytearray(), "stderr": bytearray()}
        self._tail_times = {"stdout": 0, "stderr": 0}
        size = os.fstat(self._file).st_size
        known = read_counts(path)
        if known is None or known.size != size:
            known = self._recount(size)
        self._size = known.size
        self._lines = {"stdout": known.stdout_lines, "stderr": known.stderr_lines}
        self._bytes = {"stdout": known.stdout_bytes, "stderr": known.stderr_bytes}
        self._dropped = known.dropped_lines
        self._last_ns = known.last_timestamp_ns
        self._closed = False
        self._write_counts()

    def __enter__(self) -> CriWriter:  # noqa: PYI034 # typing_extensions would cost the supervisor process its start
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def counts(self) -> Counts:
        return Counts(
            self._size,
            self._lines["stdout"],
            self._bytes["stdout"],
            self._lines["stderr"],
            self._bytes["stderr"],
            self._dropped,
            self._last_ns,
        )

    def write(self, stream: str, timestamp_ns: int, data: bytes) -> None:
        """Take any chunk of a stream, written at `timestamp_ns`."""
        tail = self._tails[stream]
        end = data.rfind(b"\n")
        if end < 0:
            tail += data
            self._tail_times[stream] = timestamp_ns
            if len(tail) > self._max_line:
                self._spill(stream, timestamp_ns)
            return
        if tail:
            block = bytes(tail) + data[:end]
            tail.clear()
        else:
            block = data[:end]
        tail += data[end + 1 :]
        if tail:
            self._tail_times[stream] = timestamp_ns
        self._append(stream, timestamp_ns, block)
        if len(tail) > self._max_line:
            self._spill(stream, timestamp_ns)

    def line(self, text: str, *, stream: str = "stdout", timestamp_ns: int | None = None) -> None:
        """One or more whole lines of text."""
        self.write(
            stream,
            time.time_ns() if timestamp_ns is None else timestamp_ns,
            text.encode("utf-8", "surrogateescape") + b"\n",
        )

    def flush_tails(self) -> None:
        """Write unfinished last lines as they are: no more is to come."""
        for stream, tail in self._tails.items():
            if tail:
                block = bytes(tail)
                tail.clear()
                self._append(stream, self._tail_times[stream], block, newline=False)

    def close(self) -> None:
        """Idempotent; unfinished lines are written first."""
        if not self._closed:
            self.flush_tails()
            self._closed = True
            os.close(self._file)
            os.close(self._counts_file)

    def _append(self, stream: str, timestamp_ns: int, block: bytes, *, newline: bool = True) -> None:
        """`block` holds whole lines without the last newline; `newline` says whether the job wrote that one."""
        stamp = f"{format_time(timestamp_ns)} {stream} ".encode("ascii")
        full, part = stamp + b"F ", stamp + b"P "
        lines = block.count(b"\n") + 1
        if len(block) <= self._max_line:
            text = full + block.replace(b"\n", b"\n" + full) + b"\n"
        else:
            text = b"".join(self._parts(each, full, part) for each in block.split(b"\n"))
        self._put(stream, text, lines, len(block) + newline, timestamp_ns)

    def _parts(self, line: bytes, full: bytes, part: bytes) -> bytes:
        if len(line) <= self._max_line:
            return full + line + b"\n"
        pieces = [line[at : at + self._max_line] for at in range(0, len(line), self._max_line)]
        return b"".join(part + piece + b"\n" for piece in pieces[:-1]) + full + pieces[-1] + b"\n"

    def _spill(self, stream: str, timestamp_ns: int) -> None:
        """An unfinished line outgrew memory: write what is full of it as parts."""
        tail = self._tails[stream]
        part = f"{format_time(timestamp_ns)} {stream} P ".encode("ascii")
        # One byte stays back: the end of the line must have something to end.
        whole = (len(tail) - 1) // self._max_line * self._max_line
        text = b"".join(part + bytes(tail[at : at + self._max_line]) + b"\n" for at in range(0, whole, self._max_line))
        del tail[:whole]
        self._put(stream, text, 0, whole, timestamp_ns)

    def _put(self, stream: str, text: bytes, lines: int, size: int, timestamp_ns: int) -> None:
        view = memoryview(text)
        written = 0
        try:
            while written < len(text):
                written += os.write(self._file, view[written:])
        except OSError:
            if written:
                os.ftruncate(self._file, self._size)
            self._dropped += lines
            self._write_counts()
            return
        self._size += written
        self._lines[stream] += lines
        self._bytes[stream] += size
        self._last_ns = max(self._last_ns, timestamp_ns)
        self._write_counts()

    def _write_counts(self) -> None:
        try:
            os.pwrite(self._counts_file, dump_counts(self.counts), 0)
        except OSError:
            return  # 64 bytes in place: only a broken disk refuses them, and then the log itself says so

    def _recount(self, size: int) -> Counts:
        """The counts from the file itself, after a crash between a block and its counts."""
        lines = {"stdout": 0, "stderr": 0}
        total = {"stdout": 0, "stderr": 0}
        last_ns = whole = 0
        with os.fdopen(os.dup(self._file), "rb") as file:
            file.seek(0)
            for raw in file:
                if not raw.endswith(b"\n"):
                    break
                whole += len(raw)
                try:
                    line = parse_line(raw)
                except ValueError:
                    continue
                lines[line.stream] += not line.partial
                total[line.stream] += len(line.data) + (not line.partial)
                last_ns = max(last_ns, line.timestamp_ns)
        if whole < size:
            os.ftruncate(self._file, whole)
        return Counts(whole, lines["stdout"], total["stdout"], lines["stderr"], total["stderr"], 0, last_ns)
