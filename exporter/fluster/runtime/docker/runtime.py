"""DockerRuntime: containers below cgroups of the worker's own, their logs taken by Capture, their end confirmed by the engine."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, TypeVar

import anyio
import docker
import docker.errors
from loguru import logger

from fluster.cgroup.hierarchy import NotOurs
from fluster.errors import EngineUnavailableError, FlusterError, InfrastructureError, StartError
from fluster.gpu import Gpu
from fluster.job import Limits, Source
from fluster.runtime.capacity import check_capacity, check_enforced
from fluster.runtime.contract import (
    Execution,
    ExecutionLostError,
    ExecutionSpec,
    ExitResult,
    FiguresReader,
    Runtime,
    RuntimeInfo,
)
from fluster.runtime.docker.accounts import Accounts, own_hierarchy
from fluster.runtime.docker.capture import Capture
from fluster.runtime.docker.client import Gone, connect, is_remote, translated
from fluster.runtime.docker.convert import (
    CALL_PATH,
    JOB_LABEL,
    OUTPUT_PATH,
    WORK_PATH,
    WORKER_LABEL,
    container_name,
    create_arguments,
    engine_time,
    host_config,
    log_config,
    log_file,
)
from fluster.runtime.docker.growth import Growth
from fluster.runtime.log_counts import job_log_counts
from fluster.runtime.operations import Operations

__all__ = ["DockerRuntime"]

T = TypeVar("T")
_CLOSE_SECONDS: Final = 10.0
"""How long closing waits for threads that a broken engine may hold."""


class DockerRuntime(Runtime):
    """`base_url` None is DOCKER_HOST or the default socket. `use_cgroups=False` leaves limits and figures to the engine."""

    uses_source_tree = False
    work_path = WORK_PATH
    output_path = OUTPUT_PATH
    call_path = CALL_PATH

    def __init__(
        self, worker_id: str, *, base_url: str | None = None, use_cgroups: bool = True, gpus: Sequence[Gpu] = ()
    ) -> None:
        self._worker_id = worker_id
        self._base_url = base_url
        self._use_cgroups = use_cgroups
        self.gpus = tuple(gpus)
        self._client: docker.APIClient
        self._engine: dict[str, Any] = {}
        self._accounts: Accounts
        self._threads = anyio.CapacityLimiter(32)
        self._pings = anyio.CapacityLimiter(1)
        self._captures: dict[str, Capture] = {}
        self._growth: Growth
        self._kills: dict[str, threading.Timer] = {}
        self._killed: set[str] = set()
        self._layers: dict[str, Path] = {}
        """Writable layers of containers, by job: as the engine told of them when it started them."""
        self.operations = Operations("start", "stop", "remove", "ping", "recover")
        self.orphans_removed = 0
        self.info = RuntimeInfo(name="docker")

    async def open(self) -> None:
        await anyio.to_thread.run_sync(self._open, limiter=self._threads)

    async def close(self) -> None:
        for capture in self._captures.values():
            capture.close()
        for timer in self._kills.values():
            timer.cancel()
        # They write no more once they have ended, and the next worker may.
        with anyio.move_on_after(_CLOSE_SECONDS):
            for capture in self._captures.values():
                with suppress(FlusterError):  # wait() has told of it, or nobody asked
                    await capture.ended()
        self._growth.close()
        self._captures.clear()
        self._kills.clear()
        self._accounts.close()
        self._client.close()

    async def ping(self) -> None:
        def work() -> None:
            with self.operations.observe("ping"), translated("reach the engine"):
                self._client.ping()

        # A thread of its own: many busy ones must not make the engine look away.
        await anyio.to_thread.run_sync(work, limiter=self._pings)

    def check(self, limits: Limits) -> None:
        check_capacity(limits, gpus=self.gpus, cpus=self._engine.get("NCPU"), memory_bytes=self._engine.get("MemTotal"))
        check_enforced(limits, self.info.enforced, "the engine")

    async def start(self, spec: ExecutionSpec) -> Execution:
        with self.operations.observe("start"):
            # Not abandoned on cancellation: the caller gets the execution and ends it, nothing is left half started.
            execution = await self._run(self._start, spec)
        self._captures[spec.job_id] = self._capture(execution)
        return execution

    async def wait(self, execution: Execution) -> ExitResult:
        capture = self._captures.get(execution.job_id)
        if capture is None:
            capture = self._captures[execution.job_id] = self._capture(execution)
        try:
            await capture.ended()
            return await self._run(self._collect, execution)
        except InfrastructureError as error:
            raise ExecutionLostError(str(error), await self._run(self._accounts.final, execution.job_id)) from error

    async def stop(self, execution: Execution, grace_seconds: float) -> None:
        with self.operations.observe("stop"):
            await self._run(self._stop, execution, grace_seconds)

    def reader(self, execution: Execution) -> FiguresReader:
        return self._accounts.get(execution.job_id)

    def memory_changed(self) -> bool:
        return self._accounts.memory_changed()

    def disk_paths(self, execution: Execution) -> list[Path]:
        """The output directory, and the container's writable layer where this worker may read it."""
        layer = self._layers.get(execution.job_id)
        return [execution.spec.workspace.output, *([layer] if layer else [])]

    async def remove(self, execution: Execution) -> None:
        with self.operations.observe("remove"):
            capture = self._captures.pop(execution.job_id, None)
            if capture is not None:
                capture.close()
            await anyio.to_thread.run_sync(
                self._remove,
                execution.job_id,
                execution.handle,
                abandon_on_cancel=True,  # whoever has no time to wait leaves it to itself
                limiter=self._threads,
            )

    async def recover(self, specs: dict[str, ExecutionSpec], handles: dict[str, str]) -> dict[str, Execution]:
        with self.operations.observe("recover"):
            try:
                found: dict[str, Execution] = await self._run(self._recover, specs, handles)
            except OSError as error:
                raise InfrastructureError(f"the jobs that go on cannot be watched: {error}") from error
        for execution in found.values():
            self._captures[execution.job_id] = self._capture(execution)
        return found

    def _capture(self, execution: Execution) -> Capture:
        spec = execution.spec
        return Capture(
            self._client,
            execution.handle,
            spec.log_path,
            bounds=spec.log_bounds,
            engine_file=None if is_remote(self._client) else log_file(self._engine, execution.handle),
            growth=self._growth,
        )

    async def _run(self, work: Callable[..., T], *args: Any) -> T:
        return await anyio.to_thread.run_sync(work, *args, limiter=self._threads)

    # In threads

    def _open(self) -> None:
        self._client = connect(self._base_url)
        with translated("ask the engine what it is"):
            self._engine = self._client.info()
        hierarchy, notes = None, []
        try:
            if not self._use_cgroups:
                raise NotOurs("cgroups of the worker's own are switched off")
            hierarchy = own_hierarchy(self._client, self._engine, self._worker_id)
        except NotOurs as error:
            notes += [str(error), "figures are the engine's statistics, sampled; limits are the engine's"]
        self._accounts = Accounts(self._client, self._engine, hierarchy)
        self._growth = Growth()
        if self.gpus and is_remote(self._client):
            self.gpus = ()
            notes.append("the engine is not on this machine: the GPUs that are here cannot be passed to its containers")
        enforced = self._accounts.enforced()
        notes += [
            f"the engine does not limit {name} here: jobs with such a limit are refused"
            for name in ("memory", "processes", "cpu")
            if name not in enforced
        ]
        self.info = RuntimeInfo(
            name="docker",
            engine_version=str(self._engine.get("ServerVersion", "")),
            cgroup_version=self._accounts.cgroup_version,
            figures=Source.KERNEL if self._accounts.cgroup_version else Source.SAMPLED,
            enforced=(*enforced, "disk", *(("gpus",) if self.gpus else ())),
            notes=tuple(notes),
        )

    def _start(self, spec: ExecutionSpec) -> Execution:
        container = ""
        try:
            # The image's user writes there; the directory above is the worker's alone.
            spec.workspace.output.chmod(0o777)
            parent, engine_limits = self._accounts.begin(spec.job_id, spec.limits)
            with translated("create the container"):
                container = self._create(spec, parent, engine_limits)
                with self._accounts.starting(spec.job_id) as started:
                    self._client.start(container)
                    inspected = self._client.inspect_container(container)
                    started(inspected)
            self._keep_layer(spec.job_id, inspected)
        except BaseException as error:
            self._remove(spec.job_id, container or container_name(spec.worker_id, spec.job_id))
            if isinstance(error, OSError):
                raise InfrastructureError(f"the job's cgroup cannot be made: {error}") from error
            if isinstance(error, Gone):
                raise InfrastructureError("the container vanished while it was started") from error
            raise
        started_ns = engine_time(inspected["State"]["StartedAt"])
        return Execution(job_id=spec.job_id, handle=container, started_ns=started_ns, spec=spec)

    def _create(self, spec: ExecutionSpec, cgroup_parent: str | None, engine_limits: Limits) -> str:
        network = None
        networks = self._client.networks(names=["bridge"])
        if not networks:
            network = "none" if not spec.ports else "host"
        config = self._client.create_host_config(
            **host_config(
                spec,
                cgroup_parent=cgroup_parent,
                engine_limits=engine_limits,
                network=network,
                log=log_config(self._engine),
            )
        )
        created = self._client.create_container(host_config=config, **create_arguments(spec, hide_gpus=bool(self.gpus)))
        return str(created["Id"])

    def _keep_layer(self, job_id: str, inspected: dict[str, Any]) -> None:
        upper = ((inspected.get("GraphDriver") or {}).get("Data") or {}).get("UpperDir")
        if upper and os.access(upper, os.R_OK | os.X_OK):
            self._layers[job_id] = Path(upper)

    def _stop(self, execution: Execution, grace_seconds: float) -> None:
        timer = self._kills.pop(execution.job_id, None)
        if timer is not None:
            timer.cancel()
        first = timer is None
        if grace_seconds <= 0:
            self._kill(execution)
            return
        try:
            if first:
                with translated("stop the container"):
                    self._client.kill(execution.handle, signal="SIGTERM")
        except (Gone, StartError):
            return  # it has ended already
        timer = threading.Timer(grace_seconds, self._kill_quietly, (execution,))
        timer.daemon = True
        self._kills[execution.job_id] = timer
        timer.start()

    def _kill(self, execution: Execution) -> None:
        self._killed.add(execution.job_id)
        try:
            with translated("kill the container"):
                self._client.kill(execution.handle, signal="SIGKILL")
        except (Gone, StartError):
            self._killed.discard(execution.job_id)  # it had ended already

    def _kill_quietly(self, execution: Execution) -> None:
        try:
            self._kill(execution)
        except EngineUnavailableError:
            return  # wait() tells of it

    def _collect(self, execution: Execution) -> ExitResult:
        timer = self._kills.pop(execution.job_id, None)
        if timer is not None:
            timer.cancel()
        try:
            with translated("inspect the container"):
                state = self._client.inspect_container(execution.handle)["State"]
        except Gone:
            raise InfrastructureError("the container vanished: someone else removed it") from None
        finished_ns = engine_time(state["FinishedAt"])
        figures = self._accounts.final(execution.job_id)
        if figures.sampled_at_ns:
            figures = figures.evolve(sampled_at_ns=finished_ns)
        exit_code = int(state["ExitCode"])
        if exit_code in {126, 127}:
            _refuse_failed_start(execution.spec)
        kills = figures.oom_kills or 0
        if state.get("OOMKilled") and not kills:
            kills = 1
            figures = figures.evolve(oom_kills=kills)
        return ExitResult(
            exit_code=exit_code,
            finished_ns=finished_ns,
            # The kernel's word, unless the SIGKILL was ours and a child's death for memory an older story.
            oom_killed=kills > 0 and exit_code == 137 and execution.job_id not in self._killed,
            figures=figures,
            logs=job_log_counts(execution.spec.log_path),
        )

    def _remove(self, job_id: str, container: str) -> None:
        try:
            with translated("remove the container"):
                self._client.remove_container(container, v=True, force=True)
        except (Gone, StartError):
            pass  # it is gone already, or its removal is under way
        finally:
            # An engine that is away has the container removed by the next worker; what this one holds of the job goes now.
            self._killed.discard(job_id)
            self._layers.pop(job_id, None)
            self._accounts.remove(job_id)

    def _recover(self, specs: dict[str, ExecutionSpec], handles: dict[str, str]) -> dict[str, Execution]:
        found: dict[str, Execution] = {}
        with translated("list the containers"):
            containers = self._client.containers(all=True, filters={"label": f"{WORKER_LABEL}={self._worker_id}"})
        leftovers = {}
        for container in containers:
            job_id = container["Labels"].get(JOB_LABEL, "")
            if job_id in specs:
                try:
                    found[job_id] = self._adopt(specs[job_id], container["Id"])
                except Gone:
                    continue  # removed just now
            else:
                leftovers[job_id] = container["Id"]
        for job_id in self._accounts.job_ids() - found.keys():
            name = container_name(self._worker_id, job_id)
            if job_id in specs:
                self._accounts.adopt_lost(job_id)
                handle = handles.get(job_id) or name
                found[job_id] = Execution(job_id=job_id, handle=handle, started_ns=0, spec=specs[job_id], lost=True)
            else:
                leftovers.setdefault(job_id, name)
        for job_id, handle in leftovers.items():
            logger.warning("job {} is a leftover that this worker knows nothing of: it is ended and removed", job_id)
            self._remove(job_id, handle)
            self.orphans_removed += 1
        return found

    def _adopt(self, spec: ExecutionSpec, container: str) -> Execution:
        with translated("inspect the container"):
            inspected = self._client.inspect_container(container)
        self._accounts.adopt(spec.job_id, inspected)
        self._keep_layer(spec.job_id, inspected)
        started_ns = engine_time(inspected["State"]["StartedAt"])
        return Execution(job_id=spec.job_id, handle=container, started_ns=started_ns, spec=spec)


def _refuse_failed_start(spec: ExecutionSpec) -> None:
    """The init process was started, the command was not: its last word says so. Raises StartError."""
    try:
        with spec.log_path.open("rb") as file:
            file.seek(max(file.seek(0, os.SEEK_END) - 4096, 0))
            last = file.read().rstrip(b"\n").rpartition(b"\n")[2]
    except OSError:
        return
    if b" F [FATAL tini (" not in last:
        return
    command = spec.command[0]
    if last.endswith(b"Permission denied"):
        raise StartError(f"command not executable: {command!r}; make it executable, or name its interpreter first")
    raise StartError(f"command not found: {command!r}; it is neither in the image nor in its PATH")
