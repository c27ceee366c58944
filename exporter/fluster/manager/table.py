"""All remembered jobs in memory, in order of submission. What stands here is durable already."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from fluster.errors import InvalidArgumentError, NotFoundError
from fluster.job import Job, JobState

__all__ = ["JobPage", "JobTable"]


@dataclass(frozen=True, slots=True)
class JobPage:
    """Jobs, newest first, and the cursors of the pages beside it."""

    jobs: list[Job]
    next_cursor: str
    """Of the older ones; empty on the last page."""
    newer_cursor: str | None = None
    """Of as many newer ones: empty where that is the first page, None on the first page itself."""


class JobTable:
    """No I/O and no awaiting: every method is a look into memory on the event loop."""

    def __init__(self) -> None:
        self._jobs: dict[str, Job] = {}
        self._order: list[tuple[int, str]] = []
        self._finished: list[tuple[int, str]] = []
        """Terminal jobs by the time of their end."""
        self._counts = dict.fromkeys((state for state in JobState if state), 0)

    def __len__(self) -> int:
        return len(self._jobs)

    def __contains__(self, job_id: str) -> bool:
        return job_id in self._jobs

    def __iter__(self) -> Iterator[Job]:
        return iter(list(self._jobs.values()))

    def get(self, job_id: str) -> Job:
        """Raises NotFoundError."""
        try:
            return self._jobs[job_id]
        except KeyError:
            raise NotFoundError(
                f"there is no job {job_id[:128]!r}; it may have been forgotten, `fluster ps` lists the known ones",
                field="job_id",
            ) from None

    def find(self, job_id: str) -> Job | None:
        return self._jobs.get(job_id)

    def put(self, job: Job) -> Job | None:
        """Make `job` visible; returns what stood there before."""
        before = self._jobs.get(job.id)
        self._jobs[job.id] = job
        self._counts[job.state] += 1
        if before is None:
            place = bisect_left(self._order, (job.sequence, job.id))
            self._order.insert(place, (job.sequence, job.id))
        else:
            self._counts[before.state] -= 1
        if job.state.terminal and (before is None or not before.state.terminal):
            insort(self._finished, (job.finished_ns or 0, job.id))
        return before

    def remove(self, job_id: str) -> None:
        job = self._jobs.pop(job_id)
        self._counts[job.state] -= 1
        del self._order[bisect_left(self._order, (job.sequence, job_id))]
        if job.state.terminal:
            del self._finished[bisect_left(self._finished, (job.finished_ns or 0, job_id))]

    def counts(self) -> dict[JobState, int]:
        """How many jobs are in each state; every state is there."""
        return dict(self._counts)

    def page(self, *, states: Collection[JobState], text: str, limit: int, cursor: str) -> JobPage:
        """Newest first. `text` is looked for in id and name, without case. Raises InvalidArgumentError for a bad cursor."""
        end = len(self._order)
        wanted = text.casefold()
        newer = None
        if cursor:
            if not (cursor.isascii() and cursor.isdigit() and len(cursor) < 20):
                raise InvalidArgumentError(
                    "cursor", "it is not one that this worker gave; leave it out for the first page"
                )
            end = bisect_left(self._order, (int(cursor), ""))
            newer = self._newer(end, states, wanted, limit)
        found: list[Job] = []
        for place in range(end - 1, -1, -1):
            sequence, job_id = self._order[place]
            job = self._jobs[job_id]
            if not _matches(job, states, wanted):
                continue
            if len(found) == limit:
                return JobPage(found, str(sequence + 1), newer)
            found.append(job)
        return JobPage(found, "", newer)

    def _newer(self, begin: int, states: Collection[JobState], wanted: str, limit: int) -> str:
        """The cursor of the page that ends right before the place `begin`; the first page is never a part of one."""
        count = 0
        for sequence, job_id in self._order[begin:]:
            count += _matches(self._jobs[job_id], states, wanted)
            if count > limit:
                return str(sequence)
        return ""

    def finished(self, *, since_ns: int, at_most: int) -> list[Job]:
        """The terminal jobs that ended last, in the order of their ends. May be called from any thread."""
        newest = self._finished[-at_most:] if at_most else []
        jobs = (self._jobs.get(job_id) for finished_ns, job_id in newest if finished_ns >= since_ns)
        return [job for job in jobs if job is not None]

    def forgettable(self, *, keep_jobs: int, finished_before_ns: int) -> list[str]:
        """Ids of terminal jobs past the limits, those that ended first before the others."""
        surplus = len(self._finished) - keep_jobs
        old = bisect_left(self._finished, (finished_before_ns, ""))
        return [job_id for _, job_id in self._finished[: max(surplus, old)]]


def _matches(job: Job, states: Collection[JobState], wanted: str) -> bool:
    if states and job.state not in states:
        return False
    return not wanted or wanted in job.id.casefold() or wanted in job.name.casefold()
