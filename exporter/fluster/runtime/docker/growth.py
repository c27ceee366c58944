"""Wakes whoever reads a growing file: inotify, one instance and one thread for all files of a runtime.

A watch is for one time only: under a flood the reader is busy anyway, and neither the kernel nor this thread has work with it.
"""

from __future__ import annotations

import ctypes
import os
import select
import struct
import threading
from typing import Final

__all__ = ["Growth"]

_MODIFY: Final = 0x2
_ONCE: Final = 0x80000000
_EVENT: Final = struct.Struct("iIII")
_BUFFER: Final = 64 * 1024


class Growth:
    """Thread-safe. Its thread starts with the first watch."""

    def __init__(self) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._lock = threading.Lock()
        self._waiting: dict[int, list[threading.Event]] = {}
        self._thread: threading.Thread | None = None
        self._closed = False
        self._stop = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._inotify = int(self._libc.inotify_init1(os.O_CLOEXEC | os.O_NONBLOCK))

    def watch(self, descriptor: int, grown: threading.Event) -> bool:
        """Set `grown` at the next write to this open file. False where the kernel refuses: then look from time to time."""
        with self._lock:
            if self._closed or self._inotify < 0:
                return False
            path = f"/proc/self/fd/{descriptor}".encode("ascii")
            watch = int(self._libc.inotify_add_watch(self._inotify, path, ctypes.c_uint32(_MODIFY | _ONCE)))
            if watch < 0:
                return False
            # Under the lock, so that the thread finds it there however soon the file grows.
            waiting = self._waiting.setdefault(watch, [])
            if grown not in waiting:
                waiting.append(grown)
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="fluster-log-growth", daemon=True)
                self._thread.start()
        return True

    def close(self) -> None:
        """Ends the thread; nobody is woken any more. Idempotent."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
        if self._thread is not None:
            os.eventfd_write(self._stop, 1)
            self._thread.join()
        os.close(self._stop)
        if self._inotify >= 0:
            os.close(self._inotify)

    def _work(self) -> None:
        poll = select.poll()
        poll.register(self._inotify, select.POLLIN)
        poll.register(self._stop, select.POLLIN)
        while True:
            poll.poll()
            if self._closed:
                return
            try:
                data = os.read(self._inotify, _BUFFER)
            except BlockingIOError:
                continue
            at = 0
            while at < len(data):
                watch, _, _, size = _EVENT.unpack_from(data, at)
                at += _EVENT.size + size
                with self._lock:
                    # An overflow (watch -1) lost events: everybody looks.
                    woken = [watch] if watch >= 0 else list(self._waiting)
                    for each in woken:
                        for grown in self._waiting.pop(each, ()):
                            grown.set()
