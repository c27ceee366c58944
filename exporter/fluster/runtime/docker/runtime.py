"""DockerRuntime: containers below cgroups of the worker's own, their logs taken by Capture, their end confirmed by the engine."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any, TypeVar

import anyio
import docker
import docker.errors

from fluster.cgroup import Bounds, CgroupReader, Hierarchy, JobCgroup, find_hierarchy
from fluster.cgroup.hierarchy import NotOurs
from fluster.cgroup.lookout import Lookout
from fluster.cgroup.slices import SliceCgroup, Slices, find_slices
from fluster.errors import EngineUnavailableError, InfrastructureError, JobError, StartError, UnschedulableError
from fluster.job import Figures, Limits, Source
from fluster.runtime.capacity import check_capacity, check_enforced
from fluster.runtime.cgroup_figures import CgroupFiguresReader
from fluster.runtime.contract import Execution, ExecutionSpec, ExitResult, FiguresReader, Runtime, RuntimeInfo
from fluster.runtime.docker.capture import Capture
from fluster.runtime.docker.client import Gone, connect, translated
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
)
from fluster.runtime.docker.statistics import StatisticsReader
from fluster.runtime.log_counts import job_log_counts
from fluster.runtime.operations import Operations

__all__ = ["DockerRuntime"]

T = TypeVar("T")


class DockerRuntime(Runtime):
    """`base_url` None is DOCKER_HOST or the default socket. `use_cgroups=False` leaves limits and figures to the engine."""

    uses_source_tree = False
    work_path = WORK_PATH
    output_path = OUTPUT_PATH
    call_path = CALL_PATH

    def __init__(self, worker_id: str, *, base_url: str | None = None, use_cgroups: bool = True) -> None:
        self._worker_id = worker_id
        self._base_url = base_url
        self._use_cgroups = use_cgroups
        self._client: docker.APIClient
        self._engine: dict[str, Any] = {}
        self._hierarchy: Hierarchy | None = None
        self._lookout: Lookout | None = None
        self._threads = anyio.CapacityLimiter(32)
        self._pings = anyio.CapacityLimiter(1)
        self._captures: dict[str, Capture] = {}
        self._accounts: dict[str, CgroupFiguresReader | StatisticsReader] = {}
        self._kills: dict[str, threading.Timer] = {}
        self._killed: set[str] = set()
        self.operations = Operations()
        self.orphans_removed = 0
        self.info = RuntimeInfo(name="docker")

    async def open(self) -> None:
        await anyio.to_thread.run_sync(self._open, limiter=self._threads)

    async def close(self) -> None:
        for capture in self._captures.values():
            capture.close()
        for timer in self._kills.values():
            timer.cancel()
        for account in self._accounts.values():
            account.close()
        self._captures.clear()
        self._kills.clear()
        self._accounts.clear()
        if self._lookout is not None:
            self._lookout.close()
        if self._hierarchy is not None:
            self._hierarchy.release()
        self._client.close()

    async def ping(self) -> None:
        def work() -> None:
            with self.operations.observe("ping"), translated("reach the engine"):
                self._client.ping()

        # A thread of its own: many busy ones must not make the engine look away.
        await anyio.to_thread.run_sync(work, limiter=self._pings)

    def check(self, limits: Limits) -> None:
        check_capacity(limits, cpus=self._engine.get("NCPU"), memory_bytes=self._engine.get("MemTotal"))
        if limits.gpus:
            raise UnschedulableError("gpus: this worker has none to assign")
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
        await capture.ended()
        return await self._run(self._collect, execution)

    async def stop(self, execution: Execution, grace_seconds: float) -> None:
        with self.operations.observe("stop"):
            await self._run(self._stop, execution, grace_seconds)

    def reader(self, execution: Execution) -> FiguresReader:
        return self._accounts[execution.job_id]

    def disk_paths(self, execution: Execution) -> list[Path]:
        """The output directory, and the container's writable layer where this worker may read it."""
        paths = [execution.spec.workspace.output]
        try:
            with translated("inspect the container"):
                layer = self._client.inspect_container(execution.handle).get("GraphDriver", {}).get("Data") or {}
        except (Gone, JobError):
            return paths
        upper = layer.get("UpperDir")
        return [*paths, Path(upper)] if upper and os.access(upper, os.R_OK | os.X_OK) else paths

    async def remove(self, execution: Execution) -> None:
        with self.operations.observe("remove"):
            capture = self._captures.pop(execution.job_id, None)
            if capture is not None:
                capture.close()
            await self._run(self._remove, execution.job_id, execution.handle)

    async def recover(self, specs: dict[str, ExecutionSpec], handles: dict[str, str]) -> dict[str, Execution]:
        with self.operations.observe("recover"):
            found: dict[str, Execution] = await self._run(self._recover, specs)
        for execution in found.values():
            self._captures[execution.job_id] = self._capture(execution)
        return found

    def _capture(self, execution: Execution) -> Capture:
        spec = execution.spec
        return Capture(self._client, execution.handle, spec.log_path, max_line_bytes=spec.max_line_bytes)

    async def _run(self, work: Callable[..., T], *args: Any) -> T:
        return await anyio.to_thread.run_sync(work, *args, limiter=self._threads)

    def _group(self, job_id: str) -> JobCgroup:
        if isinstance(self._hierarchy, Slices):
            return SliceCgroup(self._hierarchy, job_id)
        assert self._hierarchy is not None  # noqa: S101 # for the type checker
        return JobCgroup(self._hierarchy, job_id)

    # In threads

    def _open(self) -> None:
        self._client = connect(self._base_url)
        with translated("ask the engine what it is"):
            self._engine = self._client.info()
        notes: list[str] = []
        if not self._use_cgroups:
            notes.append("cgroups of the worker's own are switched off")
        elif self._client.base_url.startswith(("http://", "https://")) and not self._client.base_url.startswith(
            "http+docker://"
        ):
            notes.append("the engine is not on this machine")
        elif self._engine.get("SecurityOptions") and "name=rootless" in self._engine["SecurityOptions"]:
            notes.append("the engine is rootless")
        elif self._engine.get("CgroupDriver") not in {"cgroupfs", "systemd"}:
            notes.append(f"the engine's cgroup driver is {self._engine.get('CgroupDriver')!r}, which makes no cgroups")
        else:
            try:
                by_systemd = self._engine.get("CgroupDriver") == "systemd"
                self._hierarchy = (find_slices if by_systemd else find_hierarchy)(self._worker_id)
                self._lookout = Lookout()
            except NotOurs as error:
                notes.append(str(error))
        if self._hierarchy is None:
            notes.append("figures are the engine's statistics, sampled; limits are the engine's")
        else:
            notes.clear()
        flags = {"memory": "MemoryLimit", "processes": "PidsLimit", "cpu": "CpuCfsQuota"}
        own = self._hierarchy.enforces() if self._hierarchy else ()
        enforced = [name for name, flag in flags.items() if name in own or (not own and self._engine.get(flag))]
        notes += [
            f"the engine does not limit {name} here: jobs with such a limit are refused"
            for name in flags
            if name not in enforced
        ]
        self.info = RuntimeInfo(
            name="docker",
            engine_version=str(self._engine.get("ServerVersion", "")),
            cgroup_version=int(self._engine.get("CgroupVersion") or 1),
            figures=Source.KERNEL if self._hierarchy else Source.SAMPLED,
            enforced=(*enforced, "disk"),
            notes=tuple(notes),
        )

    def _start(self, spec: ExecutionSpec) -> Execution:
        group = self._group(spec.job_id) if self._hierarchy else None
        limits = spec.limits
        container = ""
        try:
            spec.workspace.output.chmod(
                0o777
            )  # the image's user writes there; the directory above is the worker's alone
            if group is not None:
                group.create(Bounds(limits.memory_bytes, limits.cpu_millicores, limits.max_processes))
                account = CgroupFiguresReader(CgroupReader(group, self._lookout))
                self._accounts[spec.job_id] = account
            with translated("create the container"):
                container = self._create(spec, group)
                with account.looked_at_closely() if group is not None else nullcontext():
                    self._client.start(container)
                    state = self._client.inspect_container(container)["State"]
                    if group is not None:
                        _look_when_ended(account, group, state)
            if group is None:
                self._accounts[spec.job_id] = StatisticsReader(self._client, container)
        except BaseException as error:
            self._remove(spec.job_id, container or container_name(spec.worker_id, spec.job_id))
            if isinstance(error, OSError):
                raise InfrastructureError(f"the job's cgroup cannot be made: {error}") from error
            if isinstance(error, Gone):
                raise InfrastructureError("the container vanished while it was started") from error
            raise
        return Execution(job_id=spec.job_id, handle=container, started_ns=engine_time(state["StartedAt"]), spec=spec)

    def _create(self, spec: ExecutionSpec, group: JobCgroup | None) -> str:
        engine_limits = _engine_limits(spec.limits, group)
        network = None
        networks = self._client.networks(names=["bridge"])
        if not networks:
            network = "none" if not spec.ports else "host"
        config = self._client.create_host_config(
            **host_config(
                spec, cgroup_parent=group.parent if group else None, engine_limits=engine_limits, network=network
            )
        )
        created = self._client.create_container(host_config=config, **create_arguments(spec))
        return str(created["Id"])

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
        if self._hierarchy is not None:
            self._group(execution.job_id).kill()
        figures = self._final_figures(execution, finished_ns)
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

    def _final_figures(self, execution: Execution, finished_ns: int) -> Figures:
        account = self._accounts.get(execution.job_id)
        if account is None:
            return Figures()
        account.sample()
        return account.figures().evolve(sampled_at_ns=finished_ns)

    def _remove(self, job_id: str, container: str) -> None:
        try:
            with translated("remove the container"):
                self._client.remove_container(container, v=True, force=True)
        except (Gone, StartError):
            pass  # it is gone already, or its removal is under way
        account = self._accounts.pop(job_id, None)
        if account is not None:
            account.close()
        self._killed.discard(job_id)
        if self._hierarchy is not None:
            group = self._group(job_id)
            try:
                group.kill()
                group.remove()
            except OSError as error:
                raise InfrastructureError(f"the job's cgroup could not be removed: {error}") from error

    def _recover(self, specs: dict[str, ExecutionSpec]) -> dict[str, Execution]:
        found: dict[str, Execution] = {}
        with translated("list the containers"):
            containers = self._client.containers(all=True, filters={"label": f"{WORKER_LABEL}={self._worker_id}"})
        leftovers = {}
        for container in containers:
            job_id = container["Labels"].get(JOB_LABEL, "")
            if job_id in specs:
                found[job_id] = self._adopt(specs[job_id], container["Id"])
            else:
                leftovers[job_id] = container["Id"]
        if self._hierarchy is not None:
            for job_id in self._hierarchy.job_ids() - found.keys():
                leftovers.setdefault(job_id, container_name(self._worker_id, job_id))
        for job_id, handle in leftovers.items():
            self._remove(job_id, handle)
            self.orphans_removed += 1
        return found

    def _adopt(self, spec: ExecutionSpec, container: str) -> Execution:
        with translated("inspect the container"):
            state = self._client.inspect_container(container)["State"]
        if self._hierarchy is not None:
            group = self._group(spec.job_id)
            account = CgroupFiguresReader(CgroupReader(group, self._lookout))
            self._accounts[spec.job_id] = account
            _look_when_ended(account, group, state)
        else:
            self._accounts[spec.job_id] = StatisticsReader(self._client, container)
        return Execution(job_id=spec.job_id, handle=container, started_ns=engine_time(state["StartedAt"]), spec=spec)


def _engine_limits(limits: Limits, group: JobCgroup | None) -> Limits:
    """What the engine sets on the container, whose own counts go with it."""
    if group is None:
        return limits
    if group.hierarchy.version == 1:
        return Limits()  # hits and throttling are counted only where the limit is: on the job's cgroup
    # v2 counts memory upwards, and a program that looks at its own cgroup finds its limit; throttling is not counted upwards.
    return Limits(memory_bytes=limits.memory_bytes, max_processes=limits.max_processes)


def _look_when_ended(account: CgroupFiguresReader, group: JobCgroup, state: dict[str, Any]) -> None:
    """The container's first process is also its last: the kernel ends all others with it."""
    if group.hierarchy.version == 1 and state["Pid"] in group.pids():  # the engine's number may be another namespace's
        account.look_when_ended(state["Pid"])


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
