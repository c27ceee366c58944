"""The log taken from the file of the engine's `local` driver: exact, and neither the engine nor the job has work with it."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from fluster.cri import Resume
from fluster.runtime.docker.entries import Chunk, Lines
from fluster.runtime.docker.growth import Growth
from fluster.runtime.docker.local_log import parse_entries
from fluster.runtime.docker.sink import STREAMS, Sink, StoppedError

__all__ = ["FileWay"]

_BLOCK: Final = 256 * 1024
"""What is parsed at once: it stays in the processor's cache, and no entry is larger."""
_ROUND_SECONDS: Final = 0.005
"""Between two looks at a file that grows: the engine does not wait for its reader, and a block costs less than its lines."""
_POLL_SECONDS: Final = 0.05
"""Between two looks where the kernel wakes nobody."""


class FileWay:
    """Follows the file at `path`, from where `sink`'s log says, until the container has ended and nothing is left.

    Times play no part in it, as clocks step back: how far it came is an `origin` in the file where no stream had a line unfinished,
    and how many bytes of each stream at or behind it were written. Raises OSError where the file cannot be opened.
    """

    def __init__(self, path: Path, sink: Sink, growth: Growth, wake: threading.Event, *, max_line_bytes: int) -> None:
        self._path = path
        self._sink = sink
        self._growth = growth
        self._wake = wake
        self._max_line = max_line_bytes
        self._file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        log, resume = sink.log, sink.log.resume
        if resume is not None and resume.origin >= 0:
            self._origin = resume.origin
            self._skip = {"stdout": resume.stdout_taken, "stderr": resume.stderr_taken}
            for stream, _, size in log.surplus:
                self._skip[stream] += size
        else:  # taken another way, or by a writer that was killed before it could say how far it came
            self._origin = 0
            self._skip = {"stdout": log.counts.stdout_bytes, "stderr": log.counts.stderr_bytes}
        if self._origin > os.fstat(self._file).st_size:  # another file: all of it is new
            self._origin, self._skip = 0, dict.fromkeys(STREAMS, 0)
        self._offset = self._origin
        self._behind = dict.fromkeys(STREAMS, 0)  # bytes of each stream between origin and offset
        self._seen = 0
        log.commit(self.resume())  # what a killed worker wrote behind its last commit is said only once

    def run(self) -> None:
        """Raises StoppedError."""
        try:
            while True:
                ended = self._sink.ended.is_set()  # looked at first: then the file is complete
                if not self._drain(last=ended) and not self._reopen():
                    if ended:
                        return
                    self._sleep()
        finally:
            os.close(self._file)

    def resume(self) -> Resume:
        """How far all of it is written that is not held back."""
        held = {stream: self._sink.log.held(stream) for stream in STREAMS}
        if not any(held.values()) and not any(self._skip.values()):
            self._origin = self._offset
            self._behind = dict.fromkeys(STREAMS, 0)
        taken = {stream: self._behind[stream] + self._skip[stream] - held[stream] for stream in STREAMS}
        return Resume(self._origin, 0, taken["stdout"], 0, taken["stderr"])

    def _drain(self, *, last: bool) -> bool:
        """Take all that is there. False where that was nothing."""
        taken = False
        while self._take_block(last=last):
            taken = True
        if taken and not last:
            time.sleep(_ROUND_SECONDS)
        return taken

    def _take_block(self, *, last: bool) -> bool:
        if self._sink.stopped.is_set():
            raise StoppedError
        block = os.pread(self._file, _BLOCK, self._offset)
        self._seen = self._offset + len(block)
        full = len(block) == _BLOCK
        items, used = self._parse(block, last=last and not full)
        if not used and full:
            items, used = self._parse(block, last=True)  # no entry is that large
        if not used:
            return False
        self._offset += used
        self._sink.put(self._new_of(items))
        self._sink.commit(self.resume())
        return True

    def _parse(self, block: bytes, *, last: bool) -> tuple[list[Lines | Chunk], int]:
        simple = not any(self._skip.values())
        unfinished = self._sink.unfinished()
        return parse_entries(block, max_line=self._max_line, simple=simple, unfinished=unfinished, last=last)

    def _new_of(self, items: list[Lines | Chunk]) -> Iterator[Lines | Chunk]:
        """Without what is written already."""
        for item in items:
            if isinstance(item, Lines):
                self._behind["stdout"] += item.stdout[1]
                self._behind["stderr"] += item.stderr[1]
                yield item
                continue
            stream, size = item.stream, len(item.data)
            self._behind[stream] += size
            known = min(self._skip[stream], size)
            self._skip[stream] -= known
            if known < size:
                yield item._replace(data=item.data[known:]) if known else item

    def _sleep(self) -> None:
        """Until there is more, or the container has ended. Raises StoppedError."""
        self._wake.clear()
        watched = self._growth.watch(self._file, self._wake)
        if self._sink.stopped.is_set():
            raise StoppedError
        if not self._sink.ended.is_set() and os.fstat(self._file).st_size <= self._seen:
            self._wake.wait(None if watched else _POLL_SECONDS)

    def _reopen(self) -> bool:
        """Go on with another file of the same name, where the engine made one. Engines as known go on with theirs."""
        try:
            if self._path.stat().st_ino == os.fstat(self._file).st_ino:
                return False
            file = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return False  # it went with the container
        os.close(self._file)
        self._file = file
        self._offset = self._origin = self._seen = 0
        self._behind, self._skip = dict.fromkeys(STREAMS, 0), dict.fromkeys(STREAMS, 0)
        return True
