"""Where a capture's entries go: the job's log, patient with a full disk.

The engine still has all that was not written, so nothing is given up while the container runs. Once it has ended, the job's end
waits for the disk only a moment: what does not fit by then is counted as lost.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from typing import Final

from fluster.cri import CriWriter, Resume
from fluster.runtime.docker.entries import Chunk, Lines

__all__ = ["STREAMS", "Sink", "StoppedError"]

STREAMS: Final = ("stdout", "stderr")
_AGAIN_SECONDS: Final = 1.0
_PATIENCE_SECONDS: Final = 10.0
"""How long a full disk may hold up the end of a job."""


class StoppedError(Exception):
    """The capture was told to stop: what is not written is taken by another one."""


class Sink:
    """`stopped` and `ended` tell of the capture and its container."""

    def __init__(self, log: CriWriter, *, stopped: threading.Event, ended: threading.Event) -> None:
        self.log = log
        self.stopped = stopped
        self.ended = ended
        self._deadline: float | None = None

    def put(self, items: Iterable[Lines | Chunk]) -> None:
        for item in items:
            if isinstance(item, Lines):
                self.log.add_lines(
                    item.text, stdout=item.stdout, stderr=item.stderr, first_ns=item.first_ns, last_ns=item.last_ns
                )
            else:
                self.log.add(*item)

    def unfinished(self) -> set[str]:
        """The streams of which the beginning of a line was taken and not its end."""
        counts = self.log.counts
        parts = {"stdout": counts.stdout_parts, "stderr": counts.stderr_parts}
        return {stream for stream in STREAMS if self.log.held(stream) or parts[stream]}

    def commit(self, resume: Resume | None) -> None:
        """Write what was put, whenever the disk allows it. Raises StoppedError."""
        while not self.log.commit(resume):
            if self.ended.is_set():
                self._deadline = self._deadline or time.monotonic() + _PATIENCE_SECONDS
                if time.monotonic() >= self._deadline:
                    self.log.drop_pending()
                    self.log.commit(resume)
                    return
            if self.stopped.wait(_AGAIN_SECONDS):
                raise StoppedError
