"""One thread that looks at once where something happens: for what the kernel keeps only as long as a container's own cgroup exists.

On v1 a kill for memory is counted in the victim's own cgroup, and bytes of devices of a removed cgroup are lost to its parent: an
engine's container takes both along. Some milliseconds pass between its last process's end and the engine's removal of its cgroup.
"""

from __future__ import annotations

import heapq
import os
import select
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

__all__ = ["Lookout"]

_AGAIN_SECONDS = (0.001, 0.005, 0.02)
"""A kill is announced just before it is done and counted."""
_CLOSE_SECONDS = 0.003
"""Less than any engine needs from the end of a container to the removal of its cgroup."""


class Lookout:
    """Thread-safe. Callbacks run in the lookout's thread and may come once more after remove().

    One that raises keeps no other from its turn; `on_error` gets the error, again and again the same one only once.
    """

    def __init__(self, on_error: Callable[[Exception], None] = lambda _error: None) -> None:
        self._on_error = on_error
        self._told = ""
        """The error of the round before."""
        self._poll = select.epoll()
        self._wake = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._poll.register(self._wake, select.EPOLLIN)
        self._lock = threading.Lock()
        self._looks: dict[int, Callable[[], None]] = {}
        self._close: list[Callable[[], None]] = []
        self._stopping = False
        self._thread: threading.Thread | None = None

    def add(self, descriptor: int, look: Callable[[], None]) -> None:
        """Call `look` each time that this eventfd counts or this pidfd's process ends, and once more a moment later."""
        with self._lock:
            self._looks[descriptor] = look
            # Edge-triggered: a pidfd stays readable for good.
            self._poll.register(descriptor, select.EPOLLIN | select.EPOLLET)
            self._start()

    @contextmanager
    def closely(self, look: Callable[[], None]) -> Iterator[None]:
        """Look again and again: while an engine starts what may be over before the engine says that it began."""
        with self._lock:
            self._close.append(look)
            self._start()
        os.eventfd_write(self._wake, 1)
        try:
            yield
        finally:
            with self._lock:
                self._close.remove(look)

    def _start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="fluster-lookout", daemon=True)
            self._thread.start()

    def remove(self, descriptor: int) -> None:
        """Before the descriptor is closed. Idempotent."""
        with self._lock:
            if self._looks.pop(descriptor, None) is not None:
                self._poll.unregister(descriptor)

    def close(self) -> None:
        """Ends the thread."""
        self._stopping = True
        if self._thread is not None:
            os.eventfd_write(self._wake, 1)
            self._thread.join()
        os.close(self._wake)
        self._poll.close()

    def _work(self) -> None:
        again: list[tuple[float, int]] = []
        while not self._stopping:
            timeout = max(again[0][0] - time.monotonic(), 0.0) if again else None
            if self._close:
                timeout = _CLOSE_SECONDS if timeout is None else min(timeout, _CLOSE_SECONDS)
            happened = [descriptor for descriptor, _ in self._poll.poll(timeout)]
            if self._wake in happened:
                happened.remove(self._wake)
                os.eventfd_read(self._wake)
            now = time.monotonic()
            for descriptor in happened:
                for pause in _AGAIN_SECONDS:
                    heapq.heappush(again, (now + pause, descriptor))
            while again and again[0][0] <= now:
                happened.append(heapq.heappop(again)[1])
            with self._lock:
                looks = [self._looks[each] for each in happened if each in self._looks] + self._close
            self._take(dict.fromkeys(looks))

    def _take(self, looks: Iterable[Callable[[], None]]) -> None:
        failed = ""
        for look in looks:
            try:
                look()
            except Exception as error:  # noqa: BLE001 # this thread looks for all jobs
                failed = repr(error)
                if failed != self._told:
                    self._on_error(error)
        self._told = failed
