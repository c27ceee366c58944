"""Lines on their way to stderr: who logs never waits for who reads."""

from __future__ import annotations

import os
import queue
import select
import threading
from collections.abc import Callable
from typing import Final

__all__ = ["Writer"]

_BLOCK_BYTES: Final = 64 * 1024
_LIMIT_BYTES: Final = 1024**2
_RETRY_SECONDS: Final = 0.25


class Writer:
    """Writes in a thread of its own, behind a bounded queue; a full pipe, a closed one or a full disk stops nobody else.

    Where the queue is full the newest lines are dropped and counted, and `note(count)` is written once half of it is free.
    """

    def __init__(self, descriptor: int, note: Callable[[int], bytes], *, limit_bytes: int = _LIMIT_BYTES) -> None:
        self._descriptor = descriptor
        self._note = note
        self._limit = limit_bytes
        # This queue and this lock may be entered again by the same thread: destructors log in the middle of anything.
        self._queue: queue.SimpleQueue[bytes | threading.Event] = queue.SimpleQueue()
        self._lock = threading.RLock()
        self._waiting = 0
        """Bytes that are accepted and not written."""
        self._dropped = 0
        self._given_up = threading.Event()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="fluster-worker-log", daemon=True)
        self._thread.start()

    def put(self, line: bytes) -> None:
        """From any thread, at any time. Never waits, never raises."""
        with self._lock:
            # Half of it must be free again before it goes on: else lines and notes would take turns.
            if self._waiting + len(line) > (self._limit // 2 if self._dropped else self._limit):
                self._dropped += 1
                return
            line = self._due_note() + line
            self._waiting += len(line)
            self._queue.put(line)

    def flush(self, seconds: float) -> bool:
        """Wait until all that was put is written, but no longer than this."""
        written = threading.Event()
        self._queue.put(written)
        return written.wait(seconds)

    def close(self, seconds: float) -> None:
        """Flush, and end the thread if it can end: one that waits for a reader is left behind."""
        self._closing = True
        self.flush(seconds)
        self._given_up.set()
        self._thread.join(0.1)

    def _due_note(self) -> bytes:
        count, self._dropped = self._dropped, 0
        return self._note(count) if count else b""

    def _run(self) -> None:
        while True:
            block, flushed = self._take()
            self._write(block)
            with self._lock:
                self._waiting -= len(block)
                late = b"" if self._waiting else self._due_note()
            self._write(late)
            if flushed is not None:
                flushed.set()
                if self._closing:
                    return

    def _take(self) -> tuple[bytes, threading.Event | None]:
        """What waits, up to a block, and who waits for its end."""
        lines: list[bytes] = []
        size = 0
        each = self._queue.get()
        while not isinstance(each, threading.Event):
            lines.append(each)
            size += len(each)
            if size >= _BLOCK_BYTES:
                return b"".join(lines), None
            try:
                each = self._queue.get_nowait()
            except queue.Empty:
                return b"".join(lines), None
        return b"".join(lines), each

    def _write(self, block: bytes) -> None:
        """To the last byte, or the next line would be glued to half of one. Whatever fails is tried again."""
        rest = memoryview(block)
        while rest and not self._given_up.is_set():
            try:
                rest = rest[os.write(self._descriptor, rest) :]
            except BlockingIOError:  # who shares the pipe made it so
                self._await_room()
            except OSError:
                self._given_up.wait(_RETRY_SECONDS)

    def _await_room(self) -> None:
        poll = select.poll()
        poll.register(self._descriptor, select.POLLOUT)
        poll.poll(1000)
