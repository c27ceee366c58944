"""The last lines of a job that failed: most often they say why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from fluster.job import Job, JobState
from fluster.logs import LogFilter, LogStore
from fluster.web.pages.terminal import segments

__all__ = ["LastLine", "last_words", "sources"]

_LINES: Final = 6
_LONGEST: Final = 500
"""Characters of a line; the log has all of it."""


@dataclass(frozen=True, slots=True)
class LastLine:
    number: int
    """Its place in the job's whole log, from 1: `#L120` leads to it."""
    text: str


def sources(job: Job) -> tuple[str, ...]:
    """Where its last words stand, the first that has any; none of a job that did not fail."""
    if job.state not in {JobState.FAILED, JobState.WORKER_FAILED}:
        return ()
    return ("build",) if job.run_started_ns is None else ("stderr", "stdout")


async def last_words(job: Job, logs: LogStore) -> list[LastLine]:
    for source in sources(job):
        page = await logs.query(job.id, LogFilter(sources=frozenset({source}), tail=_LINES))
        if page.entries:
            return [LastLine(entry.sequence + 1, _plain(entry.data)) for entry in page.entries]
    return []


def _plain(data: bytes) -> str:
    """Without colours; other control characters are visible."""
    text = "".join(piece for _, piece in segments(data[: 4 * _LONGEST].decode("utf-8", "replace")))
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
