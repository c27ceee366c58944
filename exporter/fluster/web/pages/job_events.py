"""What a job's page is told while it is open: its parts, how much its log holds, and that it is over.

It is the only connection that the page keeps open: a browser allows six to a worker.
"""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator
from contextlib import closing
from typing import Any, Final

import anyio

from fluster.errors import NotFoundError
from fluster.job import Job, LogCounts
from fluster.logs import SOURCES
from fluster.web.pages.job_parts import JobParts
from fluster.web.pages.live import Changes, event, hello
from fluster.web.services import Services

__all__ = ["JobEvents", "log_counts"]

_LOG_SECONDS: Final = 0.15
_PARTS_SECONDS: Final = 1.0


class JobEvents:
    def __init__(self, services: Services, parts: JobParts, assets: str) -> None:
        self._manager, self._logs = services.manager, services.logs
        self._parts = parts
        self._assets = assets

    async def follow(self, job_id: str) -> AsyncGenerator[bytes, None]:
        """Ends with `end` after the job did or was forgotten, and without it when the worker stops: then the page comes back."""
        changes = Changes()
        stage: tuple[Any, ...] = ()
        looked = 0.0
        yield hello(self._assets)
        with closing(self._logs.live_counts(job_id)) as counts:
            while not self._manager.closing.is_set():
                job = self._find(job_id)
                if job is None:
                    yield event("end", {"forgotten": True})
                    return
                over = job.state.terminal
                # Microseconds on files whose descriptors stay open: less than the way to a thread.
                logs = job.logs if over else counts.read()
                said = changes.value("log", log_counts(logs, complete=over))
                now = time.monotonic()
                if stage != (job.state, job.status_message) or now - looked >= _PARTS_SECONDS:
                    stage, looked = (job.state, job.status_message), now
                    said = changes.parts(await self._parts.all(job)) + said
                if said:
                    yield said
                if over:
                    break
                with anyio.move_on_after(_LOG_SECONDS):
                    await self._manager.closing.wait()
            else:
                return
        yield event("end", {"forgotten": False})

    def _find(self, job_id: str) -> Job | None:
        try:
            return self._manager.get(job_id)
        except NotFoundError:  # forgotten while it was looked at
            return None


def log_counts(logs: LogCounts, *, complete: bool) -> dict[str, Any]:
    """Lines that were written and lines that are not kept any more, by source. `complete`: nothing more comes."""
    return {
        "lines": {source: logs.lines.get(source, 0) for source in SOURCES},
        "retired": {source: logs.retired.get(source, 0) for source in SOURCES},
        "dropped": logs.dropped_lines,
        "complete": complete,
    }
