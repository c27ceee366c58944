"""One job from accepted to removed: bundle, build, start, watch, end, cleanup, verdict.

A supervisor owns the job's workspace and ports and asks builder, bundles, runtime and sampler to do the work. It reports each
step through `transition`, which is durable before it returns. It never raises but for cancellation (the worker stops and
leaves the job running): whatever goes wrong becomes the job's end reason.
"""

from __future__ import annotations

import math
import shutil
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import anyio
from loguru import logger

from fluster.builder.contract import Builder, BuildRequest, BuiltEnvironment
from fluster.bundles import BundleStore
from fluster.config import Settings
from fluster.cri import CriWriter
from fluster.errors import BuildError, InfrastructureError, JobError
from fluster.job import Build, EndReason, Job, JobState
from fluster.logs import LogStore
from fluster.masking import masked_start
from fluster.runtime import Execution, ExecutionLostError, ExitResult, Runtime, Workspace
from fluster.sizes import format_duration
from fluster.stats import Sampler
from fluster.store import Store
from fluster.supervisor.call import write_call
from fluster.supervisor.execution import execution_spec, log_bounds
from fluster.supervisor.gpus import GpuAllocator
from fluster.supervisor.life import built_sentence
from fluster.supervisor.ports import PortAllocator
from fluster.supervisor.verdict import Verdict, judge_error, judge_exit, judge_request
from fluster.worker_log import about

__all__ = ["EndRequest", "Supervisor", "SupervisorParts"]

_CLEANUP_SECONDS: Final = 60.0
"""How long the removal of an execution may take before the job ends without it."""


class EndRequest:
    """Someone's wish that the job end. The first reason stays; a later wish may only shorten the grace."""

    def __init__(self) -> None:
        self.reason: EndReason | None = None
        self.grace_seconds = 0.0
        self._changed = anyio.Event()

    def ask(self, reason: EndReason, grace_seconds: float) -> None:
        if self.reason is None:
            self.reason, self.grace_seconds = reason, grace_seconds
        else:
            self.grace_seconds = min(self.grace_seconds, grace_seconds)
        self._changed.set()
        self._changed = anyio.Event()

    async def wanted(self, obeyed: float = math.inf) -> float:
        """The grace in seconds, once there is a wish with a shorter one than `obeyed`."""
        while self.reason is None or self.grace_seconds >= obeyed:
            await self._changed.wait()
        return self.grace_seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class SupervisorParts:
    """What all supervisors of a worker share."""

    settings: Settings
    store: Store
    runtime: Runtime
    builder: Builder
    bundles: BundleStore
    logs: LogStore
    sampler: Sampler
    ports: PortAllocator = field(default_factory=PortAllocator)
    gpus: GpuAllocator = field(default_factory=GpuAllocator)
    """Taken and given back with the slot of a job, by who hands out the slots."""
    files: anyio.CapacityLimiter = field(default_factory=lambda: anyio.CapacityLimiter(8))
    """Threads for small file work of supervisors."""

    def workspace(self, job_id: str) -> Workspace:
        return Workspace(root=self.settings.state_dir / "work" / job_id)


Transition = Callable[..., Awaitable[Job]]
"""`await transition(state=..., ...)`: the job with these changes, durable and visible; `before_seen=` is done between the two."""


class Supervisor:
    """One per live job; `run()` is one task of the manager's group."""

    def __init__(self, parts: SupervisorParts, job: Job, transition: Transition, end: EndRequest) -> None:
        self._parts = parts
        self._job = job
        self._transition = transition
        self._end = end
        self._workspace = parts.workspace(job.id)
        self._seen = job.figures
        """The figures as far as they are known: sampled while it runs, the runtime's final ones at the end."""

    async def run(self, adopted: Execution | None = None) -> None:
        """Until the job is terminal. `adopted` is the execution of a job that outlived an earlier worker."""
        extra: dict[str, Any] = {}
        ended: Execution | None = None
        try:
            with self._phase(JobState.BUILDING):
                execution = adopted or await self._prepare_and_start()
            if isinstance(execution, Verdict):
                verdict = execution
            else:
                with self._phase(JobState.RUNNING):
                    result = await self._watch(execution)
                self._seen = result.figures.over(self._seen)
                ended = execution
                extra = {"exit_code": result.exit_code, "finished_ns": result.finished_ns}
                asked = EndReason.DISK_QUOTA if result.disk_exceeded else self._end.reason
                verdict = judge_exit(self._job, result, asked)
        except Exception as error:  # noqa: BLE001 # the failure boundary: any error ends this job and no other
            verdict = judge_error(error)
            if isinstance(error, ExecutionLostError):
                self._seen = error.figures.over(self._seen)
            if not isinstance(error, JobError):
                with self._phase(self._job.state):
                    logger.opt(exception=error).error("the supervisor of job {} failed", self._job.id)
        with anyio.CancelScope(shield=True), self._phase(verdict.state):
            await self._finish(verdict, extra, ended)

    def _phase(self, state: JobState) -> AbstractContextManager[None]:
        return about(self._job.id, state.phase)

    async def _step(self, **changes: Any) -> None:
        self._job = await self._transition(**changes)

    async def _prepare_and_start(self) -> Execution | Verdict:
        """Everything up to RUNNING; a Verdict where the job was ended before that."""
        await self._step(
            state=JobState.BUILDING,
            gpus=self._job.gpus,
            build_started_ns=self._job.build_started_ns or time.time_ns(),
            status_message="downloading bundle" if self._wants_bundle else "building image",
        )
        execution: Execution | None = None
        failure: Exception | None = None
        async with anyio.create_task_group() as tasks:

            async def work() -> None:
                nonlocal execution
                execution = await self._build_and_start()
                tasks.cancel_scope.cancel()

            async def watch() -> None:
                await self._end.wanted()
                tasks.cancel_scope.cancel()

            tasks.start_soon(watch)
            # In this task, not in a child: an error of the build must come out as itself, not in a group.
            failure = await _outcome(work)
            if failure is not None:
                tasks.cancel_scope.cancel()
        if failure is not None:
            raise failure
        if execution is None:
            return judge_request(self._job, self._end.reason or EndReason.USER)
        return execution

    @property
    def _wants_bundle(self) -> bool:
        return bool(self._job.request.bundle or self._job.request.bundle_sha256)

    async def _build_and_start(self) -> Execution:
        parts, request = self._parts, self._job.request
        await self._in_thread(parts.logs.create, self._job.id, request.name)
        with CriWriter(parts.logs.build_path(self._job.id), **log_bounds(parts.settings)._asdict()) as log:
            timeout = request.build_timeout_seconds or parts.settings.build_timeout
            try:
                with anyio.fail_after(timeout):
                    sha256 = await self._fetch_bundle(log)
                    built = await self._build(sha256, log)
            except TimeoutError:
                message = f"the build took longer than its timeout of {format_duration(timeout)}"
                log.line(message, stream="stderr")
                raise BuildError(message) from None
            except JobError as error:
                log.line(str(error), stream="stderr")
                raise
            finally:
                log.flush_tails()
        build = Build(image_tag=built.tag, from_cache=built.from_cache, bundle_sha256=sha256)
        ports = self._job.ports or parts.ports.take(request.ports)
        self._job = self._job.evolve(build=build, ports=ports)
        await self._lay_out_workspace(sha256)
        spec = execution_spec(
            self._job,
            parts.runtime,
            self._workspace,
            parts.logs.job_path(self._job.id),
            log_bounds=log_bounds(parts.settings),
            image=built.image,
            python=built.python,
            built_env=built.env_vars,
        )
        build_finished_ns = time.time_ns()
        logger.info("{}", built_sentence(self._job, build_finished_ns))
        execution = await parts.runtime.start(spec)
        with anyio.CancelScope(shield=True):  # it runs: that must be known, whoever wants its end meanwhile
            await self._step(
                state=JobState.RUNNING,
                status_message="running",
                build=build,
                ports=ports,
                build_finished_ns=build_finished_ns,
                run_started_ns=execution.started_ns,
                handle=execution.handle,
            )
        return execution

    async def _fetch_bundle(self, log: CriWriter) -> str:
        request, bundles = self._job.request, self._parts.bundles
        if not self._wants_bundle:
            return ""
        if request.bundle:
            log.line(f"fetching bundle {masked_start(request.bundle)}")
            return await bundles.fetch(request.bundle, request.bundle_sha256)
        return request.bundle_sha256 or ""

    async def _build(self, sha256: str, log: CriWriter) -> BuiltEnvironment:
        request = self._job.request
        source: Path | None = await self._parts.bundles.open(sha256) if sha256 else None
        if source is not None:
            log.line(f"bundle {sha256[:12]} is there")
        await self._step(status_message="building image")
        return await self._parts.builder.build(
            BuildRequest(
                source=source,
                environment=request.environment,
                needs_python=request.entrypoint is not None,
                limits=request.build_limits,
            ),
            log,
        )

    async def _lay_out_workspace(self, sha256: str) -> None:
        """An empty output directory, the job's own copy of the bundle where the runtime wants one, and its call."""
        await self._in_thread(_fresh_workspace, self._workspace)
        if self._parts.runtime.uses_source_tree and sha256:
            await self._parts.bundles.copy_to(sha256, self._workspace.source)
        if self._job.request.entrypoint is not None:
            entrypoint = self._job.request.entrypoint or await self._parts.store.entrypoint(self._job.id)
            python_version = self._job.request.environment.python_version
            await self._in_thread(write_call, self._workspace.call, entrypoint, python_version)

    async def _watch(self, execution: Execution) -> ExitResult:
        """From RUNNING to the confirmed end: sampled meanwhile, ended at its timeout or when someone asks."""
        runtime, sampler = self._parts.runtime, self._parts.sampler
        try:
            self._begin_sampling(execution)
        except Exception:
            await self._put_down(execution, confirm=True)
            raise
        result: ExitResult | None = None
        failure: Exception | None = None
        try:
            async with anyio.create_task_group() as tasks:

                async def wait() -> None:
                    nonlocal result
                    result = await runtime.wait(execution)

                tasks.start_soon(self._end_at_timeout, execution.started_ns)
                tasks.start_soon(self._obey, execution)
                failure = await _outcome(wait)
                tasks.cancel_scope.cancel()
        finally:
            with anyio.CancelScope(shield=True):
                self._seen = await self._in_thread(sampler.finish, self._job.id)
        if failure is not None or result is None:
            await self._put_down(execution)
            raise failure or InfrastructureError("the runtime lost the execution")
        return result

    def _begin_sampling(self, execution: Execution) -> None:
        runtime = self._parts.runtime
        reader, paths = runtime.reader(execution), runtime.disk_paths(execution)
        age = (time.time_ns() - execution.started_ns) / 1e9
        self._parts.sampler.add(self._job.id, reader, paths, age_seconds=age, gpus=self._job.gpus)

    async def _end_at_timeout(self, started_ns: int) -> None:
        timeout = self._job.request.timeout_seconds
        if timeout:
            await anyio.sleep(max(0.0, started_ns / 1e9 + timeout - time.time()))
            self._end.ask(EndReason.TIMEOUT, self._job.request.grace_seconds)

    async def _obey(self, execution: Execution) -> None:
        """Pass every wish for the end on to the runtime; one that fails is tried again until the end is confirmed."""
        obeyed = math.inf
        while True:
            wanted = await self._end.wanted(obeyed)
            try:
                await self._parts.runtime.stop(execution, wanted)
                obeyed = wanted
            except JobError as error:
                logger.warning("stopping job {} failed, trying again: {}", self._job.id, error)
                await anyio.sleep(1)

    async def _put_down(self, execution: Execution, *, confirm: bool = False) -> None:
        """The execution is lost to us: whatever is left of it must not go on. `confirm`: its end can still be waited for."""
        with anyio.move_on_after(_CLEANUP_SECONDS, shield=True):
            try:
                await self._parts.runtime.stop(execution, 0)
                if confirm:
                    self._seen = (await self._parts.runtime.wait(execution)).figures
            except (JobError, OSError) as error:
                logger.warning("job {} could not be stopped: {}", self._job.id, error)
            await self._remove(execution)

    async def _remove(self, execution: Execution) -> None:
        """What cannot be removed now is a leftover, found at the next start: it does not keep the job from ending."""
        with anyio.move_on_after(_CLEANUP_SECONDS, shield=True) as scope:
            try:
                await self._parts.runtime.remove(execution)
            except (JobError, OSError) as error:
                logger.warning("what is left of job {} could not be removed: {}", self._job.id, error)
        if scope.cancelled_caught:
            logger.warning(
                "removing what is left of job {} takes longer than {}: the job ends, the removal goes on by itself",
                self._job.id,
                format_duration(_CLEANUP_SECONDS),
            )

    async def _finish(self, verdict: Verdict, extra: dict[str, Any], ended: Execution | None) -> None:
        """Recorded, cleared away, then seen: what a crash in between leaves is a leftover, and its end is known."""
        parts, job = self._parts, self._job

        async def clear_away() -> None:
            try:
                if ended is not None:
                    await self._remove(ended)
                await self._in_thread(clear_workspace, self._workspace)
            finally:
                parts.ports.give_back(job.ports)

        logs = await self._in_thread(parts.logs.counts, job.id)
        finished_ns = extra.pop("finished_ns", None) or time.time_ns()
        await self._step(
            state=verdict.state,
            end_reason=verdict.reason,
            error=verdict.error,
            status_message="",
            build=job.build,
            ports=job.ports,
            finished_ns=max(finished_ns, job.run_started_ns or 0, job.submitted_ns),
            figures=self._seen,
            logs=logs,
            before_seen=clear_away,
            **extra,
        )

    async def _in_thread(self, function: Callable[..., Any], *args: Any) -> Any:
        return await anyio.to_thread.run_sync(function, *args, limiter=self._parts.files)


async def _outcome(work: Callable[[], Awaitable[None]]) -> Exception | None:
    """The error that `work` ended with, as a value; cancellation passes through."""
    try:
        await work()
    except Exception as error:  # noqa: BLE001 # handed on by the caller once its tasks have ended
        return error
    return None


def _fresh_workspace(workspace: Workspace) -> None:
    """A job that is built again after a crash finds nothing of its first try."""
    shutil.rmtree(workspace.root, ignore_errors=True)
    workspace.root.mkdir(parents=True, mode=0o700)
    workspace.source.mkdir()
    workspace.output.mkdir()


def clear_workspace(workspace: Workspace) -> None:
    """Only the output stays until the job is forgotten."""
    for path in (workspace.source, workspace.call, workspace.control):
        shutil.rmtree(path, ignore_errors=True)
