"""FakeRuntime: no process is started; the job's environment is the script of what happens.

    FAKE_SECONDS=1.5        how long it runs (default 0)
    FAKE_EXIT_CODE=3        how it ends (default 0)
    FAKE_STDOUT, FAKE_STDERR   what it writes at its start
    FAKE_MEMORY=100m        its memory usage, FAKE_MEMORY_PEAK=200m its peak, FAKE_CPU_SECONDS=0.5, FAKE_PROCESSES=3
    FAKE_OOM=1              the kernel kills it for memory at the end of FAKE_SECONDS
    FAKE_IGNORE_TERM=1      SIGTERM does nothing, only SIGKILL ends it
    FAKE_FAIL=start | wait | vanish   the start is refused; the engine goes away; the execution vanishes

Logs, limits, stop, removal and recovery are as real as the contract asks. `clock` gives UTC nanoseconds; with an own clock the
job's log and times are those of the clock.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import anyio
import anyio.lowlevel

from fluster.cri import CriWriter
from fluster.errors import EngineUnavailableError, InfrastructureError, StartError
from fluster.gpu import Gpu
from fluster.job import Figures, Limits, Source
from fluster.runtime.capacity import check_capacity
from fluster.runtime.contract import (
    Execution,
    ExecutionLostError,
    ExecutionSpec,
    ExitResult,
    FiguresReader,
    Point,
    Runtime,
    RuntimeInfo,
)
from fluster.runtime.log_counts import job_log_counts
from fluster.runtime.operations import Operations
from fluster.sizes import parse_size

__all__ = ["FakeRuntime"]


@dataclass
class _FakeJob:
    spec: ExecutionSpec
    started_ns: int
    signals: list[int] = field(default_factory=list)
    kill_at: float | None = None
    changed: anyio.Event = field(default_factory=anyio.Event)
    result: ExitResult | None = None

    def script(self, name: str, default: str = "") -> str:
        return self.spec.env.get(f"FAKE_{name}", default)


class FakeRuntime(Runtime):
    """Jobs outlive the runtime object as long as `jobs` is handed to the next one: that is how recovery is tested."""

    uses_source_tree = True

    def __init__(
        self,
        *,
        clock: Callable[[], int] | None = None,
        jobs: dict[str, _FakeJob] | None = None,
        gpus: Sequence[Gpu] = (),
    ) -> None:
        self._clock = clock or time.time_ns
        self.gpus = tuple(gpus)
        self.jobs: dict[str, _FakeJob] = {} if jobs is None else jobs
        self.operations = Operations("start", "stop", "remove")
        self.orphans_removed = 0
        self.away = False
        """True: the engine does not answer."""
        enforced = ("cpu", "memory", "processes", "disk", *(("gpus",) if gpus else ()))
        self.info = RuntimeInfo(name="fake", engine_version="1", figures=Source.KERNEL, enforced=enforced)

    async def open(self) -> None:
        await self.ping()

    async def close(self) -> None:
        """Jobs go on."""

    async def ping(self) -> None:
        if self.away:
            raise EngineUnavailableError("the fake engine is away")

    def check(self, limits: Limits) -> None:
        check_capacity(limits, gpus=self.gpus)

    async def start(self, spec: ExecutionSpec) -> Execution:
        with self.operations.observe("start"):
            await self.ping()
            await anyio.lowlevel.checkpoint()
            if spec.env.get("FAKE_FAIL") == "start":
                raise StartError(f"command not found: {spec.command[0]!r}; the script says so")
            job = _FakeJob(spec, self._clock())
            self.jobs[spec.job_id] = job
            with CriWriter(spec.log_path, **spec.log_bounds._asdict()) as log:
                for stream in ("stdout", "stderr"):
                    log.write(stream, job.started_ns, job.script(stream.upper()).encode())
            return Execution(job_id=spec.job_id, handle=spec.job_id, started_ns=job.started_ns, spec=spec)

    async def wait(self, execution: Execution) -> ExitResult:
        job = self._job(execution)
        if job.script("FAIL") == "vanish":
            raise ExecutionLostError("the execution vanished; the script says so", _figures(job, self._clock()))
        if job.script("FAIL") == "wait":
            raise EngineUnavailableError("the engine went away; the script says so")
        if job.result is None:
            code = await self._run(job)
            oom = job.script("OOM") == "1" and not job.signals
            job.result = ExitResult(
                exit_code=137 if oom else code,
                finished_ns=max(self._clock(), job.started_ns),
                oom_killed=oom,
                figures=_figures(job, self._clock()).evolve(oom_kills=int(oom)),
                logs=job_log_counts(job.spec.log_path),
            )
        return job.result

    async def _run(self, job: _FakeJob) -> int:
        ends = time.monotonic() + float(job.script("SECONDS", "0"))
        while True:
            deadline = ends if job.kill_at is None else min(ends, job.kill_at)
            with anyio.move_on_after(max(deadline - time.monotonic(), 0)):
                await job.changed.wait()
                job.changed = anyio.Event()
            if job.signals and job.script("IGNORE_TERM") != "1":
                return 143
            if job.kill_at is not None and time.monotonic() >= job.kill_at:
                return 137
            if time.monotonic() >= ends:
                return int(job.script("EXIT_CODE", "0"))

    async def stop(self, execution: Execution, grace_seconds: float) -> None:
        with self.operations.observe("stop"):
            job = self.jobs.get(execution.job_id)
            if job is None or job.result is not None:
                return
            at = time.monotonic() + grace_seconds
            job.kill_at = at if job.kill_at is None else min(job.kill_at, at)
            job.signals.append(15)
            job.changed.set()

    def reader(self, execution: Execution) -> FiguresReader:
        return _FakeReader(self._job(execution), self._clock)

    async def remove(self, execution: Execution) -> None:
        with self.operations.observe("remove"):
            self.jobs.pop(execution.job_id, None)

    async def recover(self, specs: dict[str, ExecutionSpec], handles: dict[str, str]) -> dict[str, Execution]:
        for job_id in self.jobs.keys() - specs.keys():
            del self.jobs[job_id]
            self.orphans_removed += 1
        return {
            job_id: Execution(job_id=job_id, handle=job_id, started_ns=self.jobs[job_id].started_ns, spec=spec)
            for job_id, spec in specs.items()
            if job_id in self.jobs
        }

    def _job(self, execution: Execution) -> _FakeJob:
        try:
            return self.jobs[execution.job_id]
        except KeyError:
            raise InfrastructureError("the execution vanished") from None


def _figures(job: _FakeJob, now_ns: int) -> Figures:
    memory = parse_size(job.script("MEMORY", "1m"))
    limit = job.spec.limits.memory_bytes
    peak = limit if job.script("OOM") == "1" and limit else parse_size(job.script("MEMORY_PEAK", "1m"))
    cpu = float(job.script("CPU_SECONDS", "0"))
    processes = int(job.script("PROCESSES", "1"))
    return Figures(
        sampled_at_ns=now_ns,
        memory_usage_bytes=memory,
        memory_working_set_bytes=memory,
        memory_anon_bytes=memory,
        memory_cache_bytes=0,
        memory_peak_bytes=max(peak, memory),
        memory_peak_source=Source.KERNEL,
        memory_limit_hits=0,
        oom_kills=0,
        cpu_user_seconds=cpu * 0.75,
        cpu_system_seconds=cpu * 0.25,
        cpu_source=Source.KERNEL,
        processes=processes,
        processes_peak=processes,
        processes_peak_source=Source.KERNEL,
    )


class _FakeReader:
    def __init__(self, job: _FakeJob, clock: Callable[[], int]) -> None:
        self._job = job
        self._clock = clock
        self._figures = Figures()

    def sample(self) -> Point:
        figures = self._figures = _figures(self._job, self._clock())
        return Point(
            figures.sampled_at_ns,
            int((figures.cpu_seconds or 0) * 1e9),
            figures.memory_usage_bytes,
            figures.memory_working_set_bytes,
            figures.memory_anon_bytes,
            figures.processes,
        )

    def sample_memory(self) -> Point | None:
        return None

    def figures(self, **seen: Any) -> Figures:
        return self._figures.evolve(**seen)
