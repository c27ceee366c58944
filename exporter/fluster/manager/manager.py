"""JobManager: accepts jobs, keeps them in order, gives them slots, answers for them, and forgets them in the end.

Every change of a job goes through one door, `_change`: durable first, then visible, then told to the listeners.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, deque
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, Final

import anyio
from anyio.abc import TaskGroup
from loguru import logger

from fluster.errors import (
    AlreadyExistsError,
    InfrastructureError,
    InvalidArgumentError,
    ResourceExhaustedError,
    UnavailableError,
    UnschedulableError,
)
from fluster.job import EndReason, Job, JobRequest, JobState, Sample, check_job_id, new_job_id
from fluster.manager.defaults import with_defaults
from fluster.manager.live import LiveJob
from fluster.manager.recovery import clear_ended, recover
from fluster.manager.table import JobPage, JobTable
from fluster.manager.upkeep import Upkeep
from fluster.runtime import Execution
from fluster.supervisor import Supervisor, SupervisorParts
from fluster.supervisor.life import sentence
from fluster.supervisor.verdict import Verdict, judge_error, judge_request
from fluster.worker_log import about

__all__ = ["JobManager"]

_RETRY_SECONDS: Final = 1.0
_DRAIN_SECONDS: Final = 30.0
"""What killed jobs get beyond their grace before the worker stops without them."""


class JobManager:
    """All methods belong to the event loop that entered `running()`."""

    def __init__(self, parts: SupervisorParts) -> None:
        self._parts = parts
        self._settings = parts.settings
        self._table = JobTable()
        self._live: dict[str, LiveJob] = {}
        self._queue: deque[str] = deque()
        self._accepting: set[str] = set()
        self._supervised = 0
        self._tasks: TaskGroup
        self.closing = anyio.Event()
        """Set when the worker begins to stop: nothing new is accepted, followers end."""
        self.listeners: list[Callable[[Job | None, Job], None]] = []
        self.recovered: Counter[str] = Counter()
        """Jobs found at start, by outcome: "adopted", "lost", "queued"."""

    @asynccontextmanager
    async def running(self) -> AsyncIterator[JobManager]:
        """Load what was remembered, go on with it, and accept jobs. On exit: drained as the settings say, then closed."""
        remembered = self._parts.store.open()
        try:
            async with anyio.create_task_group() as self._tasks:
                for job in remembered:
                    self._table.put(job)
                    if not job.state.terminal:
                        self._live[job.id] = LiveJob(self._parts.logs.live_counts(job.id))
                loop = asyncio.get_running_loop()
                self._parts.sampler.on_disk = lambda job_id, used: _hop(loop, self._check_disk, job_id, used)
                await self._resume([job for job in remembered if not job.state.terminal])
                ended = {job.id for job in remembered if job.state.terminal}
                await anyio.to_thread.run_sync(clear_ended, self._parts, ended, limiter=self._parts.files)
                upkeep = Upkeep(self._parts, self._table, self._live)
                self._tasks.start_soon(upkeep.forget)
                self._tasks.start_soon(upkeep.count_logs)
                try:
                    yield self
                finally:
                    with anyio.CancelScope(shield=True):
                        await self._drain()
                    self._tasks.cancel_scope.cancel()
        finally:
            for live in self._live.values():
                live.counts.close()
            self._parts.store.close()

    # Answers

    def get(self, job_id: str) -> Job:
        """The job with its figures and log counts as of now. Raises NotFoundError."""
        return self._now(self._table.get(job_id))

    def jobs(self) -> Iterator[Job]:
        """All remembered jobs as of now, in no particular order. No I/O."""
        return map(self._now, self._table)

    def exported(self, *, finished_since_ns: int, most_finished: int) -> Iterable[Job]:
        """Every live job as of now, and the last ones that ended. No I/O; may be called from any thread."""
        # The live ones are taken first, each with what is kept of it: one that ends meanwhile is in both, comes once, and whole.
        living = [(self._table.find(job_id), live) for job_id, live in list(self._live.items())]
        finished = self._table.finished(since_ns=finished_since_ns, at_most=most_finished)
        now = [self._as_of_now(job, live) for job, live in living if job is not None]
        return {job.id: job for job in (*now, *finished)}.values()

    def list(
        self, *, states: Collection[JobState] = frozenset(), text: str = "", limit: int = 100, cursor: str = ""
    ) -> JobPage:
        """One page, newest first, of jobs in `states` (all where empty) with `text` in id or name."""
        page = self._table.page(states=states, text=text, limit=limit, cursor=cursor)
        return JobPage([self._now(job) for job in page.jobs], page.next_cursor, page.newer_cursor)

    def counts(self) -> dict[JobState, int]:
        return self._table.counts()

    async def samples(self, job_id: str) -> Sequence[Sample]:
        """The last minute of a job, oldest first: up to now while it runs, up to its end after that. Empty where nothing was seen of it."""
        if job_id in self._live:
            return self._parts.sampler.samples(job_id)
        job = self._table.find(job_id)
        if job is None or job.run_started_ns is None:
            return []
        try:
            return await self._parts.store.samples(job_id)
        except InfrastructureError as error:
            logger.warning("the samples of job {} are left out: {}", job_id, error)
            return []

    @property
    def slots(self) -> int:
        return self._settings.max_jobs

    @property
    def slots_used(self) -> int:
        return self._supervised

    @property
    def queue_length(self) -> int:
        return len(self._queue)

    @property
    def queue_limit(self) -> int:
        return self._settings.queue_limit

    def _now(self, job: Job) -> Job:
        live = self._live.get(job.id)
        return job if live is None else self._as_of_now(job, live)

    def _as_of_now(self, job: Job, live: LiveJob) -> Job:
        if job.state.terminal:
            return job
        wanted = job.request.limits.gpus
        if wanted and self._queue and self._queue[0] == job.id and self._supervised < self.slots:
            return job.evolve(status_message=f"waiting for GPUs: {wanted} asked for, {self._parts.gpus.free} free")
        return job.evolve(figures=self._parts.sampler.latest(job.id) or job.figures, logs=live.logs)

    # Requests

    async def submit(self, request: JobRequest, job_id: str | None = None) -> Job:
        """Accept a job; it is durable when this returns. Refused: bad or taken id, unknown upload, full queue, stopping worker."""
        job_id = check_job_id(job_id) if job_id else new_job_id()
        request = with_defaults(request, self._settings)
        self._refuse_if_unable(job_id)
        if request.bundle_sha256 and not request.bundle and not self._parts.bundles.has(request.bundle_sha256):
            raise InvalidArgumentError(
                "bundle_sha256",
                f"no bundle {request.bundle_sha256[:64]!r} is here; upload it by PUT /api/bundles first",
            )
        with about(job_id, JobState.PENDING.phase):
            return await self._accept(request, job_id)

    async def _accept(self, request: JobRequest, job_id: str) -> Job:
        self._accepting.add(job_id)
        try:
            job = await self._parts.store.insert(
                Job(id=job_id, request=request, worker_id=self._settings.worker_id, submitted_ns=time.time_ns())
            )
            self._live[job_id] = LiveJob(self._parts.logs.live_counts(job_id))
            self._show(job)
        except InfrastructureError as error:
            raise UnavailableError(f"the job was not accepted: {error}") from error
        finally:
            self._accepting.discard(job_id)
        job = await self._enqueue(job)
        self._dispatch()
        return job

    async def kill(self, job_id: str, grace_seconds: float | None = None) -> Job:
        """Ask for the end of a job; `wait` confirms it. A waiting job ends at once, a terminal one stays as it is."""
        job = self._table.get(job_id)
        live = self._live.get(job_id)
        if live is None:
            return job
        with about(job_id, job.state.phase):
            live.end.ask(EndReason.USER, job.request.grace_seconds if grace_seconds is None else grace_seconds)
            if job_id in self._queue:
                self._queue.remove(job_id)
                self._dispatch()
                return await self._end(job_id, judge_request(job, EndReason.USER))
        return self.get(job_id)

    async def wait(self, job_id: str) -> Job:
        """The job once it is terminal."""
        self._table.get(job_id)
        live = self._live.get(job_id)
        if live is not None:
            await live.done.wait()
        return self._table.get(job_id)

    def _refuse_if_unable(self, job_id: str) -> None:
        if self.closing.is_set():
            raise UnavailableError("the worker is stopping; submit the job again once it is back")
        if job_id in self._table or job_id in self._accepting:
            raise AlreadyExistsError(
                f"job_id: there is a job {job_id!r} already; choose another id or leave it out", field="job_id"
            )
        # Where jobs wait although slots are free, they wait for GPUs: one more waits behind them.
        free = 0 if self._queue else self.slots - self._supervised
        if len(self._queue) + len(self._accepting) - free >= self.queue_limit:
            raise ResourceExhaustedError(
                f"the queue is full: {len(self._queue)} jobs wait and --queue-limit is {self.queue_limit}; try again later"
            )

    # The way of jobs

    async def _resume(self, jobs: Sequence[Job]) -> None:
        """Go on with what a former worker left: running jobs are adopted, the others wait in their order again."""
        adopted = await recover(self._parts, jobs)
        for job in jobs:
            if job.id in adopted:
                self._parts.gpus.adopt(job.gpus)  # all of them, before anyone could be given one
        for job in jobs:
            if job.id in adopted:
                self.recovered["lost" if adopted[job.id].lost else "adopted"] += 1
                self._start(job.id, job.gpus, adopted[job.id])
            elif job.state is JobState.RUNNING:
                self.recovered["lost"] += 1
                self._parts.ports.give_back(job.ports)
                await self._end(
                    job.id,
                    judge_error(InfrastructureError("nothing was left of it when the worker came back")),
                )
            else:
                self.recovered["queued"] += 1
                await self._enqueue(job)
        self._dispatch()

    async def _enqueue(self, job: Job) -> Job:
        """Let it wait for its turn, if it can ever come here: nothing else may stand at the head of the queue."""
        try:
            self._parts.runtime.check(job.request.limits)
        except UnschedulableError as error:
            return await self._end(job.id, judge_error(error))
        self._queue.append(job.id)
        return job

    def _dispatch(self) -> None:
        while self._queue and self._supervised < self.slots and not self.closing.is_set():
            gpus = self._parts.gpus.take(self._table.get(self._queue[0]).request.limits.gpus)
            if gpus is None:
                return  # a job that asks for less does not overtake: one that asks for many would never come to its turn
            self._start(self._queue.popleft(), gpus, None)

    def _start(self, job_id: str, gpus: tuple[str, ...], adopted: Execution | None) -> None:
        self._supervised += 1
        if adopted is not None and not adopted.lost:
            with about(job_id, JobState.RUNNING.phase):
                logger.info("job {} adopted: it ran on while no worker did", job_id)
        self._tasks.start_soon(self._supervise, job_id, gpus, adopted, name=f"job {job_id}")

    async def _supervise(self, job_id: str, gpus: tuple[str, ...], adopted: Execution | None) -> None:
        supervisor = Supervisor(
            self._parts,
            self._table.get(job_id).evolve(gpus=gpus),
            partial(self._change, job_id),
            self._live[job_id].end,
        )
        try:
            with about(job_id, self._table.get(job_id).state.phase):
                await supervisor.run(adopted)
        except Exception as error:  # noqa: BLE001 # the last boundary: one broken supervisor must not end the others
            with about(job_id, self._table.get(job_id).state.phase):
                logger.exception("the supervisor of job {} broke", job_id)
            await self._end(job_id, judge_error(error))
        finally:
            self._supervised -= 1
            self._parts.gpus.give_back(gpus)
            self._dispatch()

    async def _end(self, job_id: str, verdict: Verdict) -> Job:
        """The end of a job that no supervisor ends."""
        return await self._change(
            job_id, state=verdict.state, end_reason=verdict.reason, error=verdict.error, finished_ns=time.time_ns()
        )

    async def _change(
        self, job_id: str, *, before_seen: Callable[[], Awaitable[None]] | None = None, **changes: Any
    ) -> Job:
        """Durable, then visible. A full disk delays the change until there is room; it never loses it.

        `before_seen` is what has to be done between the two.
        """
        job = self._table.get(job_id).evolve(**changes)
        samples = self._parts.sampler.samples(job_id) if job.state.terminal else []
        while True:
            try:
                await self._parts.store.save(job, samples)
                break
            except InfrastructureError as error:
                if samples:
                    samples = []  # without them there may be room
                    continue
                with about(job_id, job.state.phase):
                    logger.error("cannot record job {} as {}: {}", job_id, job.state.label, error)
                await anyio.sleep(_RETRY_SECONDS)
        if before_seen is not None:
            try:
                await before_seen()
            except Exception:  # noqa: BLE001 # it is recorded, whatever fails now
                logger.exception("clearing away after job {} failed", job_id)
        self._show(job)
        return job

    def _show(self, job: Job) -> None:
        before = self._table.put(job)
        with about(job.id, job.state.phase):
            if said := sentence(before, job):
                logger.info("{}", said)
            for listener in self.listeners:
                try:
                    listener(before, job)
                except Exception:  # noqa: BLE001 # whoever looks on cannot hold up a job
                    logger.exception("a listener failed on job {}", job.id)
        if job.state.terminal and (live := self._live.pop(job.id, None)):
            live.counts.close()
            self._parts.sampler.forget(job.id)
            live.done.set()

    def _check_disk(self, job_id: str, used_bytes: int) -> None:
        live = self._live.get(job_id)
        if live is None:
            return
        request = self._table.get(job_id).request
        if request.limits.disk_bytes and used_bytes > request.limits.disk_bytes:
            live.end.ask(EndReason.DISK_QUOTA, request.grace_seconds)

    async def _drain(self) -> None:
        """Running jobs are waited for, killed or left, as --drain says; waiting ones stay durable and wait for the next start."""
        self.closing.set()
        if self._settings.drain == "leave":
            return
        running = [job for job in self._table if job.id in self._live and job.id not in self._queue]
        deadline = None
        if self._settings.drain == "kill":
            for job in running:
                self._live[job.id].end.ask(EndReason.SHUTDOWN, job.request.grace_seconds)
            deadline = max((job.request.grace_seconds for job in running), default=0) + _DRAIN_SECONDS
        with anyio.move_on_after(deadline):
            for job in running:
                if live := self._live.get(job.id):
                    await live.done.wait()


def _hop(loop: asyncio.AbstractEventLoop, work: Callable[[str, int], None], job_id: str, used: int) -> None:
    """From the walking thread to the event loop; once that is closed nobody listens any more."""
    if not loop.is_closed():
        loop.call_soon_threadsafe(work, job_id, used)
