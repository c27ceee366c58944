"""What of a job's page stays as it is once it is known: its command and the facts part, made once for all who read the page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import anyio

from fluster.job import Job
from fluster.web.pages.facts import command, facts, variables
from fluster.web.pages.rendering import Rendering

__all__ = ["FactSheet", "FactSheets"]

_JOBS: Final = 32


@dataclass(frozen=True, slots=True)
class FactSheet:
    command: str
    part: str
    """The facts part, rendered."""


class FactSheets:
    """Remembers the sheets of the jobs that were looked at last. Masking costs a millisecond for each KiB: it is done in a thread."""

    def __init__(self, rendering: Rendering, threads: anyio.CapacityLimiter) -> None:
        self._rendering = rendering
        self._threads = threads
        self._making = anyio.Lock()
        self._sheets: dict[str, tuple[tuple[Any, ...], FactSheet]] = {}
        """By job, with what each was made of; that which was read last stands last."""

    async def get(self, job: Job) -> FactSheet:
        if found := self._find(job):
            return found
        async with self._making:  # whoever waited finds what the first one made
            if found := self._find(job):
                return found
            sheet = await anyio.to_thread.run_sync(self._make, job, limiter=self._threads)
            self._sheets[job.id] = _made_of(job), sheet
            while len(self._sheets) > _JOBS:
                del self._sheets[next(iter(self._sheets))]
            return sheet

    def _find(self, job: Job) -> FactSheet | None:
        kept = self._sheets.pop(job.id, None)
        if kept is None or kept[0] != _made_of(job):
            return None
        self._sheets[job.id] = kept
        return kept[1]

    def _make(self, job: Job) -> FactSheet:
        words = command(job)
        return FactSheet(words, self._rendering.part("job", "facts", words, facts(job), variables(job)))


def _made_of(job: Job) -> tuple[Any, ...]:
    return job.request, job.build, job.ports, job.gpus, job.worker_id
