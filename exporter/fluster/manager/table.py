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
    """Jobs, newest first, and the cursor of the next page (empty on the last)."""

    jobs: list[Job]
    next_cursor: str


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
        if cursor:
            if not (cursor.isascii() and cursor.isdigit() and len(cursor) < 20):
                raise InvalidArgumentError(
                    "cursor", "it is not one that this worker gave; leave it out for the first page"
                )
            end = bisect_left(self._order, (int(cursor), ""))
        wanted = text.casefold()
        found: list[Job] = []
        for place in range(end - 1, -1, -1):
            sequence, job_id = self._order[place]
            job = self._jobs[job_id]
            if (states and job.state not in states) or (
                wanted and wanted not in job.id.casefold() and wanted not in job.name.casefold()
            ):
                continue
            if len(found) == limit:
                return JobPage(found, str(sequence + 1))
            found.append(job)
        return JobPage(found, "")

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
