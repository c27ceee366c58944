"""What the manager keeps of a job that is not terminal yet."""

from __future__ import annotations

import anyio

from fluster.job import LogCounts
from fluster.logs import LiveCounts
from fluster.supervisor import EndRequest

__all__ = ["LiveJob"]


class LiveJob:
    __slots__ = ("counts", "done", "end", "logs")

    def __init__(self, counts: LiveCounts) -> None:
        self.end = EndRequest()
        self.done = anyio.Event()
        self.counts = counts
        self.logs = LogCounts()
        """As of the last look at `counts`."""
