"""Counts and durations of what the runtime asks of its engine; the collectors show them."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from fluster.errors import JobError

__all__ = ["Operations"]

_OUTCOMES: Final = ("ok", "refused", "error")


class Operations:
    """Thread-safe. `outcomes` counts by (operation, "ok" | "refused" | "error"); listeners get each duration in seconds.

    `names`: all operations that there are, at 0 from the start.
    """

    def __init__(self, *names: str) -> None:
        self._lock = threading.Lock()
        self.names = names
        self.outcomes: Counter[tuple[str, str]] = Counter(
            {(name, outcome): 0 for name in names for outcome in _OUTCOMES}
        )
        self.listeners: list[Callable[[str, float], None]] = []

    @contextmanager
    def observe(self, operation: str) -> Iterator[None]:
        """Times the block; a JobError means that the engine answered and refused, anything else that it failed."""
        outcome = "error"
        began = time.perf_counter()
        try:
            yield
            outcome = "ok"
        except JobError as error:
            outcome = "error" if error.end_reason == "infrastructure" else "refused"
            raise
        finally:
            seconds = time.perf_counter() - began
            with self._lock:
                self.outcomes[operation, outcome] += 1
            for listener in self.listeners:
                listener(operation, seconds)

    def snapshot(self) -> dict[tuple[str, str], int]:
        """The counts by (operation, outcome) as they are now."""
        with self._lock:
            return dict(self.outcomes)
