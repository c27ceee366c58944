"""The files of one log as its writer has them: the one that is written, its counts and its marks, and the closed ones before it."""

from __future__ import annotations

import os
import time

from fluster.cri.counts import Counts, counted, counts_path, dump_counts, read_counts
from fluster.cri.line import parse_line
from fluster.cri.marks import SIZE as MARK_BYTES
from fluster.cri.marks import SPACING_BYTES, START, Mark, dump_mark, marks, marks_path, parse_mark
from fluster.cri.segments import closed_path, drop_segments, floor_at, segments

__all__ = ["LogFiles"]

CALM_SECONDS = 30.0
"""A file is written so long at least: agents look for a new one every few seconds, and miss one that was closed in between."""
_MOST_SEGMENTS = 8
"""So many times its size a file may become for that."""
_IDLE_INDEX_BYTES = 1024 * 1024
"""An index that small is left as it is."""


class LogFiles:
    """Opening goes on where the last writer ended, a crash of it included. Never raises for a full disk once it is open."""

    def __init__(self, path: str, *, segment_bytes: int, limit_bytes: int) -> None:
        self._path = path
        self._limit = limit_bytes
        # So that the newest lines are kept even where a file's size alone would be the limit.
        self._segment_bytes = min(segment_bytes, max(limit_bytes // 4, 1))
        self._index = -1
        self._turn = 0
        self._begun = time.monotonic()
        self._earliest_ns = 0  # of the entries since the last mark; 0 is none
        self._mark = START
        self.surplus: list[tuple[str, int, int]] = []
        known = read_counts(path)
        if known is not None and os.path.exists(closed_path(path, known.segment)):
            # A crash between the closing of a file and the counts of the next.
            known = known._replace(segment=known.segment + 1, base=known.end, size=0)
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o640)
        try:
            self._counts_file = os.open(counts_path(path), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
        except OSError:
            os.close(self._file)
            raise
        self.counts = self._take_over(known)
        if not self.surplus:  # else the next commit says that it is counted, together with how far its source was taken
            self._write_counts()

    def commit(self, text: bytes, counts: Counts, earliest_ns: int) -> bool:
        """Write `text`; then `counts` holds, whatever its size says. False: the disk is full, nothing changed.

        `earliest_ns` is the lowest time of the entries in it.
        """
        if text:
            if not self._append(text):
                return False
            if self.counts.lost != self._mark.lost:
                self._set_mark(self.counts)  # before the first line behind lost ones
            self._earliest_ns = min(self._earliest_ns or earliest_ns, earliest_ns)
        self.counts = counts._replace(size=self.counts.size + len(text))
        if self.counts.end - self._mark.offset >= SPACING_BYTES:
            self._set_mark(self.counts)
        self._write_counts()
        if self.counts.size >= self._segment_bytes and self._may_close():
            self._rotate()
        return True

    def lose(self, stdout: int, stderr: int) -> None:
        """So many lines were lost here."""
        self.counts = self.counts._replace(
            stdout_lost=self.counts.stdout_lost + stdout,
            stderr_lost=self.counts.stderr_lost + stderr,
            # What comes behind the gap is no end of what was before it.
            stdout_parts=0,
            stderr_parts=0,
        )
        self._write_counts()

    def close(self) -> None:
        for descriptor in (self._file, self._counts_file, self._index):
            if descriptor >= 0:
                os.close(descriptor)

    def _append(self, text: bytes) -> bool:
        view = memoryview(text)
        written = 0
        try:
            while written < len(text):
                written += os.write(self._file, view[written:])
        except OSError:
            if written:
                os.ftruncate(self._file, self.counts.size)
            return False
        return True

    def _may_close(self) -> bool:
        """Rather not in the middle of a line, nor while agents may not have seen yet that this file began."""
        if self.counts.size >= min(_MOST_SEGMENTS * self._segment_bytes, self._limit // 2):
            return True
        return self.counts.scan == self.counts.end and time.monotonic() - self._begun >= CALM_SECONDS

    def _rotate(self) -> None:
        """Close the full file under its number and begin the next. Where the disk has no room for that, the old one goes on."""
        counts = self.counts
        following = f"{self._path}.next"
        begun = counts._replace(segment=counts.segment + 1, base=counts.end, size=0)
        try:
            file = os.open(following, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_CLOEXEC, 0o640)
        except OSError:
            return
        before = self._mark, self._earliest_ns
        if not self._set_mark(begun):  # without its mark a file cannot be found
            os.close(file)
            return
        if not _renamed(self._path, closed_path(self._path, counts.segment), following):
            os.close(file)
            os.ftruncate(self._index, os.fstat(self._index).st_size - MARK_BYTES)
            self._mark, self._earliest_ns = before
            return
        os.close(self._file)
        self._file = file
        self._begun = time.monotonic()
        self.counts = begun
        self._write_counts()
        self._hold_limit()

    def _hold_limit(self) -> None:
        """Drop the oldest files until the next one has its place, too.

        Never the last one: what came in one go may be more than the limit, and the newest lines are kept.
        """
        if self._index < 0:
            return
        closed = segments(self._path)
        total = sum(each.size for each in closed) + self._segment_bytes
        kept = 0
        for each in closed[:-1]:
            if total <= self._limit:
                break
            total -= each.size
            kept = each.number + 1
        if kept:
            begin = next((mark for mark in marks(self._index) if mark.segment >= kept), None)
            if begin is not None:
                try:
                    drop_segments(self._path, floor_at(begin))
                except OSError:
                    return  # no room for the floor: the next rotation tries again
                self._forget_marks(begin)

    def _forget_marks(self, begin: Mark) -> None:
        """Those of dropped files, once they are most of the index: a log without end must not have an index without end."""
        kept = [mark for mark in marks(self._index) if mark.offset >= begin.offset]
        if 2 * len(kept) * MARK_BYTES > os.fstat(self._index).st_size - _IDLE_INDEX_BYTES:
            return
        place = marks_path(self._path)
        try:
            with open(f"{place}.next", "wb") as file:
                file.writelines(map(dump_mark, kept))
            os.rename(f"{place}.next", place)
        except OSError:
            return
        os.close(self._index)
        self._index = -1

    def _set_mark(self, counts: Counts) -> bool:
        """False: the disk is full. The next commit tries again, and a reader reads a little more."""
        mark = Mark(
            counts.segment,
            counts.end,
            counts.scan,
            counts.stdout_lines,
            counts.stdout_bytes,
            counts.stderr_lines,
            counts.stderr_bytes,
            counts.part_lines,
            counts.lost,
            self._earliest_ns or counts.last_timestamp_ns,
            counts.last_timestamp_ns,
        )
        try:
            self._open_index()
            if os.write(self._index, dump_mark(mark)) < MARK_BYTES:
                os.ftruncate(self._index, os.fstat(self._index).st_size // MARK_BYTES * MARK_BYTES)
                return False
        except OSError:
            return False
        self._mark = mark
        self._earliest_ns = 0
        return True

    def _open_index(self) -> None:
        if self._index < 0:
            flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
            self._index = os.open(marks_path(self._path), flags, 0o640)

    def _write_counts(self) -> None:
        self._turn += 1
        try:
            os.pwrite(self._counts_file, dump_counts(self.counts, self._turn), 0)
        except OSError:
            return  # some bytes in place: only a broken disk refuses them, and then the log itself says so

    # After a restart

    def _take_over(self, known: Counts | None) -> Counts:
        """What the files hold, torn ends cut off. `known` are the counts that stood beside them."""
        size = os.fstat(self._file).st_size
        if known is None and size == 0 and not os.path.exists(marks_path(self._path)):
            return Counts()
        if known is None or known.size > size:
            known = self._from_marks(known, size)
        elif os.path.exists(marks_path(self._path)):
            self._open_index()
            self._mark = self._last_mark(known.segment, known.end)
        if known.size == 0 and known.segment > self._mark.segment:
            self._set_mark(known)
        return self._with_surplus(known, size)

    def _from_marks(self, known: Counts | None, size: int) -> Counts:
        """The counts at the last mark that the file bears: those beside it are lost, or speak of more than there is."""
        self._open_index()
        if known is None:
            self._mark = self._last_mark()
            numbers = [each.number + 1 for each in segments(self._path)]
            segment = max([self._mark.segment, *numbers])
            begin = next((mark for mark in marks(self._index) if mark.segment == segment), self._mark)
            base = begin.offset
        else:
            segment, base = known.segment, known.base
            self._mark = self._last_mark(segment, base + size)
        mark = self._mark
        if mark.offset < base:  # nothing is known of the file
            mark = mark._replace(offset=base)
        return Counts(
            segment=segment,
            base=base,
            size=min(mark.offset - base, size),
            stdout_lines=mark.stdout_lines,
            stdout_bytes=mark.stdout_bytes,
            stderr_lines=mark.stderr_lines,
            stderr_bytes=mark.stderr_bytes,
            part_lines=mark.part_lines,
            stdout_lost=known.stdout_lost if known else mark.lost,
            stderr_lost=known.stderr_lost if known else 0,
            last_timestamp_ns=mark.latest_ns,
        )

    def _last_mark(self, segment: int | None = None, end: int = 0) -> Mark:
        """The last mark of files up to `segment` and at or before `end`; those behind it are cut off."""
        number = os.fstat(self._index).st_size // MARK_BYTES
        while number:
            mark = parse_mark(os.pread(self._index, MARK_BYTES, (number - 1) * MARK_BYTES))
            if mark is not None and (segment is None or (mark.segment <= segment and mark.offset <= end)):
                break
            number -= 1
        os.ftruncate(self._index, number * MARK_BYTES)
        return mark if number and mark is not None else START

    def _with_surplus(self, known: Counts, size: int) -> Counts:
        """`known` and what stands in the file behind it, after a crash between a block and its counts."""
        whole = known.size
        if size > whole:
            with os.fdopen(os.dup(self._file), "rb") as file:
                file.seek(whole)
                for raw in file:
                    if not raw.endswith(b"\n"):
                        break
                    known = self._with_line(known, raw, known.base + whole)
                    whole += len(raw)
            known = known._replace(size=whole)
        if whole < size:
            os.ftruncate(self._file, whole)
        return known

    def _with_line(self, known: Counts, raw: bytes, offset: int) -> Counts:
        try:
            line = parse_line(raw)
        except ValueError:
            return known
        taken = len(line.data) + (not line.partial)
        self.surplus.append((line.stream, line.timestamp_ns, taken))
        self._earliest_ns = min(self._earliest_ns or line.timestamp_ns, line.timestamp_ns)
        parts = (getattr(known, f"{line.stream}_parts") or offset + 1) if line.partial else 0
        return counted(
            known, line.stream, not line.partial, taken, line.timestamp_ns, part_lines=line.partial, parts=parts
        )


def _renamed(path: str, closed: str, following: str) -> bool:
    try:
        os.rename(path, closed)
    except OSError:
        return False
    try:
        os.rename(following, path)
    except OSError:
        os.rename(closed, path)
        return False
    return True
